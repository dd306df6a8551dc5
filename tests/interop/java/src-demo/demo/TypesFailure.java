package demo;

/** What failDeclared throws. */
public class TypesFailure extends Exception {
    private static final long serialVersionUID = 1L;

    private int code;
    private Maker culprit;

    public TypesFailure() {}

    public TypesFailure(String message) {
        super(message);
    }

    public int getCode() {
        return code;
    }

    public void setCode(int code) {
        this.code = code;
    }

    public Maker getCulprit() {
        return culprit;
    }

    public void setCulprit(Maker culprit) {
        this.culprit = culprit;
    }
}
