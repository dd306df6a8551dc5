package app;

import static java.util.Arrays.asList;

import demo.Maker;
import demo.Point;
import demo.Status;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;

/**
 * Values at the edges of each Java type, within what the service model holds: dates of the years 1 to 9999,
 * times in microseconds.
 */
final class Edges {
    static final int MEBIBYTE = 1 << 20;

    private static final String ASTRAL = "\uD83D\uDE00"; // U+1F600, outside the basic plane
    private static final Map<Class<?>, List<?>> SCALARS = scalars();

    private Edges() {}

    /** Values of a declared parameter type; boxed types include null. */
    static List<Object> of(Type type) {
        List<Object> values = new ArrayList<>(small(type));
        if (type == String.class) {
            values.add("0123456789abcdef".repeat(MEBIBYTE / 16));
            values.add(("a\u00E9\u4F60" + ASTRAL).repeat(9000));
            values.add("x".repeat(32767) + ASTRAL + "y"); // the pair lies across the edge of a chunk
        } else if (type == byte[].class) {
            values.add(bytes(5000));
            values.add(bytes(MEBIBYTE));
        } else if (isBoxed(type)) {
            values.add(null);
        }
        return values;
    }

    /** Objects of every kind that a parameter declared as Object may hold without changing its class. */
    static List<Object> anything() {
        Map<String, Object> map = new HashMap<>();
        map.put("list", new ArrayList<>(asList(1, 2L, "three", null)));
        return new ArrayList<>(asList(
                null, true, 1, 1L, Long.MAX_VALUE, 1.5, "text", new Date(1), new byte[] {1, 2}, map,
                new ArrayList<>(), new BigDecimal("1.20"), BigInteger.TEN, UUID.fromString(UUID_TEXT),
                LocalDate.of(2024, 2, 29), LocalTime.of(1, 2, 3), Instant.EPOCH, Duration.ofMillis(1),
                Status.ACTIVE, maker("any"), new ArrayList<>(asList(maker("one"), maker("two")))));
    }

    /** A bean with every field set; {@code seed} selects which edge each field gets. */
    static Object filled(Class<?> bean, int seed) {
        Object object = blank(bean);
        for (Field field : bean.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers())) {
                continue;
            }
            List<?> values = small(field.getGenericType());
            field.setAccessible(true);
            try {
                field.set(object, values.get(seed % values.size()));
            } catch (IllegalAccessException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
        return object;
    }

    static Object blank(Class<?> bean) {
        try {
            return bean.getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    static Maker maker(String name) {
        Maker maker = new Maker();
        maker.setName(name);
        return maker;
    }

    private static final String UUID_TEXT = "01234567-89ab-cdef-8edc-ba9876543210";

    private static List<Object> small(Type type) {
        List<Object> values = new ArrayList<>();
        if (type == Object.class) {
            values.addAll(anything());
            values.removeIf(Objects::isNull);
        } else if (SCALARS.containsKey(type)) {
            values.addAll(SCALARS.get(type));
        } else if (type == Maker.class) {
            Maker child = maker("child " + ASTRAL);
            child.setCountry("");
            child.setParent(maker("parent"));
            values.addAll(asList(maker("alone"), child));
        } else if (type instanceof ParameterizedType) {
            addContainers(values, (ParameterizedType) type);
        } else if (type instanceof Class && ((Class<?>) type).isEnum()) {
            values.addAll(asList(((Class<?>) type).getEnumConstants()));
        } else if (type instanceof Class && ((Class<?>) type).isArray()) {
            Class<?> item = ((Class<?>) type).getComponentType();
            values.add(Array.newInstance(item, 0));
            values.add(array(item, small(item)));
        } else {
            values.addAll(asList(filled((Class<?>) type, 0), filled((Class<?>) type, 1), filled((Class<?>) type, 7)));
        }
        return values;
    }

    private static void addContainers(List<Object> values, ParameterizedType type) {
        Type[] arguments = type.getActualTypeArguments();
        if (type.getRawType() == Map.class) {
            values.add(new HashMap<>());
            Map<Object, Object> map = new LinkedHashMap<>();
            List<Object> items = small(arguments[1]);
            for (Object key : small(arguments[0])) {
                map.put(key, items.get(map.size() % items.size()));
            }
            values.add(map);
            return;
        }
        boolean isSet = type.getRawType() == Set.class;
        values.add(isSet ? new LinkedHashSet<>() : new ArrayList<>());
        Collection<Object> items = small(arguments[0]);
        values.add(isSet ? new LinkedHashSet<>(items) : new ArrayList<>(items));
    }

    private static Object array(Class<?> item, List<Object> values) {
        Object array = Array.newInstance(item, values.size());
        for (int index = 0; index < values.size(); index++) {
            Array.set(array, index, values.get(index));
        }
        return array;
    }

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        for (int index = 0; index < length; index++) {
            bytes[index] = (byte) index;
        }
        return bytes;
    }

    private static boolean isBoxed(Type type) {
        return asList(
                        Boolean.class, Byte.class, Short.class, Integer.class, Long.class, Float.class, Double.class,
                        Character.class)
                .contains(type);
    }

    private static Map<Class<?>, List<?>> scalars() {
        Map<Class<?>, List<?>> scalars = new HashMap<>();
        both(scalars, boolean.class, Boolean.class, true, false);
        both(scalars, byte.class, Byte.class, (byte) 0, (byte) -128, (byte) 127);
        both(scalars, short.class, Short.class, (short) 0, (short) -32768, (short) 32767);
        both(scalars, int.class, Integer.class, 0, -1, 47, 48, -2049, 262144, Integer.MIN_VALUE, Integer.MAX_VALUE);
        long exact = 1L << 53; // above it, not every integer is a double
        both(
                scalars, long.class, Long.class, 0L, -9L, 16L, exact - 1, exact, exact + 1, -exact - 1, 1L << 31,
                Long.MIN_VALUE, Long.MAX_VALUE);
        both(
                scalars, float.class, Float.class, 0f, -0f, 1.1f, 12.25f, 16777216f, -1f / 3, Float.MIN_VALUE,
                Float.MAX_VALUE, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY);
        both(
                scalars, double.class, Double.class, 0.0, -0.0, 1.0, -128.0, 32768.0, 0.1, 1.1, 1.0 / 3, 1e300,
                9007199254740993.0, Double.MIN_VALUE, Double.MAX_VALUE, Double.NaN, Double.POSITIVE_INFINITY,
                Double.NEGATIVE_INFINITY);
        both(scalars, char.class, Character.class, 'a', '\0', '\u4F60', '\uFFFF', '\uD83D');
        scalars.put(BigInteger.class, asList(
                BigInteger.ZERO, BigInteger.ONE.negate(), BigInteger.valueOf(Long.MIN_VALUE),
                BigInteger.ONE.shiftLeft(64), new BigInteger("1234567890".repeat(20)),
                new BigInteger("-" + "9".repeat(200))));
        scalars.put(BigDecimal.class, asList(
                new BigDecimal("0"), new BigDecimal("1.20"), new BigDecimal("0.00"), new BigDecimal("-0.001"),
                new BigDecimal("1E+30"), new BigDecimal("1E-30"), new BigDecimal("-" + "9".repeat(200) + "E-100")));
        scalars.put(String.class, asList(
                "", "a", "\u4F60\u597D", ASTRAL, "\0", "a\0b", "\t\r\n\u007F\u0080\u07FF\u0800\uFFFF\uFEFF",
                "\uD83D\uDC69\u200D\uD83D\uDCBB", "e\u0301", "lone \uD83D high", "lone \uDE00 low", "x".repeat(1024)));
        scalars.put(byte[].class, asList(new byte[0], new byte[] {0}, bytes(16), bytes(256)));
        scalars.put(LocalDate.class, asList(
                LocalDate.of(2024, 2, 29), LocalDate.of(1, 1, 1), LocalDate.of(9999, 12, 31), LocalDate.EPOCH));
        scalars.put(LocalTime.class, asList(
                LocalTime.MIDNIGHT, LocalTime.of(23, 59, 59, 999_999_000), LocalTime.of(12, 30)));
        scalars.put(LocalDateTime.class, asList(
                LocalDateTime.of(2024, 2, 29, 23, 59, 59, 1000), LocalDateTime.of(1, 1, 1, 0, 0),
                LocalDateTime.of(9999, 12, 31, 23, 59, 59, 999_999_000)));
        scalars.put(Instant.class, asList(
                Instant.EPOCH, Instant.ofEpochSecond(1_700_000_000L, 123_456_000), Instant.ofEpochSecond(-1, 999_999_000),
                Instant.parse("0001-01-01T00:00:00Z"), Instant.parse("9999-12-31T23:59:59.999999Z")));
        scalars.put(Date.class, asList(
                new Date(0), new Date(1), new Date(-1), new Date(60_000), new Date(1_700_000_000_123L)));
        scalars.put(Duration.class, asList(
                Duration.ZERO, Duration.ofNanos(1000), Duration.ofNanos(-1000), Duration.ofMillis(1500),
                Duration.ofDays(-999_999)));
        scalars.put(UUID.class, asList(UUID.fromString(UUID_TEXT), new UUID(0, 0), new UUID(-1, -1)));
        scalars.put(Point.class, asList(point(0, 0), point(1, -2), point(Integer.MIN_VALUE, Integer.MAX_VALUE)));
        return scalars;
    }

    private static void both(Map<Class<?>, List<?>> scalars, Class<?> primitive, Class<?> boxed, Object... values) {
        scalars.put(primitive, Arrays.asList(values));
        scalars.put(boxed, Arrays.asList(values));
    }

    private static Point point(int x, int y) {
        Point point = new Point();
        point.setX(x);
        point.setY(y);
        return point;
    }
}
