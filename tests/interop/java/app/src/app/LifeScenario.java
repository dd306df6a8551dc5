package app;

import demo.Catalog;

/** A connection over time: idle, and cut. */
final class LifeScenario {
    private static final long RECOVERY_MS = 60_000;
    private static final long PAUSE_MS = 200;
    private static final int STEADY_CALLS = 5;

    private LifeScenario() {}

    /** Prints {@code idle}, waits for a line on standard input while heartbeats pass, and calls again. */
    static void runHeartbeat(Session session) throws Exception {
        Options options = session.options.with("heartbeat=1000&heartbeat.timeout=3000");
        Catalog catalog = session.dubbo.refer(Catalog.class, session.peers, options);
        session.checks.isTrue("call", () -> catalog.count() >= 0);
        System.out.println("idle");
        System.out.flush();
        session.input.readLine();
        session.checks.isTrue("call after the pause", () -> catalog.count() >= 0);
    }

    /**
     * Prints {@code restart now}, waits for a line on standard input after which the peer is there again, and
     * calls until several calls in a row are answered.
     */
    static void runReconnect(Session session) throws Exception {
        Catalog catalog = session.refer(Catalog.class);
        session.checks.isTrue("call", () -> catalog.count() >= 0);
        System.out.println("restart now");
        System.out.flush();
        session.input.readLine();
        session.checks.isTrue("calls after the restart", () -> {
            long giveUp = System.nanoTime() + RECOVERY_MS * 1_000_000;
            // Dubbo 3 may take a provider out of its list for a moment after the first answer.
            for (int answered = 0; answered < STEADY_CALLS; ) {
                try {
                    catalog.count();
                    answered++;
                } catch (RuntimeException broken) {
                    if (Dubbo.code(broken) == null || System.nanoTime() > giveUp) {
                        throw broken;
                    }
                    answered = 0;
                    Thread.sleep(PAUSE_MS);
                }
            }
            return true;
        });
    }
}
