package bench;

import java.io.IOException;
import java.net.ServerSocket;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.ServiceConfig;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;

/**
 * Serves {@link Echo} over dubbo:// on a free port of 127.0.0.1 with the defaults of Dubbo but for a queue, prints
 * {@code LISTENING 127.0.0.1:<port>}, and ends when its standard input does.
 */
public final class Provider {
    private static final int QUEUE = 4096;

    private Provider() {}

    public static void main(String[] args) throws IOException {
        int port = freePort();
        ApplicationConfig application = new ApplicationConfig("bench-java-dubbo");
        application.setQosEnable(false);

        ProtocolConfig protocol = new ProtocolConfig("dubbo", port);
        protocol.setHost("127.0.0.1");
        protocol.setSerialization("hessian2");
        // Without a queue, requests beyond the 200 threads are refused. It is longer than the 1,024 requests that are
        // ever under way, because a reply, and with it the next request, overtakes the thread that returns to the pool.
        protocol.setQueues(QUEUE);

        ServiceConfig<Echo> service = new ServiceConfig<>();
        service.setInterface(Echo.class);
        service.setRef(new Service());

        DubboBootstrap.getInstance()
                .application(application)
                .registry(new RegistryConfig("N/A"))
                .protocol(protocol)
                .service(service)
                .start();
        System.out.println("LISTENING 127.0.0.1:" + port);
        while (System.in.read() >= 0) {
            // Nothing is said there; its end means that nobody needs this process any more.
        }
        System.exit(0);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static final class Service implements Echo {
        @Override
        public String echo(String text) {
            return text;
        }

        @Override
        public Pojo echoPojo(Pojo pojo) {
            return pojo;
        }
    }
}
