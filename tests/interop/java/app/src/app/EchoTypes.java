package app;

import demo.Maker;
import demo.Types;
import demo.TypesFailure;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.function.UnaryOperator;

/** Implements demo.Types, whatever echo methods it has. */
final class EchoTypes implements InvocationHandler {
    static final int FAILURE_CODE = 42;

    private final UnaryOperator<String> attachments;

    private EchoTypes(UnaryOperator<String> attachments) {
        this.attachments = attachments;
    }

    /** @param attachments gives, and sends back, the attachment with a key; null when there is none */
    static Types make(UnaryOperator<String> attachments) {
        Class<?>[] types = {Types.class};
        return (Types) Proxy.newProxyInstance(Types.class.getClassLoader(), types, new EchoTypes(attachments));
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
        switch (method.getName()) {
            case "echoAttachments":
                return attachments.apply((String) arguments[0]);
            case "failDeclared":
                TypesFailure failure = new TypesFailure((String) arguments[0]);
                failure.setCode(FAILURE_CODE);
                Maker culprit = new Maker();
                culprit.setName("culprit");
                failure.setCulprit(culprit);
                throw failure;
            case "failUndeclared":
                throw new IllegalStateException((String) arguments[0]);
            case "toString":
                return "EchoTypes";
            case "hashCode":
                return System.identityHashCode(proxy);
            case "equals":
                return proxy == arguments[0];
            default:
                return arguments == null ? null : arguments[0];
        }
    }
}
