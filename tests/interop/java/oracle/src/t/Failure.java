package t;

/** A checked exception with fields of its own. */
public class Failure extends Exception {
    public int code;
    public User culprit;

    public Failure(String message) {
        super(message);
    }

    public Failure(String message, int code, User culprit) {
        super(message);
        this.code = code;
        this.culprit = culprit;
    }
}
