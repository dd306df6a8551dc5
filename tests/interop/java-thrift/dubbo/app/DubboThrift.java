package app;

import demo.Catalog;
import demo.Maker;
import demo.Product;
import demo.ProductNotFound;
import demo.Status;
import demo.Types;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Dubbo 2.7's own protocols for Thrift, {@code thrift} and {@code native-thrift}.
 *
 * <p>{@code DubboThrift call PROTOCOL PORT} uses demo.Catalog and demo.Types; {@code DubboThrift serve PROTOCOL} provides
 * them until its input ends.
 */
public final class DubboThrift {
    private static final int FIRST_PORT = 21_000;
    private static final int LAST_PORT = 32_000;
    private static final long OPENING = 1_767_342_600_000_000L;

    private DubboThrift() {}

    public static void main(String[] arguments) throws IOException {
        Dubbo dubbo = new Dubbo();
        if (arguments[0].equals("serve")) {
            int port = freePort();
            Options options = Options.parse("protocol=" + arguments[1]);
            dubbo.export(Catalog.Iface.class, new ThriftCatalog(), port, options);
            dubbo.export(Types.Iface.class, ThriftTypes.make(), port, options);
            System.out.println("READY " + port);
            while (System.in.read() >= 0) {
                continue; // only the end of the input matters
            }
        } else {
            List<String> peers = List.of(arguments[1] + "://127.0.0.1:" + arguments[2]);
            Options options = Options.parse("");
            Checks checks = new Checks();
            catalog(checks, dubbo.refer(Catalog.Iface.class, peers, options), arguments[1].equals("thrift"));
            types(checks, dubbo.refer(Types.Iface.class, peers, options));
            checks.summary();
        }
        System.exit(0);
    }

    /** {@code raised}: whether Dubbo raises a service's exceptions as they are. */
    private static void catalog(Checks checks, Catalog.Iface catalog, boolean raised) {
        Map<String, Integer> stock = Map.of("berlin", 12, "oslo", 0);
        List<String> tags = List.of("light", "office");
        Product lamp = new Product(1, "Desk lamp", "49.90", tags, OPENING, stock, Status.ACTIVE);
        lamp.setUpdated_at(OPENING + 30L * 86_400_000_000L + 250_000);
        lamp.setMaker(new Maker("Lumen").setCountry("DE").setParent(new Maker("Northwind Group").setCountry("SE")));
        checks.same("count", 3L, catalog::count);
        checks.isTrue("find", () -> catalog.find(1).equals(lamp));
        checks.same("search", 2, () -> catalog.search("desk", 10, Set.of("office")).size());
        checks.isTrue("a map", () -> catalog.price_history(1).containsValue("54.90"));
        checks.same("put", 1L, () -> catalog.put(lamp));
        checks.same("remove nothing", false, () -> catalog.remove(-5));
        Throwable missing = checks.fails("a declared exception", () -> catalog.find(99));
        Throwable said = raised ? missing : missing.getCause();
        checks.isTrue("its fields", () -> said.equals(new ProductNotFound(99).setMessage("no product 99")));
        for (int number = 0; number < 20; number++) {
            checks.same("again " + number, "slept 1 ms", () -> catalog.slow(1));
        }
    }

    private static void types(Checks checks, Types.Iface types) {
        Maker maker = new Maker("m").setParent(new Maker("p").setCountry("DE"));
        checks.same("bool", true, () -> types.echo_bool(true));
        checks.same("i16", Short.MIN_VALUE, () -> types.echo_i16(Short.MIN_VALUE));
        checks.same("i64", Long.MIN_VALUE, () -> types.echo_i64(Long.MIN_VALUE));
        checks.same("f64", 0.1, () -> types.echo_f64(0.1));
        checks.same("string", "Grüße 茶 😀", () -> types.echo_string("Grüße 茶 😀"));
        checks.same("decimal", "1.10", () -> types.echo_decimal("1.10"));
        checks.isTrue("a list", () -> types.echo_int_list(List.of(1, -1)).equals(List.of(1, -1)));
        checks.isTrue("a set", () -> types.echo_long_set(Set.of(1L)).equals(Set.of(1L)));
        checks.isTrue("a struct", () -> types.echo_struct(maker).equals(maker));
        checks.isTrue("an enum", () -> types.echo_enum(Status.PREORDER) == Status.PREORDER);
        checks.fails("an undeclared exception", () -> types.fail_undeclared("because"));
        checks.same("and then a call", 1, () -> types.echo_i32(1));
    }

    /** See Provider: Dubbo binds the port only later. */
    private static int freePort() throws IOException {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(FIRST_PORT, LAST_PORT);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.1"))) {
                return socket.getLocalPort();
            } catch (BindException taken) {
                continue;
            }
        }
    }
}
