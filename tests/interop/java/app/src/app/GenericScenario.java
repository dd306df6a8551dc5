package app;

import demo.Catalog;
import demo.Types;
import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Calls without the classes of the interface: beans are maps, enums are strings. */
final class GenericScenario {
    private GenericScenario() {}

    static void run(Session session) {
        runCatalog(session);
        runTypes(session);
    }

    private static void runCatalog(Session session) {
        Checks checks = session.checks;
        Dubbo.Generic catalog = session.generic(Catalog.class);
        String name = "Generic " + System.nanoTime();
        Map<String, Object> product = product(name);
        Object[] id = new Object[1];
        checks.isTrue("put takes a map for a bean and returns a Long", () -> {
            id[0] = call(catalog, "put", "demo.Product", product);
            return id[0] instanceof Long;
        });
        checks.isTrue("no arguments", () -> (Long) catalog.invoke("count", new String[0], new Object[0]) >= 4);
        checks.isTrue("overload by long", () -> {
            Map<?, ?> found = (Map<?, ?>) call(catalog, "find", "long", id[0]);
            return found.get("name").equals(name);
        });
        Map<?, ?>[] found = {Map.of()};
        checks.isTrue("overload by String", () -> {
            found[0] = (Map<?, ?>) call(catalog, "find", "java.lang.String", name);
            return found[0].get("name").equals(name);
        });
        checks.same("a bean names its class", "demo.Product", () -> found[0].get("class"));
        checks.same("a decimal stays a BigDecimal", new BigDecimal("9.90"), () -> found[0].get("price"));
        checks.same("an enum is its name", "ACTIVE", () -> found[0].get("status"));
        checks.same("a nested bean is a map", "Generic maker", () -> ((Map<?, ?>) found[0].get("maker")).get("name"));
        checks.same("a list stays a list", List.of("x", "y"), () -> found[0].get("tags"));
        checks.same("a map stays a map", Map.of("north", 4), () -> found[0].get("stock"));
        checks.same("a null field", null, () -> found[0].get("updatedAt"));
        checks.isTrue("several arguments", () -> {
            Object list = catalog.invoke(
                    "search",
                    new String[] {"java.lang.String", "int", "java.util.Set"},
                    new Object[] {name, 5, null});
            return ((Collection<?>) list).size() == 1;
        });
        Throwable missing = checks.fails("declared exception", () -> call(catalog, "find", "long", -5L));
        checks.same("... names its class", "demo.ProductNotFound", () -> Dubbo.genericCause(missing).get("class"));
        checks.isTrue("... and carries a message", () -> Dubbo.genericCause(missing).get("message") != null);
        checks.fails("unknown method", () -> catalog.invoke("nonsense", new String[0], new Object[0]));
        checks.fails("unknown overload", () -> call(catalog, "find", "int", 1));
        checks.same("remove", true, () -> call(catalog, "remove", "long", id[0]));
    }

    private static void runTypes(Session session) {
        Checks checks = session.checks;
        Dubbo.Generic types = session.generic(Types.class);
        echo(checks, types, "echoBool", "boolean", true);
        echo(checks, types, "echoI32", "int", Integer.MIN_VALUE);
        echo(checks, types, "echoI64", "long", Long.MAX_VALUE);
        echo(checks, types, "echoI64", "long", 1L);
        echo(checks, types, "echoBoxedI64", "java.lang.Long", null);
        echo(checks, types, "echoF64", "double", 0.1);
        echo(checks, types, "echoString", "java.lang.String", "\u8336 \uD83D\uDE00 \0");
        echo(checks, types, "echoDecimal", "java.math.BigDecimal", new BigDecimal("1.20"));
        echo(checks, types, "echoJavaDate", "java.util.Date", new Date(1_700_000_000_123L));
        echo(checks, types, "echoBytes", "[B", new byte[] {0, -1});
        echo(checks, types, "echoEnum", "demo.Status", "PREORDER");
        echo(checks, types, "echoStringMap", "java.util.Map", new HashMap<>(Map.of("a", 1L)));
        echo(checks, types, "echoStringList", "java.util.List", new ArrayList<>(List.of("a", "b")));
        checks.same("echoIntArray", List.of(1, 2), () -> items(call(types, "echoIntArray", "int[]", new int[] {1, 2})));
        checks.same("echoStruct", "inner", () -> {
            Map<String, Object> outer = maker("outer", maker("inner", null));
            Map<?, ?> answer = (Map<?, ?>) call(types, "echoStruct", "demo.Maker", outer);
            return ((Map<?, ?>) answer.get("parent")).get("name");
        });
        checks.same("a list of beans in a map", "m", () -> {
            Object makers = new HashMap<>(Map.of("k", new ArrayList<>(List.of(maker("m", null)))));
            Map<?, ?> answer = (Map<?, ?>) call(types, "echoNestedMap", "java.util.Map", makers);
            return ((Map<?, ?>) ((List<?>) answer.get("k")).get(0)).get("name");
        });
        checks.same("no parameter types", "alone", () -> types.invoke("echoString", null, new Object[] {"alone"}));
        Throwable undeclared =
                checks.fails("undeclared exception", () -> call(types, "failUndeclared", "java.lang.String", "because"));
        checks.isTrue("... is named with its message", () -> {
            Map<String, String> cause = Dubbo.genericCause(undeclared);
            return cause.get("class") != null && cause.get("message").contains("because");
        });
    }

    /** A bean that contains itself comes back containing itself. */
    static void runCycle(Session session) {
        Dubbo.Generic types = session.generic(Types.class);
        session.checks.isTrue("a bean that is its own parent", () -> {
            Map<String, Object> self = maker("self", null);
            self.put("parent", self);
            Map<?, ?> answer = (Map<?, ?>) call(types, "echoStruct", "demo.Maker", self);
            return answer.get("parent") == answer && answer.get("name").equals("self");
        });
        session.checks.isTrue("a cycle of two", () -> {
            Map<String, Object> one = maker("one", null);
            one.put("parent", maker("two", one));
            Map<?, ?> answer = (Map<?, ?>) call(types, "echoStruct", "demo.Maker", one);
            Map<?, ?> parent = (Map<?, ?>) answer.get("parent");
            return parent.get("name").equals("two") && parent.get("parent") == answer;
        });
    }

    private static void echo(Checks checks, Dubbo.Generic types, String method, String type, Object value) {
        checks.same(method + " " + Same.text(value), value, () -> call(types, method, type, value));
    }

    private static Object call(Dubbo.Generic service, String method, String type, Object value) {
        return service.invoke(method, new String[] {type}, new Object[] {value});
    }

    /** Lists and arrays alike: a generic answer may give either for an array. */
    private static List<Object> items(Object value) {
        List<Object> items = new ArrayList<>();
        if (value.getClass().isArray()) {
            for (int index = 0; index < Array.getLength(value); index++) {
                items.add(Array.get(value, index));
            }
        } else {
            items.addAll((Collection<?>) value);
        }
        return items;
    }

    private static Map<String, Object> maker(String name, Object parent) {
        Map<String, Object> maker = new LinkedHashMap<>();
        maker.put("class", "demo.Maker");
        maker.put("name", name);
        maker.put("country", null);
        maker.put("parent", parent);
        return maker;
    }

    private static Map<String, Object> product(String name) {
        Map<String, Object> product = new LinkedHashMap<>();
        product.put("class", "demo.Product");
        product.put("id", 0L);
        product.put("name", name);
        product.put("price", new BigDecimal("9.90"));
        product.put("tags", new ArrayList<>(List.of("x", "y")));
        product.put("createdAt", Instant.parse("2024-01-02T03:04:05.678901Z"));
        product.put("updatedAt", null);
        product.put("stock", new HashMap<>(Map.of("north", 4)));
        product.put("status", "ACTIVE");
        product.put("maker", maker("Generic maker", null));
        return product;
    }
}
