package app;

import demo.Catalog;
import java.util.ArrayList;
import java.util.List;

/** Dubbo's own liveness call: the peer sends any value back without asking the service. */
final class EchoScenario {
    private EchoScenario() {}

    static void run(Session session) {
        Catalog catalog = session.refer(Catalog.class);
        List<Object> values = new ArrayList<>(List.of("OK", 1, 1L, 1.5, true, new ArrayList<>(List.of("a", 1))));
        values.add(null);
        for (Object value : values) {
            session.checks.same("$echo " + Same.text(value), value, () -> Dubbo.echo(catalog, value));
        }
    }
}
