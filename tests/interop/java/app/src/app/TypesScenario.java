package app;

import demo.Everything;
import demo.Types;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

/** Sends the edge values of every type through the echo method of that type. */
final class TypesScenario {
    private TypesScenario() {}

    static void run(Session session) {
        Types types = session.refer(Types.class);
        echoes(method -> {
            Type type = method.getGenericParameterTypes()[0];
            List<Object> values = type == Object.class ? Edges.anything() : Edges.of(type);
            for (int index = 0; index < values.size(); index++) {
                Object value = values.get(index);
                String name = method.getName() + " #" + index + " " + Same.text(value);
                session.checks.same(name, value, () -> call(method, types, value));
            }
        });
        Everything blank = new Everything();
        session.checks.same("echoEverything with unset fields", blank, () -> types.echoEverything(blank));
    }

    /** Null where the declared type allows it in Java; a peer's contract may be stricter. */
    static void runNulls(Session session) {
        Types types = session.refer(Types.class);
        echoes(method -> {
            if (!method.getParameterTypes()[0].isPrimitive()) {
                session.checks.same(method.getName() + " null", null, () -> call(method, types, null));
            }
        });
    }

    private static void echoes(Consumer<Method> action) {
        Arrays.stream(Types.class.getMethods())
                .filter(method -> method.getName().startsWith("echo") && method.getParameterCount() == 1)
                .filter(method -> !method.getName().equals("echoAttachments"))
                .sorted(Comparator.comparing(Method::getName))
                .forEach(action);
    }

    private static Object call(Method method, Types types, Object value) throws Throwable {
        try {
            return method.invoke(types, value);
        } catch (InvocationTargetException raised) {
            throw raised.getCause();
        }
    }
}
