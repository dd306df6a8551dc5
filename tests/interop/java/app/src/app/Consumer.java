package app;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Runs scenarios against peers, one command a line of standard input, until that ends:
 * {@code SCENARIO[,SCENARIO...] URL[,URL...] [OPTIONS]}.
 *
 * <p>A URL is {@code dubbo://host:port} or {@code http://host:port}; OPTIONS are URL parameters such as
 * {@code group=g&heartbeat=1000}. For each command it prints a line per scenario and per check and ends with
 * {@code N of M checks}.
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
            Map.entry("attachments-fields", AttachmentsScenario::runFields),
            Map.entry("reply-attachments", AttachmentsScenario::runReplies),
            Map.entry("echo", EchoScenario::run),
            Map.entry("callbacks", ReportsScenario::run),
            Map.entry("callbacks-long", ReportsScenario::runLong),
            Map.entry("json", JsonScenario::run),
            Map.entry("json-generic", JsonScenario::runGeneric),
            Map.entry("heartbeat", LifeScenario::runHeartbeat),
            Map.entry("reconnect", LifeScenario::runReconnect)));

    private Consumer() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String command = line;
            // A thread of its own, because Dubbo keeps attachments per thread.
            Thread thread = new Thread(() -> run(command.split(" "), input));
            thread.setUncaughtExceptionHandler((failed, trouble) -> {
                trouble.printStackTrace();
                System.exit(2); // without a last line the test would wait
            });
            thread.start();
            thread.join();
        }
        System.exit(0);
    }

    private static void run(String[] command, BufferedReader input) {
        List<String> wanted = List.of(command[0].split(","));
        if (command.length < 2 || !SCENARIOS.keySet().containsAll(wanted)) {
            throw new IllegalArgumentException("expected some of " + SCENARIOS.keySet() + " and URLs");
        }
        Options options = Options.parse(command.length > 2 ? command[2] : "");
        Session session = new Session(new Dubbo(), List.of(command[1].split(",")), options, input);
        for (String name : wanted) {
            System.out.println("scenario " + name);
            run(SCENARIOS.get(name), session);
        }
        session.dubbo.close();
        session.checks.summary();
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
