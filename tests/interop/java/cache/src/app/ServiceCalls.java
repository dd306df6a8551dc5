package app;

import static app.Shown.check;
import static app.Shown.trouble;

/** Methods of services, as every library calls them. */
final class ServiceCalls {
    private ServiceCalls() {}

    /** A library's way to send any command. */
    @FunctionalInterface
    interface Command {
        Object send(String command, String... arguments) throws Exception;
    }

    /** A library's way to get a key. */
    @FunctionalInterface
    interface Get {
        Object get(String key) throws Exception;
    }

    static void redis(Command command) {
        check("find", () -> command.send("demo.Catalog.find", "1"));
        check("overload", () -> command.send("demo.Catalog.find", "Wandleuchte „Grün“ 🌿"));
        check("general form", () -> command.send("CALL", "demo.Catalog", "find", "1"));
        check("list", () -> command.send("demo.Catalog.search", "lamp", "1", "[\"office\"]"));
        check("count", () -> command.send("demo.Catalog.count"));
        check("struct", () -> command.send("demo.Types.echo_struct", "{\"name\": \"茶\"}"));
        check("truth", () -> command.send("demo.Types.echo_bool", "true"));
        check("float", () -> command.send("demo.Types.echo_f64", "0.1"));
        check("text", () -> command.send("demo.Types.echo_string", "Grüße \r\n\0"));
        check("nothing", () -> command.send("demo.Types.echo_nothing"));
        check("fault", () -> trouble(() -> command.send("demo.Catalog.find", "-5")));
        check("no such method", () -> trouble(() -> command.send("demo.Catalog.nothing")));
        check("bad argument", () -> trouble(() -> command.send("demo.Catalog.remove", "x")));
    }

    static void memcached(Get client) {
        check("find", () -> Shown.parsed((String) client.get("demo.Catalog.find(1)")));
        check("count", () -> client.get("demo.Catalog.count()"));
        check("text", () -> client.get("demo.Types.echo_string(\"%e8%8c%b6\")"));
    }
}
