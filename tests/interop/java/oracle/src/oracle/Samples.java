package oracle;

import static java.util.Arrays.asList;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.MonthDay;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.Period;
import java.time.Year;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Calendar;
import java.util.Collection;
import java.util.Collections;
import java.util.Date;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.GregorianCalendar;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TimeZone;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import t.AllFields;
import t.Color;
import t.Failure;
import t.Pair;
import t.Point;
import t.Shape;
import t.User;

/**
 * The recorded values, by name. One sample is one stream: its values share the tables of one encoder.
 *
 * <p>Everything here is reproducible: fixed stack traces, fixed zone, no hash order that differs between runs.
 */
final class Samples {
    private static final String ASTRAL = "\uD83D\uDE00"; // U+1F600

    private final Map<String, List<?>> samples = new LinkedHashMap<>();

    private Samples() {}

    static Map<String, List<?>> all() {
        Samples samples = new Samples();
        samples.numbers();
        samples.text();
        samples.bytes();
        samples.scalars();
        samples.times();
        samples.arrays();
        samples.lists();
        samples.sets();
        samples.maps();
        samples.objects();
        samples.references();
        samples.throwables();
        samples.calls();
        return Collections.unmodifiableMap(samples.samples);
    }

    private void add(String name, Object... values) {
        if (samples.put(name, asList(values)) != null) {
            throw new IllegalStateException("two samples called " + name);
        }
    }

    private void numbers() {
        add("null", (Object) null);
        add("boolean", true, false);
        add("int/golden", 0, 47, 48, -16, -17, 2047, 2048, 262143, 262144, Integer.MIN_VALUE);
        add("int/edges", -1, 1, -2048, -2049, -262144, -262145, Integer.MAX_VALUE, Integer.MIN_VALUE + 1);
        add("int/byte", (byte) -128, (byte) -1, (byte) 0, (byte) 127);
        add("int/short", (short) -32768, (short) -1, (short) 0, (short) 32767);
        add(
                "long/golden",
                0L,
                15L,
                16L,
                -8L,
                -9L,
                2047L,
                2048L,
                262143L,
                262144L,
                Integer.MAX_VALUE * 1L,
                Integer.MAX_VALUE + 1L,
                Long.MIN_VALUE);
        add(
                "long/edges",
                -1L,
                1L,
                -2048L,
                -2049L,
                -262144L,
                -262145L,
                Integer.MIN_VALUE * 1L,
                Integer.MIN_VALUE - 1L,
                (1L << 53) - 1,
                1L << 53,
                (1L << 53) + 1,
                -(1L << 53) - 1,
                Long.MAX_VALUE,
                Long.MIN_VALUE + 1);
        add(
                "double/golden",
                0.0,
                1.0,
                -128.0,
                127.0,
                128.0,
                32767.0,
                32768.0,
                0.5,
                3.14159,
                1e300,
                Double.NaN);
        add(
                "double/edges",
                -0.0,
                -1.0,
                -129.0,
                -32768.0,
                -32769.0,
                12.25,
                1.1,
                0.1,
                -0.001,
                2147483.647,
                2147483.648,
                -2147483.648,
                1.0 / 3,
                9007199254740993.0,
                Double.MIN_VALUE,
                Double.MIN_NORMAL,
                Double.MAX_VALUE,
                -Double.MAX_VALUE,
                Double.POSITIVE_INFINITY,
                Double.NEGATIVE_INFINITY);
        add("float/golden", 0.1f, 12.25f);
        add(
                "float/edges",
                0f,
                -0f,
                1.1f,
                16777216f,
                1f / 3,
                Float.MIN_VALUE,
                Float.MAX_VALUE,
                Float.NaN,
                Float.POSITIVE_INFINITY,
                Float.NEGATIVE_INFINITY);
    }

    private void text() {
        add("string/golden", "", "a", "\u4F60", ASTRAL);
        add("string/astral-inside", "a" + ASTRAL + "b");
        add("string/nul-and-controls", "\0", "a\0b", "\u0001\t\r\n\u007F\u0080");
        add("string/utf8-widths", "\u007F\u0080\u07FF\u0800\uFFFF\uFEFF\uFFFD");
        add("string/combining", "e\u0301", "\u00E9", "\u05D0\u202E", "\uD83D\uDC69\u200D\uD83D\uDCBB");
        add("string/lone-high-surrogate", "a\uD83Db");
        add("string/lone-low-surrogate", "a\uDE00b");
        add("string/reversed-surrogates", "\uDE00\uD83D");
        for (int length : new int[] {31, 32, 255, 256, 1023, 1024, 32767, 32768, 32769, 65536}) {
            add("string/length-" + length, "x".repeat(length));
        }
        add("string/pair-across-chunk-edge", "x".repeat(32767) + ASTRAL + "y");
        add("string/pair-at-chunk-start", "x".repeat(32768) + ASTRAL + "y");
        add("string/lone-high-across-chunk-edge", "x".repeat(32767) + "\uD83D" + "y");
        add("string/mebibyte-ascii", "0123456789abcdef".repeat(65536));
        add("string/mebibyte-mixed", ("a\u00E9\u4F60" + ASTRAL).repeat(209716));
        add("string/then-more", "x".repeat(40000), "tail", 1);
        add("char", 'a', '\0', '\u4F60', '\uD83D');
        add("char-array", "".toCharArray(), "abc".toCharArray(), "x".repeat(40).toCharArray());
    }

    private void bytes() {
        byte[] every = new byte[256];
        for (int index = 0; index < every.length; index++) {
            every[index] = (byte) index;
        }
        add("bytes/all-values", (Object) every);
        for (int length : new int[] {0, 1, 15, 16, 1023, 1024, 4093, 4094, 4096, 5000, 65535, 65536, 100_000}) {
            byte[] bytes = new byte[length];
            for (int index = 0; index < length; index++) {
                bytes[index] = (byte) (index * 7);
            }
            add("bytes/length-" + length, (Object) bytes);
        }
        add("bytes/after-text", "head", new byte[4200], "tail");
        byte[] same = {1, 2};
        add("bytes/twice-the-same", asList(same, same));
    }

    private void scalars() {
        add("enum/golden", Color.RED, Color.BLUE, Color.RED);
        add("decimal/golden", new BigDecimal("1.20"), new BigDecimal("3"));
        add(
                "decimal/edges",
                new BigDecimal("0"),
                new BigDecimal("0.00"),
                new BigDecimal("-0.001"),
                new BigDecimal("1E+30"),
                new BigDecimal("1E-30"),
                new BigDecimal("-123456789012345678901234567890.123456789"),
                new BigDecimal("1E+1000"),
                new BigDecimal("9".repeat(200) + "E-250"));
        add(
                "bigint",
                BigInteger.ZERO,
                BigInteger.ONE,
                BigInteger.ONE.negate(),
                BigInteger.valueOf(Integer.MAX_VALUE).add(BigInteger.ONE),
                BigInteger.valueOf(Long.MIN_VALUE),
                BigInteger.ONE.shiftLeft(64));
        add("bigint/200-digits", new BigInteger("1234567890".repeat(20)), new BigInteger("-" + "9".repeat(200)));
        add("uuid", new UUID(0x0123456789abcdefL, 0x8edcba9876543210L), new UUID(0, 0));
        add("locale", Locale.SIMPLIFIED_CHINESE, Locale.ENGLISH, Locale.ROOT);
        add("class", String.class, int.class, User.class, long[].class);
        add("bitset", BitSet.valueOf(new long[] {5L, 1L << 63}), new BitSet());
    }

    private void times() {
        add("date/golden", new Date(0), new Date(1), new Date(60_000));
        add(
                "date/edges",
                new Date(-1),
                new Date(-60_000),
                new Date(1_700_000_000_123L),
                new Date(Integer.MAX_VALUE * 60_000L),
                new Date((Integer.MAX_VALUE + 1L) * 60_000L),
                new Date(Integer.MIN_VALUE * 60_000L),
                new Date(Long.MAX_VALUE),
                new Date(Long.MIN_VALUE));
        add(
                "date/sql",
                new java.sql.Date(86_400_000L),
                new java.sql.Time(3_600_000L),
                new java.sql.Timestamp(1_700_000_000_123L));
        Calendar calendar = new GregorianCalendar(TimeZone.getTimeZone("UTC"), Locale.ROOT);
        calendar.setTimeInMillis(1_700_000_000_123L);
        add("date/calendar", calendar);
        add("time/local-date", LocalDate.of(2024, 2, 29), LocalDate.MIN, LocalDate.MAX, LocalDate.of(0, 1, 1));
        add("time/local-time", LocalTime.MIDNIGHT, LocalTime.MAX, LocalTime.of(12, 30, 45, 123_456_000));
        add("time/local-date-time/golden", LocalDateTime.of(2024, 1, 2, 3, 4, 5));
        add("time/local-date-time", LocalDateTime.of(1969, 12, 31, 23, 59, 59, 999_999_999));
        add(
                "time/instant",
                Instant.EPOCH,
                Instant.ofEpochSecond(1_700_000_000L, 123_456_789),
                Instant.ofEpochSecond(-1, 999_999_000),
                Instant.parse("9999-12-31T23:59:59.999999Z"));
        add(
                "time/duration",
                Duration.ZERO,
                Duration.ofMillis(1500),
                Duration.ofNanos(-1),
                Duration.ofSeconds(Long.MAX_VALUE, 999_999_999));
        add("time/period", Period.of(1, 2, 3), Period.ZERO);
        add("time/year", Year.of(2024));
        add("time/year-month", YearMonth.of(2024, 2));
        add("time/month-day", MonthDay.of(2, 29));
        add("time/zone-offset", ZoneOffset.UTC, ZoneOffset.ofHoursMinutes(-3, -30));
        add("time/offset-date-time", OffsetDateTime.of(2024, 1, 2, 3, 4, 5, 6, ZoneOffset.ofHours(8)));
        add("time/offset-time", OffsetTime.of(3, 4, 5, 6, ZoneOffset.ofHours(-5)));
        add("time/zoned-date-time", ZonedDateTime.of(2024, 1, 2, 3, 4, 5, 6, ZoneId.of("Asia/Shanghai")));
        add("time/zone-id", ZoneId.of("Europe/Berlin"));
    }

    private void arrays() {
        add("array/golden", new String[] {"a"}, new String[] {"b"}, new int[] {1}, new Object[] {"x", 1L, null});
        add("array/boolean", (Object) new boolean[] {true, false});
        add("array/short", (Object) new short[] {-1, 300});
        add("array/int", new int[0], new int[] {Integer.MIN_VALUE, -1, 0, Integer.MAX_VALUE});
        add("array/long", new long[0], new long[] {Long.MIN_VALUE, -1, 0, Long.MAX_VALUE});
        add("array/float", (Object) new float[] {1.1f, -0f, Float.NaN});
        add("array/double", new double[0], new double[] {1.1, -0.0, Double.NaN, 1e300});
        add("array/string", new String[0], new String[] {"a", null, ""});
        add("array/date", (Object) new Date[] {new Date(0), null});
        add("array/boxed", new Integer[] {1, null}, new Long[] {1L, null});
        add("array/object", (Object) new Object[] {1, 1L, 1.5, "s", null, true, new Date(0)});
        add("array/bean", (Object) new User[] {user("ann"), null});
        add("array/enum", (Object) new Color[] {Color.RED, Color.BLUE, Color.RED});
        add("array/two-dimensions", new int[][] {{1, 2}, {}, null}, new String[][] {{"a"}, {"b"}});
        add("array/three-dimensions", (Object) new long[][][] {{{1}}, {}});
        add("array/of-bytes", (Object) new byte[][] {{1, 2}, {}});
        add("array/of-lists", (Object) new List<?>[] {new ArrayList<>(asList(1)), new LinkedList<>(asList(2))});
        for (int length : new int[] {7, 8, 47, 48, 300}) {
            int[] numbers = new int[length];
            Arrays.setAll(numbers, index -> index);
            add("array/length-" + length, (Object) numbers);
        }
    }

    private void lists() {
        add("list/golden/one-element", list(1), list(2));
        add("list/golden/nine-elements", list(0, 1, 2, 3, 4, 5, 6, 7, 8));
        add("list/empty", list());
        add("list/mixed", list(1, 1L, 1.5, "s", null, true, new Date(0), list()));
        add("list/nested", list(list("a"), list(), list("b", list("c"))));
        for (int length : new int[] {7, 8, 300}) {
            Object[] items = new Object[length];
            Arrays.fill(items, "i");
            add("list/length-" + length, list(items));
        }
        add("list/linked", new LinkedList<>(asList(1, 2)), new LinkedList<>());
        add("list/as-list", asList("a", "b"));
        add("list/copy-on-write", new CopyOnWriteArrayList<>(asList("a")));
        add("list/deque", new ArrayDeque<>(asList("a", "b")));
        add("list/empty-list", Collections.emptyList());
        add("list/singleton", Collections.singletonList("a"));
        add("list/unmodifiable", Collections.unmodifiableList(list("a")));
        add("list/sub-list", list("a", "b", "c").subList(1, 3));
        add("list/list-of", List.of("a"), List.of("a", "b", "c"));
        add("list/beans", list(user("ann"), user("bob")));
        add("list/type-index", new LinkedList<>(asList(1)), new int[] {1}, new LinkedList<>(asList(2)), new int[] {2});
    }

    private void sets() {
        add("set/hash", new HashSet<>(asList("a")), new HashSet<>(asList(1L, 2L)), new HashSet<>());
        add("set/linked", new LinkedHashSet<>(asList("b", "a")));
        add("set/tree", new TreeSet<>(asList("b", "a")));
        add("set/empty", Collections.emptySet());
        add("set/enum-set", EnumSet.of(Color.RED, Color.BLUE), EnumSet.noneOf(Color.class));
        add("set/set-of", Set.of("a"));
        add("set/points", new LinkedHashSet<>(asList(new Point(1, 2), new Point(3, 4))));
    }

    private void maps() {
        add("map/golden/linked", linked("k", 1), linked("j", 2));
        add("map/golden/null-value", map("k", null));
        add("map/empty", map(), linked(), Collections.emptyMap());
        add("map/null-key", map(null, 1));
        add("map/keys", linked(1, "int", 1L, "long", 1.5, "double", true, "boolean", "s", "string"));
        add("map/enum-keys", linked(Color.RED, "r", Color.BLUE, "b"));
        add("map/bean-keys", linked(new Point(1, 2), "p", new Point(3, 4), "q"));
        add("map/list-keys", linked(list(1, 2), "l"));
        add("map/date-keys", linked(LocalDate.of(2024, 1, 2), new BigDecimal("9.90")));
        add("map/tree", new TreeMap<>(Map.of("b", 2, "a", 1)));
        add("map/concurrent", new ConcurrentHashMap<>(Map.of("a", 1)));
        add("map/enum-map", new EnumMap<>(Map.of(Color.RED, 1)));
        add("map/map-of", Map.of("a", 1));
        add("map/unmodifiable", Collections.unmodifiableMap(linked("a", 1)));
        add("map/singleton", Collections.singletonMap("a", 1));
        add("map/nested", map("a", linked("b", list(map("c", 1)))));
        add("map/not-serializable", new HashMap<Object, Object>(Map.of("a", 1)) {});
    }

    private void objects() {
        User user = new User("ann", 7, 9L, new ArrayList<>(asList("p", "q")));
        user.next = user;
        add("object/golden/user", user);
        add("object/null-fields", new User());
        add("object/many-definitions", new Point(1, 2), user("ann"), new Point(3, 4), Color.RED, user("bob"));
        Shape.Square square = new Shape.Square();
        ((Shape) square).name = "upper";
        square.name = "lower";
        square.sides = 4;
        square.length = 1.5;
        add("object/shadowed-field", square);
        add("object/record", new Pair("l", 1));
        add("object/all-defaults", new AllFields());
        add("object/all-fields", allFields());
        add("object/seventeen-definitions", seventeenClasses());
    }

    private void references() {
        List<Object> self = list();
        self.add(self);
        add("reference/list-in-itself", self);
        Map<Object, Object> own = map();
        own.put("self", own);
        add("reference/map-in-itself", own);
        User ann = user("ann");
        User bob = user("bob");
        ann.next = bob;
        bob.next = ann;
        add("reference/cycle-of-two", ann);
        List<Object> shared = list("s");
        add("reference/shared-list", list(shared, shared, list(shared)));
        add("reference/shared-across-values", shared, 1, shared);
        add("reference/equal-but-distinct", list(list("s"), list("s")));
        Object[] array = {null};
        array[0] = array;
        add("reference/array-in-itself", (Object) array);
        BigDecimal decimal = new BigDecimal("1.5");
        LocalDate date = LocalDate.of(2024, 1, 2);
        add("reference/scalars-take-slots", decimal, decimal, date, date, shared, shared);
        Date old = new Date(0);
        String text = "text";
        add("reference/values-without-slots", old, old, text, text, new byte[] {1}, shared, shared);
        Object[] many = new Object[50];
        Arrays.setAll(many, index -> list(index));
        Object[] twice = Arrays.copyOf(many, 100);
        System.arraycopy(many, 0, twice, 50, 50);
        add("reference/two-byte-index", (Object) twice);
        User head = new User("0", 0, null, null);
        User last = head;
        for (int index = 1; index < 200; index++) {
            last.next = new User(String.valueOf(index), index, null, null);
            last = last.next;
        }
        last.next = head;
        add("reference/ring-of-200", head);
    }

    private void throwables() {
        add("throwable/golden", trace(new RuntimeException("boom"), 0));
        add("throwable/no-message", trace(new IllegalStateException(), 0));
        add("throwable/stack", trace(new RuntimeException("boom"), 2));
        add("throwable/cause", trace(new RuntimeException("outer", trace(new IllegalArgumentException("inner"), 1)), 1));
        Exception suppressing = trace(new Exception("main"), 1);
        suppressing.addSuppressed(trace(new IllegalStateException("suppressed"), 0));
        add("throwable/suppressed", suppressing);
        add("throwable/declared", trace(new Failure("failed", 42, user("ann")), 1));
        add("throwable/error", trace(new StackOverflowError("deep"), 0));
        add("throwable/stack-trace-element", frame(0));
    }

    private void calls() {
        add("call/golden/invoke", "sayHello", new String[] {"java.lang.String"}, new Object[] {"dubbo"});
        add(
                "call/request-body",
                "2.0.2",
                "org.demo.Hello",
                "0.0.0",
                "sayHello",
                "Ljava/lang/String;",
                "dubbo",
                new HashMap<>(Map.of("path", "org.demo.Hello")));
        add("call/generic-bean", linked("class", "t.User", "name", "ann", "tags", list("p")));
    }

    private static AllFields allFields() {
        AllFields all = new AllFields();
        all.aBoolean = true;
        all.aByte = -128;
        all.aShort = 32767;
        all.anInt = Integer.MIN_VALUE;
        all.aLong = Long.MAX_VALUE;
        all.aFloat = 1.1f;
        all.aDouble = 1.1;
        all.aChar = '\u4F60';
        all.boxedBoolean = false;
        all.boxedByte = 127;
        all.boxedShort = -32768;
        all.boxedInt = 1;
        all.boxedLong = 1L;
        all.boxedFloat = 1.1f;
        all.boxedDouble = 0.1;
        all.boxedChar = 'c';
        all.string = "text " + ASTRAL;
        all.bytes = new byte[] {0, -1};
        all.chars = "chars".toCharArray();
        all.bigInteger = BigInteger.ONE.shiftLeft(100);
        all.bigDecimal = new BigDecimal("12.3400");
        all.date = new Date(1_700_000_000_123L);
        all.sqlDate = new java.sql.Date(86_400_000L);
        all.timestamp = new java.sql.Timestamp(1_700_000_000_123L);
        all.localDate = LocalDate.of(2024, 2, 29);
        all.localTime = LocalTime.of(23, 59, 59, 1000);
        all.localDateTime = LocalDateTime.of(2024, 2, 29, 1, 2, 3);
        all.instant = Instant.ofEpochSecond(1_700_000_000L, 1000);
        all.duration = Duration.ofMillis(-1);
        all.uuid = new UUID(1, 2);
        all.color = Color.BLUE;
        all.user = user("ann");
        all.anything = list(1, 2L);
        all.longs = new ArrayList<>(asList(1L, null, 1L << 40));
        all.strings = new LinkedHashSet<>(asList("b", "a"));
        all.numbers = new HashMap<>(Map.of("n", 1));
        all.usersByPoint = new LinkedHashMap<>();
        all.usersByPoint.put(new Point(1, 2), new ArrayList<>(asList(all.user)));
        all.ints = new int[] {1, 2};
        all.names = new String[] {"x", null};
        all.users = new User[] {all.user, user("bob")};
        all.matrix = new long[][] {{1}, {2, 3}};
        return all;
    }

    /** Objects of more than sixteen classes: the later ones need the long object form. */
    private static List<Object> seventeenClasses() {
        Collection<Object> objects = asList(
                new Point(1, 2),
                user("ann"),
                new Shape(),
                new Shape.Square(),
                Color.RED,
                new BigDecimal("1"),
                BigInteger.ONE,
                new UUID(1, 2),
                LocalDate.of(2024, 1, 2),
                LocalTime.of(1, 2),
                LocalDateTime.of(2024, 1, 2, 3, 4),
                Instant.EPOCH,
                Duration.ZERO,
                Period.ZERO,
                Year.of(2024),
                Locale.ENGLISH,
                new BitSet(),
                ZoneOffset.UTC,
                YearMonth.of(2024, 2),
                new Point(5, 6));
        return list(objects.toArray());
    }

    private static User user(String name) {
        return new User(name, 1, 2L, new ArrayList<>());
    }

    private static List<Object> list(Object... items) {
        return new ArrayList<>(asList(items));
    }

    private static Map<Object, Object> map(Object... keysAndValues) {
        return fill(new HashMap<>(), keysAndValues);
    }

    private static Map<Object, Object> linked(Object... keysAndValues) {
        return fill(new LinkedHashMap<>(), keysAndValues);
    }

    private static Map<Object, Object> fill(Map<Object, Object> map, Object... keysAndValues) {
        for (int index = 0; index < keysAndValues.length; index += 2) {
            map.put(keysAndValues[index], keysAndValues[index + 1]);
        }
        return map;
    }

    private static <T extends Throwable> T trace(T throwable, int depth) {
        StackTraceElement[] stack = new StackTraceElement[depth];
        Arrays.setAll(stack, Samples::frame);
        throwable.setStackTrace(stack);
        return throwable;
    }

    private static StackTraceElement frame(int index) {
        return new StackTraceElement("t.Caller", "call" + index, index == 0 ? "Caller.java" : null, 10 + index);
    }
}
