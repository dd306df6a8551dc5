package app;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.ArgumentConfig;
import org.apache.dubbo.config.MethodConfig;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.ReferenceConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.ServiceConfig;
import org.apache.dubbo.rpc.RpcContext;
import org.apache.dubbo.rpc.RpcException;
import org.apache.dubbo.rpc.service.EchoService;
import org.apache.dubbo.rpc.service.GenericService;

/**
 * All that this application needs of Dubbo, through its programmatic API: no Spring, no QoS port, and a
 * registry only where the option {@code registry} gives its address.
 *
 * <p>The file is compiled as it is against Dubbo 2.7 and 3.3. For 2.6, build.sh replaces the package prefix.
 */
final class Dubbo {
    /**
     * The loopback address in a form that Dubbo does not recognise: it takes 127.0.0.1 and localhost for mistakes,
     * binds to all addresses instead, and connects to the machine's first other address.
     */
    private static final String LOOPBACK = "2130706433";

    private static final ApplicationConfig APPLICATION = application();

    private final List<Runnable> closers = new ArrayList<>();

    private static ApplicationConfig application() {
        System.setProperty("dubbo.application.logger", "slf4j");
        // Otherwise Dubbo 3 opens a second port, for everybody, to describe its services.
        System.getProperties().putIfAbsent("dubbo.application.register-mode", "interface");
        // A provider that ends otherwise waits ten seconds for its consumers to leave.
        System.setProperty("dubbo.service.shutdown.wait", "200");
        ApplicationConfig application = new ApplicationConfig("interop");
        application.setQosEnable(false);
        return application;
    }

    /** Makes a service callable at 127.0.0.1; all services of a process share one port. */
    <T> void export(Class<T> type, T implementation, int port, Options options) {
        ProtocolConfig protocol = new ProtocolConfig(options.get("protocol", "dubbo"), port);
        protocol.setHost(LOOPBACK);
        protocol.setContextpath(options.get("contextpath"));
        ServiceConfig<T> service = new ServiceConfig<>();
        service.setApplication(APPLICATION);
        service.setRegistry(registry(options));
        service.setProtocol(protocol);
        service.setInterface(type);
        service.setRef(implementation);
        service.setGroup(options.get("group"));
        service.setVersion(options.get("version"));
        service.setToken(options.get("token"));
        service.setParameters(options.others());
        service.export();
        closers.add(service::unexport);
    }

    /**
     * A typed proxy for a service at fixed addresses.
     *
     * @param peers addresses such as {@code dubbo://127.0.0.1:20880}
     * @param oneway methods whose answer is not waited for
     */
    <T> T refer(Class<T> type, List<String> peers, Options options, String... oneway) {
        ReferenceConfig<T> reference = reference(type.getName(), peers, options);
        reference.setInterface(type);
        List<MethodConfig> methods = new ArrayList<>();
        for (String name : oneway) {
            MethodConfig method = new MethodConfig();
            method.setName(name);
            method.setReturn(false);
            methods.add(method);
        }
        methods.addAll(callbacks(options));
        if (!methods.isEmpty()) {
            reference.setMethods(methods);
        }
        return reference.get();
    }

    /** Arguments that are callbacks, as configuration objects say it: {@code build.3.callback=true}. */
    private static List<MethodConfig> callbacks(Options options) {
        List<MethodConfig> methods = new ArrayList<>();
        options.others().forEach((key, value) -> {
            String[] parts = key.split("\\.");
            if (parts.length == 3 && parts[2].equals("callback")) {
                ArgumentConfig argument = new ArgumentConfig();
                argument.setIndex(Integer.valueOf(parts[1]));
                argument.setCallback(Boolean.valueOf(value));
                MethodConfig method = new MethodConfig();
                method.setName(parts[0]);
                method.setArguments(List.of(argument));
                methods.add(method);
            }
        });
        return methods;
    }

    /** An untyped proxy: it needs no class of the interface. */
    Generic generic(String type, List<String> peers, Options options) {
        ReferenceConfig<GenericService> reference = reference(type, peers, options);
        reference.setInterface(type);
        reference.setGeneric("true");
        return reference.get()::$invoke;
    }

    private <T> ReferenceConfig<T> reference(String type, List<String> peers, Options options) {
        ReferenceConfig<T> reference = new ReferenceConfig<>();
        reference.setApplication(APPLICATION);
        reference.setRegistry(registry(options));
        if (options.get("registry") == null) {
            List<String> urls = new ArrayList<>();
            for (String peer : peers) {
                urls.add(peer.replace("127.0.0.1", LOOPBACK) + "/" + type + options.query());
            }
            reference.setUrl(String.join(";", urls));
        }
        reference.setGroup(options.get("group"));
        reference.setVersion(options.get("version"));
        reference.setTimeout(Integer.valueOf(options.get("timeout", "10000")));
        reference.setRetries(Integer.valueOf(options.get("retries", "0")));
        reference.setCheck(false);
        reference.setParameters(options.others());
        closers.add(reference::destroy);
        return reference;
    }

    private static RegistryConfig registry(Options options) {
        RegistryConfig registry = new RegistryConfig(options.get("registry", "N/A"));
        registry.setCheck(false);
        return registry;
    }

    /** Asks the peer itself, not the service, to send the value back. */
    static Object echo(Object proxy, Object value) {
        return ((EchoService) proxy).$echo(value);
    }

    /** Sends an attachment along with the next call of this thread. */
    static void attach(String key, String value) {
        RpcContext.getContext().setAttachment(key, value);
    }

    /** In a service: an attachment of the call being served. */
    static String attachment(String key) {
        return RpcContext.getContext().getAttachment(key);
    }

    /** In a service: sends an attachment back with the answer. */
    static void reply(String key, String value) {
        RpcContext.getServerContext().setAttachment(key, value);
    }

    /** In a client: an attachment that came with the last answer to this thread. */
    static String replied(String key) {
        return RpcContext.getServerContext().getAttachment(key);
    }

    /** Dubbo's error code when the framework, not the service, failed; otherwise null. */
    static Integer code(Throwable trouble) {
        return trouble instanceof RpcException ? ((RpcException) trouble).getCode() : null;
    }

    /**
     * Class and message of the service's exception behind a failed generic call; empty for other trouble.
     *
     * <p>By reflection, because Dubbo 2.7 raises the GenericException of the older package.
     */
    static Map<String, String> genericCause(Throwable trouble) {
        if (!trouble.getClass().getSimpleName().equals("GenericException")) {
            return Map.of();
        }
        Map<String, String> cause = new HashMap<>();
        try {
            Class<?> type = trouble.getClass();
            cause.put("class", (String) type.getMethod("getExceptionClass").invoke(trouble));
            cause.put("message", (String) type.getMethod("getExceptionMessage").invoke(trouble));
        } catch (ReflectiveOperationException impossible) {
            throw new IllegalStateException(impossible);
        }
        return cause;
    }

    void close() {
        closers.forEach(Runnable::run);
    }

    /** The one method of Dubbo's GenericService. */
    @FunctionalInterface
    interface Generic {
        Object invoke(String method, String[] parameterTypes, Object[] arguments);
    }
}
