package app;

import java.util.Objects;

/** Counts checks and prints a line for each: {@code ok <name>} or {@code FAIL <name>: why}. */
final class Checks {
    private static final int MAX_WHY_CHARS = 2000;

    private int passed;
    private int total;

    /** Something that may fail. */
    @FunctionalInterface
    interface Step<T> {
        T run() throws Throwable;
    }

    /** Passes when the call returns this value; compared deeply, see {@link Same}. */
    void same(String name, Object expected, Step<?> call) {
        check(name, () -> {
            String difference = Same.difference("", expected, call.run());
            if (difference != null) {
                throw new AssertionError(difference);
            }
        });
    }

    void isTrue(String name, Step<Boolean> call) {
        same(name, true, call);
    }

    /** Passes when the call raises exactly this class; returns what it raised, or null. */
    <T extends Throwable> T raises(String name, Class<T> expected, Step<?> call) {
        Object[] raised = new Object[1];
        check(name, () -> {
            Object value;
            try {
                value = call.run();
            } catch (Throwable trouble) {
                if (trouble.getClass() != expected) {
                    throw new AssertionError("expected " + expected.getName() + ", raised " + trouble, trouble);
                }
                raised[0] = trouble;
                return;
            }
            throw new AssertionError("expected " + expected.getName() + ", got " + Same.text(value));
        });
        return expected.cast(raised[0]);
    }

    /** Returns what the call raised; a check fails when it raised nothing. */
    Throwable fails(String name, Step<?> call) {
        Throwable[] raised = new Throwable[1];
        check(name, () -> {
            Object value;
            try {
                value = call.run();
            } catch (Throwable trouble) {
                raised[0] = trouble;
                return;
            }
            throw new AssertionError("expected a failure, got " + Same.text(value));
        });
        return Objects.requireNonNullElseGet(raised[0], () -> new AssertionError("nothing was raised"));
    }

    private void check(String name, Body body) {
        total++;
        try {
            body.run();
            passed++;
            System.out.println("ok " + name);
        } catch (Throwable trouble) {
            String why = String.valueOf(trouble instanceof AssertionError ? trouble.getMessage() : trouble);
            why = why.length() > MAX_WHY_CHARS ? why.substring(0, MAX_WHY_CHARS) + "…" : why;
            System.out.println("FAIL " + name + ": " + why.replaceAll("\\s*\\R\\s*", " | "));
        }
        System.out.flush();
    }

    /** Prints the last line. */
    void summary() {
        System.out.println(passed + " of " + total + " checks");
        System.out.flush();
    }

    @FunctionalInterface
    private interface Body {
        void run() throws Throwable;
    }
}
