package app;

import cache.Colour;
import cache.Item;
import cache.Store;
import java.io.Serializable;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Uses a server through Dubbo's redis:// or memcached://: {@code DataPeer NAME URL…}, as many pairs as wanted. For each
 * it reads what stands under {@code ours-NAME:} and writes the same values under {@code java-NAME:}.
 */
public final class DataPeer {
    private DataPeer() {}

    public static void main(String[] args) throws Exception {
        Dubbo dubbo = new Dubbo();
        Checks checks = new Checks();
        for (int at = 0; at < args.length; at += 2) {
            String name = args[at];
            Store store = dubbo.refer(Store.class, List.of(args[at + 1]), Options.parse(""));
            values().forEach((key, value) -> {
                Object read = name.equals("hessian2") ? asHessianHasIt(value) : value;
                checks.same(name + " reads " + key, read, () -> store.get("ours-" + name + ":" + key));
                checks.isTrue(name + " writes " + key, () -> {
                    store.set("java-" + name + ":" + key, value);
                    return true;
                });
            });
            if (args[at + 1].startsWith("redis:")) {
                // xmemcached takes no null.
                checks.isTrue(name + " writes null", () -> {
                    store.set("java-" + name + ":null", null);
                    return true;
                });
                checks.isTrue(name + " reads null", () -> store.get("ours-" + name + ":null") == null);
            }
            checks.isTrue(name + " reads what is not there", () -> store.get("ours-" + name + ":nobody") == null);
            checks.isTrue(name + " deletes", () -> {
                store.delete("ours-" + name + ":text");
                return store.get("ours-" + name + ":text") == null;
            });
        }
        checks.summary();
        dubbo.close();
        System.exit(0);
    }

    /** Hessian 2 has neither these widths nor a char: without a type to read, an Object is what it has instead. */
    private static Object asHessianHasIt(Object value) {
        if (value instanceof Byte || value instanceof Short) {
            return ((Number) value).intValue();
        }
        if (value instanceof Float) {
            return ((Number) value).doubleValue();
        }
        return value instanceof Character ? value.toString() : value;
    }

    private static Map<String, Serializable> values() {
        Map<String, Serializable> values = new LinkedHashMap<>();
        values.put("text", "h\u00e9 \u8336 \ud83d\ude00 \u0000\r\n");
        values.put("no_text", "");
        values.put("long_text", "0123456789".repeat(7_000));
        values.put("yes", true);
        values.put("no", false);
        values.put("byte", (byte) -128);
        values.put("short", (short) -32768);
        values.put("int", -2147483648);
        values.put("zero", 0);
        values.put("long", Long.MIN_VALUE);
        values.put("small_long", 5L);
        values.put("float", 1.5f);
        values.put("double", -0.1);
        values.put("nan", Double.NaN);
        values.put("char", '\u8336');
        values.put("bigint", new BigInteger("-123456789012345678901234567890"));
        values.put("decimal", new BigDecimal("-12345678901234567890.1200"));
        values.put("bytes", new byte[] {0, -1, 13, 10});
        values.put("date", new Date(1_767_342_600_250L));
        values.put("uuid", new UUID(-1, 2));
        values.put("day", LocalDate.of(2026, 1, 2));
        values.put("clock", LocalTime.of(8, 30));
        values.put("instant", Instant.ofEpochSecond(1_767_342_600L, 123_456_000));
        values.put("local", LocalDateTime.of(2026, 1, 2, 8, 30, 10, 5_000));
        values.put("duration", Duration.ofMillis(-1_500));
        values.put("list", new ArrayList<>(List.of(3L, 1L, 2L)));
        values.put("texts", new HashSet<>(List.of("a", "b")));
        values.put("map", new HashMap<>(Map.of("a", 1, "b", 2)));
        values.put("nested", new HashMap<>(Map.of("a", new ArrayList<>(List.of("x", "y")))));
        values.put("colour", Colour.BLUE);
        values.put("item", item(7, item(6, null)));
        return values;
    }

    private static Item item(long id, Item follows) {
        Item item = new Item();
        item.id = id;
        item.name = "tea \u8336";
        item.stock = 12;
        item.sold = true;
        item.rating = follows == null ? null : 4.5;
        item.price = new BigDecimal("49.90");
        item.added = new Date(1_767_342_600_250L);
        item.colour = Colour.BLUE;
        item.tags = new ArrayList<>(List.of("gift", "tea"));
        item.counts = new HashMap<>(Map.of("berlin", 12));
        item.data = new byte[] {1, 2};
        item.follows = follows;
        return item;
    }
}
