package oracle;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Calendar;
import java.util.Collection;
import java.util.Date;
import java.util.GregorianCalendar;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import java.util.UUID;

/** Makes Java values out of the value notation; the reverse of {@link Describe}. */
final class Build {
    private static final Map<String, Class<?>> PRIMITIVES = Map.of(
            "boolean", boolean.class,
            "byte", byte.class,
            "short", short.class,
            "int", int.class,
            "long", long.class,
            "float", float.class,
            "double", double.class,
            "char", char.class);

    private final Map<Integer, Object> byId = new HashMap<>();

    private Build() {}

    /** Builds the values of one stream; {@code $ref}s may point across them. */
    static List<Object> all(JsonArray described) throws ReflectiveOperationException {
        Build build = new Build();
        List<Object> values = new ArrayList<>();
        for (JsonElement element : described) {
            values.add(build.value(element));
        }
        return values;
    }

    /** The class with this source-level name: {@code int}, {@code t.User}, {@code long[][]}. */
    static Class<?> type(String name) throws ClassNotFoundException {
        if (name.endsWith("[]")) {
            return Array.newInstance(type(name.substring(0, name.length() - 2)), 0).getClass();
        }
        Class<?> primitive = PRIMITIVES.get(name);
        return primitive != null ? primitive : Class.forName(name);
    }

    private Object value(JsonElement element) throws ReflectiveOperationException {
        if (element.isJsonNull()) {
            return null;
        }
        if (element instanceof JsonPrimitive primitive) {
            if (primitive.isBoolean()) {
                return primitive.getAsBoolean();
            }
            return primitive.isString() ? primitive.getAsString() : (Object) primitive.getAsBigDecimal().intValueExact();
        }
        JsonObject described = element.getAsJsonObject();
        if (described.has("$ref")) {
            return byId.get(described.get("$ref").getAsInt());
        }
        if (described.has("list")) {
            return list(described);
        }
        if (described.has("map")) {
            return map(described);
        }
        if (described.has("object")) {
            return object(described);
        }
        return scalar(described);
    }

    private static Object scalar(JsonObject described) throws ReflectiveOperationException {
        Map.Entry<String, JsonElement> first = described.entrySet().iterator().next();
        JsonElement value = first.getValue();
        switch (first.getKey()) {
            case "byte":
                return value.getAsBigDecimal().byteValueExact();
            case "short":
                return value.getAsBigDecimal().shortValueExact();
            case "long":
                return value.getAsBigDecimal().longValueExact();
            case "float":
                return Float.valueOf(value.getAsString());
            case "double":
                return Double.valueOf(value.getAsString());
            case "char":
                return value.getAsString().charAt(0);
            case "chars":
                return value.getAsString().toCharArray();
            case "bytes":
                return HexFormat.of().parseHex(value.getAsString());
            case "bigint":
                return new BigInteger(value.getAsString());
            case "decimal":
                return new BigDecimal(value.getAsString());
            case "class":
                return type(value.getAsString());
            case "enum":
                return constant(value.getAsString(), described.get("name").getAsString());
            case "date":
                return date(value.getAsLong(), described);
            case "calendar":
                Calendar calendar = new GregorianCalendar(TimeZone.getTimeZone("UTC"), Locale.ROOT);
                calendar.setTimeInMillis(value.getAsLong());
                return calendar;
            case "bits":
                BitSet bits = new BitSet();
                value.getAsJsonArray().forEach(bit -> bits.set(bit.getAsInt()));
                return bits;
            case "text":
                return parse(type(described.get("type").getAsString()), value.getAsString());
            default:
                throw new IllegalArgumentException("not a value: " + described);
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Object constant(String type, String name) throws ClassNotFoundException {
        return Enum.valueOf((Class) type(type), name);
    }

    private static Object date(long millis, JsonObject described) throws ReflectiveOperationException {
        if (!described.has("type")) {
            return new Date(millis);
        }
        return type(described.get("type").getAsString()).getConstructor(long.class).newInstance(millis);
    }

    private static Object parse(Class<?> type, String text) throws ReflectiveOperationException {
        if (type == UUID.class) {
            return UUID.fromString(text);
        }
        if (type == Locale.class) {
            return Locale.forLanguageTag(text.replace('_', '-'));
        }
        if (java.time.ZoneId.class.isAssignableFrom(type)) {
            return java.time.ZoneId.of(text);
        }
        return type.getMethod("parse", CharSequence.class).invoke(null, text);
    }

    @SuppressWarnings("unchecked")
    private Object list(JsonObject described) throws ReflectiveOperationException {
        JsonArray items = described.getAsJsonArray("list");
        Class<?> type = type(described.get("type").getAsString());
        if (type.isArray()) {
            Object array = remember(described, Array.newInstance(type.getComponentType(), items.size()));
            for (int index = 0; index < items.size(); index++) {
                Array.set(array, index, value(items.get(index)));
            }
            return array;
        }
        Collection<Object> list = (Collection<Object>) remember(described, make(type));
        for (JsonElement item : items) {
            list.add(value(item));
        }
        return list;
    }

    @SuppressWarnings("unchecked")
    private Object map(JsonObject described) throws ReflectiveOperationException {
        Map<Object, Object> map =
                (Map<Object, Object>) remember(described, make(type(described.get("type").getAsString())));
        for (JsonElement entry : described.getAsJsonArray("map")) {
            JsonArray pair = entry.getAsJsonArray();
            map.put(value(pair.get(0)), value(pair.get(1)));
        }
        return map;
    }

    private Object object(JsonObject described) throws ReflectiveOperationException {
        Object object = remember(described, make(type(described.get("object").getAsString())));
        JsonObject fields = described.getAsJsonObject("fields");
        for (String name : fields.keySet()) {
            Field field = field(object.getClass(), name);
            field.setAccessible(true);
            field.set(object, value(fields.get(name)));
        }
        return object;
    }

    private Object remember(JsonObject described, Object container) {
        if (described.has("id")) {
            byId.put(described.get("id").getAsInt(), container);
        }
        return container;
    }

    private static Object make(Class<?> type) throws ReflectiveOperationException {
        try {
            Constructor<?> constructor = type.getDeclaredConstructor();
            constructor.setAccessible(true);
            return constructor.newInstance();
        } catch (NoSuchMethodException expected) {
            // Exceptions of services often have no other constructor.
            return type.getDeclaredConstructor(String.class).newInstance((Object) null);
        }
    }

    private static Field field(Class<?> type, String name) throws NoSuchFieldException {
        for (Class<?> owner = type; owner != null; owner = owner.getSuperclass()) {
            try {
                return owner.getDeclaredField(name);
            } catch (NoSuchFieldException above) {
                continue;
            }
        }
        throw new NoSuchFieldException(type.getName() + "." + name);
    }
}
