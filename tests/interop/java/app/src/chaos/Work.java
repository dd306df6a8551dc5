package chaos;

/** The service whose calls are counted where they are carried out; see {@code tests/support/work_service.py}. */
public interface Work {
    /** Must not run twice. */
    long once(long id, int holdMs);

    /** May run as often as it likes. */
    long again(long id, int holdMs);

    /** From now on calls of this provider take so many times longer. */
    int behave(int slower, int failingPercent);
}
