package app;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;

/** Settings of one reference or service: {@code key=value} pairs joined by {@code &}, as in a Dubbo URL. */
final class Options {
    /** Settings that Dubbo's configuration objects have a setter for. */
    private static final Set<String> NAMED = Set.of("protocol", "group", "version", "timeout", "token", "retries", "registry");

    private final Map<String, String> values = new LinkedHashMap<>();

    static Options parse(String text) {
        Options options = new Options();
        for (String pair : text.split("&")) {
            if (!pair.isEmpty()) {
                String[] parts = pair.split("=", 2);
                options.values.put(parts[0], parts.length == 2 ? parts[1] : "true");
            }
        }
        return options;
    }

    /** A copy with more settings, which win over those here. */
    Options with(String text) {
        Options copy = new Options();
        copy.values.putAll(values);
        copy.values.putAll(parse(text).values);
        return copy;
    }

    String get(String key) {
        return values.get(key);
    }

    String get(String key, String otherwise) {
        return values.getOrDefault(key, otherwise);
    }

    /** Settings without a setter, such as {@code heartbeat}. */
    Map<String, String> others() {
        Map<String, String> others = new LinkedHashMap<>(values);
        others.keySet().removeAll(NAMED);
        return others;
    }

    /** All settings as the query of a URL; empty when there are none. */
    String query() {
        StringJoiner query = new StringJoiner("&", "?", "").setEmptyValue("");
        values.forEach((key, value) -> query.add(key + "=" + value));
        return query.toString();
    }
}
