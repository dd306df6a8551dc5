package app;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Runs scenarios against a peer: {@code Consumer SCENARIO[,SCENARIO...] URL[,URL...] [OPTIONS]}.
 *
 * <p>A URL is {@code dubbo://host:port}; OPTIONS are URL parameters such as {@code group=g&heartbeat=1000}. Prints a
 * line for each scenario and each check and ends with {@code N of M checks}; exits with 0 when all passed, else with 1.
 */
public final class Consumer {
    private static final Map<String, Scenario> SCENARIOS = new TreeMap<>(Map.ofEntries(
            Map.entry("basic", BasicScenario::run),
            Map.entry("types", TypesScenario::run),
            Map.entry("nulls", TypesScenario::runNulls),
            Map.entry("refusals", RefusalsScenario::run),
            Map.entry("generic", GenericScenario::run),
            Map.entry("pojo-cycle", GenericScenario::runCycle),
            Map.entry("attachments", AttachmentsScenario::run),
            Map.entry("reply-attachments", AttachmentsScenario::runReplies),
            Map.entry("echo", EchoScenario::run),
            Map.entry("heartbeat", LifeScenario::runHeartbeat),
            Map.entry("reconnect", LifeScenario::runReconnect)));

    private Consumer() {}

    public static void main(String[] args) {
        List<String> wanted = args.length < 2 ? List.of() : List.of(args[0].split(","));
        if (wanted.isEmpty() || !SCENARIOS.keySet().containsAll(wanted)) {
            System.err.println("usage: Consumer SCENARIO[,...] URL[,...] [OPTIONS]");
            System.err.println("scenarios: " + String.join(" ", SCENARIOS.keySet()));
            System.exit(2);
        }
        Options options = Options.parse(args.length > 2 ? args[2] : "");
        Session session = new Session(new Dubbo(), List.of(args[1].split(",")), options);
        for (String name : wanted) {
            System.out.println("scenario " + name);
            run(SCENARIOS.get(name), session);
        }
        boolean passed = session.checks.summary();
        session.dubbo.close();
        System.exit(passed ? 0 : 1);
    }

    private static void run(Scenario scenario, Session session) {
        try {
            scenario.run(session);
        } catch (Throwable trouble) {
            trouble.printStackTrace();
            session.checks.same("the scenario runs to its end", "end", () -> {
                throw trouble;
            });
        }
    }

    @FunctionalInterface
    private interface Scenario {
        void run(Session session) throws Exception;
    }
}
