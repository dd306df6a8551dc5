package app;

import demo.Maker;
import demo.Types;
import demo.TypesFailure;
import java.lang.reflect.Proxy;

/** A demo.Types that gives back what it is given. */
final class ThriftTypes {
    private ThriftTypes() {}

    static Types.Iface make() {
        return (Types.Iface) Proxy.newProxyInstance(
                Types.class.getClassLoader(), new Class<?>[] {Types.Iface.class}, (proxy, method, arguments) -> {
                    switch (method.getName()) {
                        case "fail_declared":
                            throw new TypesFailure(42)
                                    .setMessage((String) arguments[0])
                                    .setCulprit(new Maker("Acme").setCountry("US"));
                        case "fail_undeclared":
                            throw new IllegalStateException((String) arguments[0]);
                        case "echo_nothing":
                        case "echo_attachments":
                            return null;
                        default:
                            return arguments[0];
                    }
                });
    }
}
