package oracle;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.ZoneId;
import java.time.temporal.TemporalAccessor;
import java.time.temporal.TemporalAmount;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Calendar;
import java.util.Collection;
import java.util.Collections;
import java.util.Date;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/**
 * Writes Java values in the value notation of {@code tests/wire/hessian/README.md}.
 *
 * <p>A list, map or object that is met more than once gets an {@code id} where it is met first and is a
 * {@code $ref} afterwards; ids count from 0 over one call of {@link #all}.
 */
final class Describe {
    /** Containers of the whole stream; the value tells whether one was met again. */
    private final Map<Object, Boolean> met = new IdentityHashMap<>();

    private final Map<Object, Integer> ids = new IdentityHashMap<>();

    private Describe() {}

    /** Describes the values of one stream, with identities shared between them. */
    static JsonArray all(List<?> values) {
        Describe describe = new Describe();
        for (Object value : values) {
            describe.find(value);
        }
        JsonArray described = new JsonArray();
        for (Object value : values) {
            described.add(describe.value(value));
        }
        return described;
    }

    private void find(Object value) {
        if (!isContainer(value)) {
            return;
        }
        if (met.containsKey(value)) {
            met.put(value, true);
            return;
        }
        met.put(value, false);
        for (Object child : children(value)) {
            find(child);
        }
    }

    private JsonElement value(Object value) {
        if (value == null) {
            return JsonNull.INSTANCE;
        }
        if (isContainer(value)) {
            return container(value);
        }
        if (value instanceof Boolean bool) {
            return new JsonPrimitive(bool);
        }
        if (value instanceof Integer number) {
            return new JsonPrimitive(number);
        }
        if (value instanceof String text) {
            return new JsonPrimitive(text);
        }
        return scalar(value);
    }

    private static JsonObject scalar(Object value) {
        if (value instanceof Byte || value instanceof Short || value instanceof Long) {
            String key = value.getClass().getSimpleName().toLowerCase(Locale.ROOT);
            return pair(key, new JsonPrimitive((Number) value));
        }
        if (value instanceof Float || value instanceof Double) {
            String key = value.getClass().getSimpleName().toLowerCase(Locale.ROOT);
            return pair(key, new JsonPrimitive(value.toString()));
        }
        if (value instanceof Character character) {
            return pair("char", new JsonPrimitive(character.toString()));
        }
        if (value instanceof char[] characters) {
            return pair("chars", new JsonPrimitive(new String(characters)));
        }
        if (value instanceof byte[] bytes) {
            return pair("bytes", new JsonPrimitive(HexFormat.of().formatHex(bytes)));
        }
        if (value instanceof BigInteger) {
            return pair("bigint", new JsonPrimitive(value.toString()));
        }
        if (value instanceof BigDecimal) {
            return pair("decimal", new JsonPrimitive(value.toString()));
        }
        if (value instanceof Class<?> type) {
            return pair("class", new JsonPrimitive(type.getName()));
        }
        if (value instanceof Enum<?> constant) {
            JsonObject described = pair("enum", new JsonPrimitive(constant.getDeclaringClass().getName()));
            described.addProperty("name", constant.name());
            return described;
        }
        if (value instanceof Date date) {
            JsonObject described = pair("date", new JsonPrimitive(date.getTime()));
            if (value.getClass() != Date.class) {
                described.addProperty("type", value.getClass().getName());
            }
            return described;
        }
        if (value instanceof Calendar calendar) {
            return typed(pair("calendar", new JsonPrimitive(calendar.getTimeInMillis())), value);
        }
        if (value instanceof BitSet bits) {
            JsonArray set = new JsonArray();
            bits.stream().forEach(set::add);
            return pair("bits", set);
        }
        return typed(pair("text", new JsonPrimitive(value.toString())), value);
    }

    private JsonObject container(Object value) {
        JsonObject described = new JsonObject();
        Integer id = ids.get(value);
        if (id != null) {
            described.addProperty("$ref", id);
            return described;
        }
        if (met.get(value)) {
            described.addProperty("id", ids.size());
            ids.put(value, ids.size());
        }
        if (value instanceof Map<?, ?> map) {
            JsonArray entries = new JsonArray();
            map.forEach((key, item) -> {
                JsonArray entry = new JsonArray();
                entry.add(value(key));
                entry.add(value(item));
                entries.add(entry);
            });
            described.add("map", entries);
            return typed(described, value);
        }
        if (value instanceof Collection || value.getClass().isArray()) {
            JsonArray items = new JsonArray();
            for (Object item : children(value)) {
                items.add(value(item));
            }
            described.add("list", items);
            return typed(described, value);
        }
        JsonObject fields = new JsonObject();
        fields(value).forEach((name, item) -> fields.add(name, value(item)));
        described.addProperty("object", value.getClass().getName());
        described.add("fields", fields);
        return described;
    }

    private static boolean isContainer(Object value) {
        if (value == null || value instanceof byte[] || value instanceof char[]) {
            return false;
        }
        if (value instanceof Collection || value instanceof Map || value.getClass().isArray()) {
            return true;
        }
        return !isScalar(value);
    }

    private static boolean isScalar(Object value) {
        return value instanceof String
                || value instanceof Number
                || value instanceof Boolean
                || value instanceof Character
                || value instanceof Date
                || value instanceof Calendar
                || value instanceof BitSet
                || value instanceof Enum
                || value instanceof Class
                || value instanceof UUID
                || value instanceof Locale
                || value instanceof TemporalAccessor
                || value instanceof TemporalAmount
                || value instanceof ZoneId;
    }

    private static List<Object> children(Object value) {
        List<Object> children = new ArrayList<>();
        if (value instanceof Map<?, ?> map) {
            map.forEach((key, item) -> Collections.addAll(children, key, item));
        } else if (value instanceof Collection<?> items) {
            children.addAll(items);
        } else if (value.getClass().isArray()) {
            for (int index = 0; index < Array.getLength(value); index++) {
                children.add(Array.get(value, index));
            }
        } else {
            children.addAll(fields(value).values());
        }
        return children;
    }

    /** The serialized fields by name; a subclass's field hides one of the same name above it. */
    private static Map<String, Object> fields(Object value) {
        if (value instanceof Throwable throwable) {
            throwable.getStackTrace(); // the field read below is filled lazily
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        for (Class<?> type = value.getClass(); type != null; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                if ((field.getModifiers() & (Modifier.STATIC | Modifier.TRANSIENT)) != 0
                        || fields.containsKey(field.getName())) {
                    continue;
                }
                field.setAccessible(true);
                try {
                    fields.put(field.getName(), field.get(value));
                } catch (IllegalAccessException impossible) {
                    throw new IllegalStateException(impossible);
                }
            }
        }
        return fields;
    }

    private static JsonObject pair(String key, JsonElement value) {
        JsonObject described = new JsonObject();
        described.add(key, value);
        return described;
    }

    private static JsonObject typed(JsonObject described, Object value) {
        described.addProperty("type", value.getClass().getTypeName());
        return described;
    }
}
