package app;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import net.razorvine.pickle.objects.TimeDelta;

/** Uses demo.Catalog and demo.Types over rmi:// with net.razorvine:pickle: {@code RmiPeer HOST:PORT SECRET KEY}. */
public final class RmiPeer {
    private static final int CONCURRENT = 100;
    private static final String CATALOG = "demo.Catalog";
    private static final String TYPES = "demo.Types";

    private final Checks checks = new Checks();
    private final RmiCall rmi;
    private final boolean signed;

    private RmiPeer(String address, String secret, String key) {
        String[] parts = address.split(":");
        rmi = new RmiCall(parts[0], Integer.parseInt(parts[1]), secret, key);
        signed = !secret.isEmpty();
    }

    public static void main(String[] args) {
        RmiPeer peer = new RmiPeer(args[0], args[1], args[2]);
        peer.basic();
        peer.values();
        peer.errors();
        peer.concurrent();
        peer.checks.summary();
        System.exit(0);
    }

    private Map<?, ?> product(Object argument) throws Exception {
        return (Map<?, ?>) rmi.call(CATALOG, "find", argument);
    }

    private void basic() {
        checks.same("count", 3, () -> rmi.call(CATALOG, "count"));
        checks.same("find by id", "Desk lamp", () -> product(1).get("name"));
        checks.same("find by name", 1, () -> product("Desk lamp").get("id"));
        checks.same("price", new BigDecimal("49.90"), () -> product(1).get("price"));
        checks.same("status", "ACTIVE", () -> product(1).get("status"));
        checks.same("created", Instant.parse("2026-01-02T08:30:00Z"), () -> product(1).get("created_at"));
        checks.same("by name", 1, () -> {
            Map<String, ?> more = Map.of("named", Map.of("text", "desk", "limit", 1));
            return ((List<?>) rmi.call(CATALOG, "search", more)).size();
        });
        checks.same("attachments", "v", () ->
                rmi.call(TYPES, "echo_attachments", Map.of("attachments", Map.of("k", "v")), "k"));
        checks.same("oneway", true, () -> {
            try {
                rmi.call(CATALOG, "touch", 1);
                return false;
            } catch (java.io.IOException closed) {
                return closed.getMessage().equals("no frame came back");
            }
        });
    }

    private void echo(String method, Object value) {
        checks.same(method, value, () -> rmi.call(TYPES, method, value));
    }

    private void values() {
        echo("echo_bool", true);
        echo("echo_i32", Integer.MIN_VALUE);
        echo("echo_i64", Long.MAX_VALUE);
        echo("echo_i64", Long.MIN_VALUE);
        echo("echo_f64", 0.1);
        echo("echo_f64", Double.NEGATIVE_INFINITY);
        echo("echo_bigint", new BigInteger("-123456789012345678901234567890"));
        echo("echo_decimal", new BigDecimal("1.10"));
        echo("echo_string", "Grüße 茶 😀\0");
        echo("echo_bytes", new byte[] {0, -1, -128});
        echo("echo_datetime", Instant.parse("2026-08-14T09:26:53.589793Z"));
        echo("echo_duration", new TimeDelta(-1, 2, 3));
        echo("echo_uuid", UUID.fromString("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
        echo("echo_string_list", List.of("a", "b"));
        echo("echo_string_set", Set.of("a", "b"));
        echo("echo_string_map", Map.of("a", 1));
        echo("echo_enum", "PREORDER");
        Map<String, Object> maker = new HashMap<>();
        maker.put("__class__", "demo.Maker");
        maker.put("name", "Maker");
        maker.put("country", null);
        maker.put("parent", null);
        echo("echo_struct", maker);
        checks.same("int[]", List.of(1, 2, 3), () -> rmi.call(TYPES, "echo_int_array", new int[] {1, 2, 3}));
        checks.same("a shared value", List.of(Arrays.asList("x"), Arrays.asList("x")), () -> {
            List<String> shared = new ArrayList<>(List.of("x"));
            return rmi.call(TYPES, "echo_nested_list", List.of(shared, shared));
        });
        checks.same("null", null, () -> rmi.call(TYPES, "echo_nullable", (Object) null));
    }

    private void errors() {
        RmiCall.Fault fault = checks.raises("declared", RmiCall.Fault.class, () -> product(999_999));
        checks.same("its name", "demo.ProductNotFound", () -> fault.name);
        checks.same("its field", 999_999, () -> fault.fields.get("product_id"));
        trouble("no-such-method", () -> rmi.call(CATALOG, "missing"));
        trouble("no-such-service", () -> rmi.call("demo.Missing", "count"));
        trouble("bad-request", () -> product(List.of()));
        if (signed) {
            trouble("refused", () -> rmi.withSecret("another secret of some length").call(CATALOG, "count"));
            trouble("refused", () -> rmi.withSecret("").call(CATALOG, "count"));
        }
    }

    private void trouble(String code, Checks.Step<?> step) {
        RmiCall.Trouble trouble = checks.raises(code, RmiCall.Trouble.class, step);
        checks.same("code of " + code, code, () -> trouble.code);
    }

    private void concurrent() {
        checks.same("concurrent", CONCURRENT, () -> {
            List<CompletableFuture<Object>> calls = new ArrayList<>();
            for (int at = 0; at < CONCURRENT; at++) {
                int value = at;
                calls.add(CompletableFuture.supplyAsync(() -> {
                    try {
                        return rmi.call(TYPES, "echo_i32", value);
                    } catch (Exception trouble) {
                        throw new IllegalStateException(trouble);
                    }
                }));
            }
            int good = 0;
            for (int at = 0; at < CONCURRENT; at++) {
                good += calls.get(at).join().equals(at) ? 1 : 0;
            }
            return good;
        });
    }
}
