package app;

import com.sun.net.httpserver.HttpServer;
import jakarta.xml.ws.Endpoint;
import jakarta.xml.ws.soap.SOAPBinding;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Serves demo.Catalog, demo.Types and greeting.Greeter by JAX-WS, as SOAP 1.1 and below {@code /1.2} as SOAP 1.2, until
 * its standard input ends. Prints {@code READY <port>}.
 */
public final class SoapProvider {
    private static final int THREADS = 8;

    private SoapProvider() {}

    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        server.setExecutor(threads);
        SoapCatalog catalog = new SoapCatalog();
        SoapTypes types = new SoapTypes();
        for (String prefix : new String[] {"", "/1.2"}) {
            String binding = prefix.isEmpty() ? SOAPBinding.SOAP11HTTP_BINDING : SOAPBinding.SOAP12HTTP_BINDING;
            Endpoint.create(binding, catalog).publish(server.createContext(prefix + "/demo.Catalog"));
            Endpoint.create(binding, types).publish(server.createContext(prefix + "/demo.Types"));
            Endpoint.create(binding, new Greeter()).publish(server.createContext(prefix + "/greeting.Greeter"));
        }
        server.start();
        System.out.println("READY " + server.getAddress().getPort());
        System.out.flush();
        while (System.in.read() >= 0) {
            continue; // only the end of the input matters
        }
        System.exit(0);
    }
}
