package app;

import demo.Catalog;
import demo.Everything;
import demo.Maker;
import demo.OutOfStock;
import demo.Point;
import demo.Product;
import demo.ProductNotFound;
import demo.Status;
import demo.Types;
import demo.TypesFailure;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.apache.thrift.transport.layered.TFramedTransport;

/** Uses demo.Catalog and demo.Types with Apache's library and generated code: {@code ThriftClient PORT}. */
public final class ThriftClient {
    private static final long OPENING = 1_767_342_600_000_000L;
    private static final long DAY = 86_400_000_000L;
    private static final int PATIENCE_MS = 10_000;
    private static final int PIPELINED = 20;

    private final Checks checks;
    private final String name;
    private final Catalog.Client catalog;

    private ThriftClient(Checks checks, String name, Catalog.Client catalog) {
        this.checks = checks;
        this.name = name;
        this.catalog = catalog;
    }

    public static void main(String[] arguments) throws Exception {
        Checks checks = new Checks();
        int port = Integer.parseInt(arguments[0]);
        for (boolean framed : new boolean[] {false, true}) {
            for (boolean compact : new boolean[] {false, true}) {
                for (boolean multiplexed : new boolean[] {true, false}) {
                    use(checks, port, framed, compact, multiplexed);
                }
            }
        }
        checks.summary();
    }

    private static void use(Checks checks, int port, boolean framed, boolean compact, boolean multiplexed)
            throws Exception {
        String name = (compact ? "compact " : "binary ") + (framed ? "framed " : "buffered ")
                + (multiplexed ? "multiplexed " : "");
        TProtocolFactory factory = compact ? new TCompactProtocol.Factory() : new TBinaryProtocol.Factory();
        TTransport socket = new TSocket("127.0.0.1", port, PATIENCE_MS);
        try (TTransport transport = framed ? new TFramedTransport(socket) : socket) {
            transport.open();
            TProtocol wire = factory.getProtocol(transport);
            Function<String, TProtocol> named =
                    service -> multiplexed ? new TMultiplexedProtocol(wire, service) : wire;
            Catalog.Client catalog = new Catalog.Client(wire, named.apply("demo.Catalog"));
            ThriftClient client = new ThriftClient(checks, name, catalog);
            client.products();
            client.faults();
            client.pipelining();
            if (multiplexed) {
                // As Dubbo's native-thrift names services.
                Types.Client types = new Types.Client(named.apply("demo.Types$Iface"));
                client.values(types);
                client.undeclared(types);
                Catalog.Client nothing = new Catalog.Client(named.apply("Nothing"));
                client.same("no such service", TApplicationException.UNKNOWN_METHOD, () -> type(nothing::count));
            }
            client.same("the connection stays", 3L, catalog::count);
        }
    }

    private void products() {
        List<String> tags = List.of("light", "office");
        Map<String, Integer> stock = Map.of("berlin", 12, "oslo", 0);
        Product lamp = new Product(1, "Desk lamp", "49.90", tags, OPENING, stock, Status.ACTIVE);
        lamp.setUpdated_at(OPENING + 30 * DAY + 250_000);
        lamp.setMaker(maker("Lumen", "DE", maker("Northwind Group", "SE", null)));
        String third = "Wandleuchte „Grün“ 🌿";
        Product plain = new Product(3, third, "19.5", List.of(), OPENING + DAY, Map.of(), Status.DISCONTINUED);
        isTrue("find", () -> catalog.find(1).equals(lamp));
        isTrue("absent fields", () -> catalog.find(3).equals(plain));
        isTrue("find by name", () -> catalog.find_by_name("Desk lamp").equals(lamp));
        same("search", List.of(1L, 2L), () -> ids(catalog.search("desk", 10, null)));
        same("search with a set", List.of(1L), () -> ids(catalog.search("", 1, Set.of("office"))));
        isTrue("a map", () -> catalog.price_history(1).equals(Map.of("2025-10-04", "54.90", "2026-01-02", "49.90")));
        Product added = new Product().setId(0).setName("n").setPrice("1.0").setTags(List.of("t")).setCreated_at(OPENING);
        same("put", 4L, () -> catalog.put(added));
        same("oneway", null, () -> {
            catalog.touch(4);
            return null;
        });
        same("what oneway did", OPENING + 1000, () -> catalog.find(4).getUpdated_at());
        isTrue("the default status", () -> catalog.find(4).getStatus() == Status.ACTIVE);
        same("remove", true, () -> catalog.remove(4));
        same("remove nothing", false, () -> catalog.remove(4));
        same("slow", "slept 5 ms", () -> catalog.slow(5));
    }

    private void faults() {
        ProductNotFound missing = checks.raises(name + "a declared exception", ProductNotFound.class, () -> catalog.find(99));
        isTrue("its fields", () -> missing.equals(new ProductNotFound(99).setMessage("no product 99")));
        OutOfStock few = checks.raises(name + "the second one", OutOfStock.class, () -> catalog.reserve(1, "oslo", 5));
        isTrue("its fields", () -> few.equals(new OutOfStock("oslo", 5).setMessage("5 of 'Desk lamp' missing")));
    }

    /**
     * Calls that are all sent before the first answer is read; the first ones take longest. Message by message: what is
     * generated expects the answer to its last call.
     */
    private void pipelining() {
        TProtocol output = catalog.getOutputProtocol();
        TProtocol input = catalog.getInputProtocol();
        same("sent together", null, () -> {
            for (int number = 1; number <= PIPELINED; number++) {
                output.writeMessageBegin(new TMessage("slow", TMessageType.CALL, -number));
                new Catalog.slow_args(PIPELINED - number).write(output);
                output.writeMessageEnd();
                output.getTransport().flush();
            }
            return null;
        });
        for (int each = 1; each <= PIPELINED; each++) {
            int number = each;
            same("pipelined " + number, -number + " slept " + (PIPELINED - number) + " ms", () -> {
                TMessage message = input.readMessageBegin();
                Catalog.slow_result result = new Catalog.slow_result();
                result.read(input);
                input.readMessageEnd();
                return message.seqid + " " + result.getSuccess();
            });
        }
    }

    private void undeclared(Types.Client types) {
        TypesFailure failure =
                checks.raises(name + "an exception with a struct", TypesFailure.class, () -> types.fail_declared("why"));
        TypesFailure expected = new TypesFailure(42).setMessage("why").setCulprit(maker("Acme", "US", null));
        isTrue("its fields", () -> failure.equals(expected));
        TApplicationException raised = checks.raises(
                name + "an undeclared exception", TApplicationException.class, () -> types.fail_undeclared("because"));
        same("its type", TApplicationException.INTERNAL_ERROR, () -> raised.getType());
        isTrue("its text", () -> raised.getMessage().contains("because"));
        same("a value that does not fit", TApplicationException.PROTOCOL_ERROR, () -> type(() -> types.echo_decimal("x")));
        same("null", TApplicationException.MISSING_RESULT, () -> type(() -> types.echo_nullable(null)));
        same("and then a call", 1, () -> types.echo_i32(1));
    }

    private void values(Types.Client types) {
        Maker maker = maker("m", null, maker("p", "DE", null));
        Everything everything = new Everything().setBoxed_bool(false).setBoxed_f64(0.1).setDecimal("1.10");
        everything.setCharacter("x").setBytes(new byte[] {-1}).setString_set(Set.of("s"));
        everything.setEnum_map(Map.of(Status.ACTIVE, "a")).setNested_map(Map.of("k", List.of(maker)));
        everything.setEnumeration(Status.PREORDER).setStruct_(maker);
        echo(types, "echo_bool", true, false);
        echo(types, "echo_i8", Byte.MIN_VALUE, Byte.MAX_VALUE);
        echo(types, "echo_i16", Short.MIN_VALUE, Short.MAX_VALUE);
        echo(types, "echo_i32", Integer.MIN_VALUE, Integer.MAX_VALUE);
        echo(types, "echo_i64", Long.MIN_VALUE, Long.MAX_VALUE);
        echo(types, "echo_f32", 0.5, -2.25);
        echo(types, "echo_f64", 0.1, Double.MAX_VALUE, Double.MIN_VALUE, Double.NEGATIVE_INFINITY, Double.NaN, -0.0);
        echo(types, "echo_bigint", "-123456789012345678901234567890");
        echo(types, "echo_decimal", "1.10", "-1E-20");
        echo(types, "echo_char", "茶");
        echo(types, "echo_string", "", "Grüße 茶 😀\0", "x".repeat(70_000));
        echo(types, "echo_bytes", ByteBuffer.wrap(new byte[0]), ByteBuffer.wrap(new byte[] {0, -1, -128}));
        echo(types, "echo_date", "2024-02-29");
        echo(types, "echo_time", "23:59:59.999999");
        echo(types, "echo_datetime", -1L, OPENING);
        echo(types, "echo_local_datetime", "2026-03-29T02:30:00");
        echo(types, "echo_uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
        echo(types, "echo_int_list", List.of(), Collections.nCopies(200, -1));
        echo(types, "echo_nested_list", List.of(List.of(), List.of("x", "")));
        echo(types, "echo_string_set", Set.of("a", "b"));
        echo(types, "echo_long_set", Set.of(), Set.of(1L << 62));
        echo(types, "echo_string_map", Map.of(), Map.of("a", -1L));
        echo(types, "echo_int_map", Map.of(-1, "x"));
        echo(types, "echo_enum_map", Map.of(Status.PREORDER, "p"));
        echo(types, "echo_struct_map", Map.of(new Point(1, -1), "p"));
        echo(types, "echo_nested_map", Map.of("k", List.of(maker, maker), "e", List.of()));
        echo(types, "echo_double_array", List.of(0.1, -0.0));
        echo(types, "echo_maker_array", List.of(maker));
        echo(types, "echo_enum", Status.DISCONTINUED);
        echo(types, "echo_struct", maker);
        echo(types, "echo_everything", everything);
        echo(types, "echo_any", "{\"a\":[1,null]}");
        echo(types, "echo_nullable", "x");
        same("void", null, () -> {
            types.echo_nothing();
            return null;
        });
    }

    private void echo(Types.Client types, String name, Object... values) {
        Method method = Stream.of(Types.Iface.class.getMethods())
                .filter(each -> each.getName().equals(name))
                .findAny()
                .orElseThrow();
        for (Object value : values) {
            isTrue(name, () -> {
                try {
                    return method.invoke(types, value).equals(value);
                } catch (InvocationTargetException trouble) {
                    throw trouble.getCause();
                }
            });
        }
    }

    private static Maker maker(String name, String country, Maker parent) {
        return new Maker(name).setCountry(country).setParent(parent);
    }

    private static List<Long> ids(List<Product> products) {
        return products.stream().map(Product::getId).toList();
    }

    private static int type(Checks.Step<?> call) throws Throwable {
        try {
            call.run();
        } catch (TApplicationException trouble) {
            return trouble.getType();
        }
        return -1;
    }

    private void same(String what, Object expected, Checks.Step<?> step) {
        checks.same(name + what, expected, step);
    }

    private void isTrue(String what, Checks.Step<Boolean> step) {
        checks.isTrue(name + what, step);
    }
}
