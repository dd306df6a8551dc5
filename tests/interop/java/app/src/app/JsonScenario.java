package app;

import demo.Catalog;
import demo.Maker;
import demo.OutOfStock;
import demo.ProductNotFound;
import demo.Status;
import demo.Types;
import demo.TypesFailure;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * What Dubbo 2.7 can say in JSON, which is its http:// protocol: calls without java.time, whose classes its Jackson does
 * not read, exceptions by class and message alone, no attachments, no timeouts. Its hessian:// can say as much, but for
 * decimals, whose values its codec loses ({@code decimals=lost}).
 */
final class JsonScenario {
    private JsonScenario() {}

    static void run(Session session) {
        Checks checks = session.checks;
        Catalog catalog = session.refer(Catalog.class);
        String warehouse = session.options.get("warehouse", "north");
        checks.isTrue("count has no arguments", () -> catalog.count() >= 3);
        checks.same("find nothing", List.of(), () -> catalog.search("no such product", 10, null));
        checks.isTrue("reserve", () -> catalog.reserve(1, warehouse, 1) >= 0);
        OutOfStock empty = checks.raises(
                "reserve too many", OutOfStock.class, () -> catalog.reserve(1, warehouse, 1_000_000));
        checks.isTrue("... says why", () -> empty.getMessage() != null);
        ProductNotFound missing = checks.raises("find unknown", ProductNotFound.class, () -> catalog.find(-5L));
        checks.isTrue("... says why", () -> missing.getMessage().contains("-5"));
        checks.raises("find an unknown name", ProductNotFound.class, () -> catalog.find("no such product"));
        checks.raises("price history of unknown", ProductNotFound.class, () -> catalog.priceHistory(-5L));
        checks.same("remove nothing", false, () -> catalog.remove(-5));
        checks.isTrue("touch", () -> {
            catalog.touch(1);
            return true;
        });
        checks.same("slow", "slept 50 ms", () -> catalog.slow(50));
        runTypes(session);
    }

    private static String firstWarehouse(Session session) {
        return session.options.get("warehouse", "north");
    }

    private static void runTypes(Session session) {
        Checks checks = session.checks;
        Types types = session.refer(Types.class);
        checks.same("echoBool", true, () -> types.echoBool(true));
        checks.same("echoI8", Byte.MIN_VALUE, () -> types.echoI8(Byte.MIN_VALUE));
        checks.same("echoI32", Integer.MIN_VALUE, () -> types.echoI32(Integer.MIN_VALUE));
        for (long number : new long[] {(1L << 53) + 1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            checks.same("echoI64 " + number, number, () -> types.echoI64(number));
        }
        checks.same("echoBoxedI64 null", null, () -> types.echoBoxedI64(null));
        checks.same("echoF64", 0.1, () -> types.echoF64(0.1));
        checks.same("echoBigint", BigInteger.TWO.pow(100), () -> types.echoBigint(BigInteger.TWO.pow(100)));
        if (session.options.get("decimals", "kept").equals("kept")) {
            checks.isTrue("echoDecimal", () -> {
                BigDecimal sent = new BigDecimal("12.340"); // on its way it is a double, without the last zero
                return types.echoDecimal(sent).compareTo(sent) == 0;
            });
        }
        checks.same("echoChar", '\u8336', () -> types.echoChar('\u8336'));
        checks.same("echoString", "\u8336 \uD83D\uDE00 \t\n\0\"", () -> types.echoString("\u8336 \uD83D\uDE00 \t\n\0\""));
        checks.same("echoBytes", new byte[] {0, -1, 16}, () -> types.echoBytes(new byte[] {0, -1, 16}));
        checks.same("echoJavaDate", new Date(1_700_000_000_123L), () -> types.echoJavaDate(new Date(1_700_000_000_123L)));
        UUID uuid = new UUID(1, 2);
        checks.same("echoUuid", uuid, () -> types.echoUuid(uuid));
        checks.same("echoEnum", Status.PREORDER, () -> types.echoEnum(Status.PREORDER));
        checks.same("echoStruct", maker(), () -> types.echoStruct(maker()));
        checks.same("echoStringList", list("a", ""), () -> types.echoStringList(list("a", "")));
        checks.same("echoNestedList", list(list("a"), list()), () -> types.echoNestedList(list(list("a"), list())));
        checks.same("echoStringMap", Map.of("a", 1L << 40), () -> types.echoStringMap(new HashMap<>(Map.of("a", 1L << 40))));
        checks.same("echoLongArray", new long[] {1, -1}, () -> types.echoLongArray(new long[] {1, -1}));
        checks.same("echoMakerArray", new Maker[] {maker()}, () -> types.echoMakerArray(new Maker[] {maker()}));
        checks.same("echoNullable", null, () -> types.echoNullable(null));
        checks.same("echoNothing", null, () -> {
            types.echoNothing();
            return null;
        });
        TypesFailure declared =
                checks.raises("declared exception", TypesFailure.class, () -> types.failDeclared("why \u8336"));
        checks.same("... its message", "why \u8336", declared::getMessage);
        Throwable undeclared = checks.fails("undeclared exception", () -> types.failUndeclared("because"));
        checks.isTrue("... its message", () -> undeclared.getMessage().contains("because"));
        checks.same("and the connection is still good", "yes", () -> types.echoString("yes"));
    }

    /** Calls without a class of the interface, with the values for which JSON needs none. */
    static void runGeneric(Session session) {
        Checks checks = session.checks;
        Dubbo.Generic types = session.generic(Types.class);
        echo(checks, types, "echoBool", "boolean", true);
        echo(checks, types, "echoI32", "int", Integer.MIN_VALUE);
        echo(checks, types, "echoI64", "long", Long.MAX_VALUE);
        echo(checks, types, "echoF64", "double", 0.1);
        echo(checks, types, "echoString", "java.lang.String", "\u8336 \uD83D\uDE00 \0");
        echo(checks, types, "echoEnum", "demo.Status", "PREORDER");
        echo(checks, types, "echoStringList", "java.util.List", list("a", "b"));
        echo(checks, types, "echoNullable", "java.lang.String", null);
        checks.same("echoStruct", "inner", () -> {
            Map<String, Object> inner = new HashMap<>(Map.of("name", "inner"));
            Map<String, Object> bean = new HashMap<>(Map.of("name", "outer", "parent", inner));
            Map<?, ?> answer = (Map<?, ?>) types.invoke("echoStruct", new String[] {"demo.Maker"}, new Object[] {bean});
            return ((Map<?, ?>) answer.get("parent")).get("name");
        });
        Dubbo.Generic catalog = session.generic(Catalog.class);
        checks.fails("find unknown", () -> catalog.invoke("find", new String[] {"long"}, new Object[] {-5L}));
        checks.same("remove nothing", false, () -> catalog.invoke("remove", new String[] {"long"}, new Object[] {-5L}));
    }

    private static void echo(Checks checks, Dubbo.Generic types, String method, String type, Object value) {
        checks.same(method + " " + Same.text(value), value,
                () -> types.invoke(method, new String[] {type}, new Object[] {value}));
    }

    /** A list that every codec can write; what {@code List.of} gives is none for Caucho's. */
    @SafeVarargs
    private static <T> List<T> list(T... items) {
        return new ArrayList<>(List.of(items));
    }

    private static Maker maker() {
        Maker owner = new Maker();
        owner.setName("Owner");
        Maker maker = new Maker();
        maker.setName("Maker \u8336");
        maker.setCountry("DE");
        maker.setParent(owner);
        return maker;
    }
}
