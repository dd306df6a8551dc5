package app;

import demo.Catalog;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.dubbo.common.URL;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.ReferenceConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.ServiceConfig;
import org.apache.dubbo.registry.multicast.MulticastRegistry;

/**
 * A member of a multicast group until its standard input ends: {@code MulticastPeer multicast://GROUP:PORT}.
 *
 * <p>Lines of its input are {@code register URL}, {@code unregister URL} and {@code subscribe URL}, which go to the
 * registry itself, {@code provide PORT}, which serves demo.Catalog as any application would, and {@code call GROUP},
 * which calls demo.Catalog of that group and prints {@code COUNTED number}. Each is answered with {@code DONE}. Whatever a
 * subscription is told is printed as {@code NOTIFIED URL URL…}.
 */
public final class MulticastPeer {
    private MulticastPeer() {}

    public static void main(String[] args) throws IOException {
        System.setProperty("dubbo.application.logger", "slf4j");
        MulticastRegistry registry = new MulticastRegistry(URL.valueOf(args[0] + "?file.cache=false"));
        say("READY 0");
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line;
        while ((line = input.readLine()) != null) {
            String[] words = line.split(" ", 2);
            switch (words[0]) {
                case "register":
                    registry.register(URL.valueOf(words[1]));
                    break;
                case "unregister":
                    registry.unregister(URL.valueOf(words[1]));
                    break;
                case "subscribe":
                    registry.subscribe(URL.valueOf(words[1]), MulticastPeer::notified);
                    break;
                case "provide":
                    provide(args[0], Integer.parseInt(words[1]));
                    break;
                case "call":
                    say("COUNTED " + count(args[0], words[1]));
                    break;
                default:
                    throw new IllegalArgumentException(line);
            }
            say("DONE");
        }
        System.exit(0);
    }

    private static void provide(String group, int port) {
        ServiceConfig<Catalog> service = new ServiceConfig<>();
        service.setApplication(application());
        service.setRegistry(registryAt(group));
        service.setProtocol(new ProtocolConfig("dubbo", port));
        service.setInterface(Catalog.class);
        service.setRef(new MemoryCatalog());
        service.setGroup("java");
        service.export();
    }

    private static long count(String group, String serviceGroup) {
        ReferenceConfig<Catalog> reference = new ReferenceConfig<>();
        reference.setApplication(application());
        reference.setRegistry(registryAt(group));
        reference.setInterface(Catalog.class);
        reference.setGroup(serviceGroup);
        reference.setTimeout(5_000);
        reference.setRetries(0);
        long counted = reference.get().count();
        reference.destroy();
        return counted;
    }

    private static ApplicationConfig application() {
        System.setProperty("dubbo.application.register-mode", "interface");
        System.setProperty("dubbo.application.service-discovery.migration", "FORCE_INTERFACE");
        ApplicationConfig application = new ApplicationConfig("multicast-peer");
        application.setQosEnable(false);
        return application;
    }

    /** Of processes on one machine only one would get an answer to the machine. */
    private static RegistryConfig registryAt(String group) {
        RegistryConfig registry = new RegistryConfig(group + "?unicast=false&file.cache=false");
        registry.setUseAsConfigCenter(false);
        registry.setUseAsMetadataCenter(false);
        return registry;
    }

    private static void notified(List<URL> urls) {
        say("NOTIFIED " + urls.stream().map(URL::toFullString).collect(Collectors.joining(" ")));
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
