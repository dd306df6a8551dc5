package app;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * What a peer was answered, a line of JSON for each check: {@code {"check": name, "value": …}}, or {@code "error"} in
 * its place. Bytes are text where they are UTF-8 and {@code hex:…} elsewhere.
 */
final class Shown {
    private static final Gson JSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

    private Shown() {}

    static void run(String name) {
        System.out.println(JSON.toJson(Map.of("run", name)));
    }

    static void check(String name, Callable<?> step) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("check", name);
        try {
            line.put("value", shown(step.call()));
        } catch (Exception trouble) {
            line.put("error", trouble.getClass().getSimpleName() + ": " + trouble.getMessage());
        }
        System.out.println(JSON.toJson(line));
        System.out.flush();
    }

    /** What a step throws, as a value. */
    static Object trouble(Callable<?> step) {
        try {
            return step.call();
        } catch (Exception trouble) {
            return trouble;
        }
    }

    /** Values in turn; unlike {@code List.of} with nulls. */
    static List<Object> all(Object... values) {
        return Arrays.asList(values);
    }

    static Object parsed(String json) {
        return JSON.fromJson(json, Object.class);
    }

    private static Object shown(Object value) {
        if (value instanceof byte[] bytes) {
            try {
                return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            } catch (CharacterCodingException notText) {
                return "hex:" + HexFormat.of().formatHex(bytes);
            }
        }
        if (value instanceof Throwable trouble) {
            return trouble.getMessage();
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> shown = new LinkedHashMap<>();
            map.forEach((key, each) -> shown.put(String.valueOf(shown(key)), shown(each)));
            return shown;
        }
        if (value instanceof Collection<?> all && !all.isEmpty() && all.stream().allMatch(Map.Entry.class::isInstance)) {
            Map<Object, Object> map = new LinkedHashMap<>(); // how Jedis gives one
            all.forEach(each -> map.put(((Map.Entry<?, ?>) each).getKey(), ((Map.Entry<?, ?>) each).getValue()));
            return shown(map);
        }
        if (value instanceof Collection<?> all) {
            List<Object> shown = new ArrayList<>();
            all.forEach(each -> shown.add(shown(each)));
            return shown;
        }
        return value == null || value instanceof Number || value instanceof Boolean ? value : value.toString();
    }
}
