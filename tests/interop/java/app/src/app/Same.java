package app;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Deep equality of what was sent and what came back.
 *
 * <p>Numbers must have the same class. Lists, sets and maps need only be of the same kind. Beans are compared by
 * their fields. -0.0 equals 0.0: hessian-lite itself writes them alike.
 */
final class Same {
    private static final int MAX_TEXT_CHARS = 60;

    private Same() {}

    static boolean equal(Object one, Object other) {
        return difference("", one, other) == null;
    }

    /** Where and how the two differ, in one line; null when they do not. */
    static String difference(String path, Object one, Object other) {
        if (one == other) {
            return null;
        }
        boolean same;
        if (one == null || other == null) {
            same = false;
        } else if (one instanceof Double && other instanceof Double) {
            same = same((Double) one, (Double) other);
        } else if (one instanceof Float && other instanceof Float) {
            same = same((Float) one, (Float) other);
        } else if (one.getClass().isArray() && one.getClass() == other.getClass()) {
            return listDifference(path, items(one), items(other));
        } else if (one instanceof List && other instanceof List) {
            return listDifference(path, (List<?>) one, (List<?>) other);
        } else if (one instanceof Set && other instanceof Set) {
            same = equalSets((Set<?>) one, (Set<?>) other);
        } else if (one instanceof Map && other instanceof Map) {
            return mapDifference(path, (Map<?, ?>) one, (Map<?, ?>) other);
        } else if (one.getClass() == other.getClass() && isBean(one)) {
            return beanDifference(path, fields(one), fields(other));
        } else {
            same = one.equals(other);
        }
        return same ? null : path + (path.isEmpty() ? "" : ": ") + "expected " + text(one) + ", got " + text(other);
    }

    /** A short ASCII form for a report. */
    static String text(Object value) {
        String text = value instanceof String ? "\"" + value + "\"" : String.valueOf(value);
        if (value != null && value.getClass().isArray()) {
            text = items(value).toString();
        } else if (value != null && isBean(value)) {
            text = value.getClass().getSimpleName() + fields(value);
        } else if (value instanceof Number) {
            text = value + " (" + value.getClass().getSimpleName() + ")";
        }
        StringBuilder ascii = new StringBuilder();
        for (int index = 0; index < text.length() && ascii.length() < MAX_TEXT_CHARS; index++) {
            char unit = text.charAt(index);
            ascii.append(unit >= ' ' && unit < 0x7f ? String.valueOf(unit) : String.format("\\u%04x", (int) unit));
        }
        return ascii + (text.length() > MAX_TEXT_CHARS ? "... (" + text.length() + " chars)" : "");
    }

    private static boolean same(double one, double other) {
        return one == other || Double.isNaN(one) && Double.isNaN(other);
    }

    private static boolean equalSets(Set<?> one, Set<?> other) {
        if (one.size() != other.size()) {
            return false;
        }
        for (Object item : one) {
            if (other.stream().noneMatch(candidate -> equal(item, candidate))) {
                return false;
            }
        }
        return true;
    }

    private static String mapDifference(String path, Map<?, ?> one, Map<?, ?> other) {
        if (one.size() != other.size()) {
            return path + ": expected " + one.size() + " entries, got " + other.size();
        }
        for (Map.Entry<?, ?> entry : one.entrySet()) {
            String key = path + "{" + text(entry.getKey()) + "}";
            Map.Entry<?, ?> match = other.entrySet().stream()
                    .filter(candidate -> equal(entry.getKey(), candidate.getKey()))
                    .findFirst()
                    .orElse(null);
            String difference =
                    match == null ? key + " is missing" : difference(key, entry.getValue(), match.getValue());
            if (difference != null) {
                return difference;
            }
        }
        return null;
    }

    private static String listDifference(String path, List<?> one, List<?> other) {
        if (one.size() != other.size()) {
            return path + ": expected " + one.size() + " items, got " + other.size();
        }
        Iterator<?> others = other.iterator();
        int index = 0;
        for (Object item : one) {
            String difference = difference(path + "[" + index++ + "]", item, others.next());
            if (difference != null) {
                return difference;
            }
        }
        return null;
    }

    private static String beanDifference(String path, Map<String, Object> one, Map<String, Object> other) {
        for (Map.Entry<String, Object> field : one.entrySet()) {
            String difference =
                    difference(path + "." + field.getKey(), field.getValue(), other.get(field.getKey()));
            if (difference != null) {
                return difference;
            }
        }
        return null;
    }

    private static List<Object> items(Object array) {
        List<Object> items = new ArrayList<>();
        for (int index = 0; index < Array.getLength(array); index++) {
            items.add(Array.get(array, index));
        }
        return items;
    }

    private static boolean isBean(Object value) {
        Class<?> type = value.getClass();
        return type.getName().startsWith("demo.") && !type.isEnum();
    }

    private static Map<String, Object> fields(Object bean) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (Field field : bean.getClass().getDeclaredFields()) {
            if (!Modifier.isStatic(field.getModifiers())) {
                field.setAccessible(true);
                try {
                    values.put(field.getName(), field.get(bean));
                } catch (IllegalAccessException impossible) {
                    throw new IllegalStateException(impossible);
                }
            }
        }
        return values;
    }
}
