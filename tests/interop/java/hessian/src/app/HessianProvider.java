package app;

import com.caucho.hessian.server.HessianServlet;
import demo.Catalog;
import demo.Types;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;

/**
 * Serves demo.Catalog and demo.Types as Caucho's servlet in Jetty, at {@code /demo.Catalog} and {@code /demo.Types},
 * until its standard input ends. Prints {@code READY <port>}.
 */
public final class HessianProvider {
    private HessianProvider() {}

    public static void main(String[] args) throws Exception {
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        ServletContextHandler context = new ServletContextHandler();
        context.addServlet(servlet(Catalog.class, new MemoryCatalog()), "/demo.Catalog");
        context.addServlet(servlet(Types.class, EchoTypes.make(key -> null)), "/demo.Types");
        server.setHandler(context);
        server.start();
        System.out.println("READY " + connector.getLocalPort());
        System.out.flush();
        while (System.in.read() >= 0) {
            continue; // only the end of the input matters
        }
        server.stop();
        System.exit(0);
    }

    private static ServletHolder servlet(Class<?> type, Object implementation) {
        HessianServlet servlet = new HessianServlet();
        servlet.setHome(implementation);
        servlet.setHomeAPI(type);
        return new ServletHolder(servlet);
    }
}
