package app;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Runs one scenario against a peer: {@code Consumer SCENARIO URL[,URL...] [OPTIONS]}.
 *
 * <p>A URL is {@code dubbo://host:port}; OPTIONS are URL parameters such as {@code group=g&heartbeat=1000}. Prints a
 * line for each check and ends with {@code N of M checks}; exits with 0 when all passed, else with 1.
 */
public final class Consumer {
    private static final Map<String, Scenario> SCENARIOS = new TreeMap<>(Map.of(
            "basic", BasicScenario::run,
            "types", TypesScenario::run,
            "nulls", TypesScenario::runNulls,
            "generic", GenericScenario::run,
            "pojo-cycle", GenericScenario::runCycle,
            "attachments", AttachmentsScenario::run,
            "reply-attachments", AttachmentsScenario::runReplies,
            "echo", EchoScenario::run,
            "heartbeat", LifeScenario::runHeartbeat,
            "reconnect", LifeScenario::runReconnect));

    private Consumer() {}

    public static void main(String[] args) {
        Scenario scenario = args.length < 2 ? null : SCENARIOS.get(args[0]);
        if (scenario == null) {
            System.err.println("usage: Consumer SCENARIO URL[,URL...] [OPTIONS], SCENARIO one of " + SCENARIOS.keySet());
            System.exit(2);
        }
        Options options = Options.parse(args.length > 2 ? args[2] : "");
        Session session = new Session(new Dubbo(), List.of(args[1].split(",")), options);
        try {
            scenario.run(session);
        } catch (Throwable trouble) {
            trouble.printStackTrace();
            session.checks.same("the scenario runs to its end", "end", () -> {
                throw trouble;
            });
        }
        boolean passed = session.checks.summary();
        session.dubbo.close();
        System.exit(passed ? 0 : 1);
    }

    @FunctionalInterface
    private interface Scenario {
        void run(Session session) throws Exception;
    }
}
