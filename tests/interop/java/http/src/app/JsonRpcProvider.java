package app;

import com.googlecode.jsonrpc4j.JsonRpcBasicServer;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import demo.Catalog;
import demo.Types;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Serves demo.Catalog and demo.Types with jsonrpc4j on the JDK's own HTTP server, under Java's names at
 * {@code /demo.Catalog} and {@code /demo.Types}, until its standard input ends. Prints {@code READY <port>}.
 */
public final class JsonRpcProvider {
    private static final int THREADS = 16;
    private static final int OK = 200;

    private JsonRpcProvider() {}

    public static void main(String[] args) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        server.setExecutor(threads);
        serve(server, Catalog.class, new MemoryCatalog());
        serve(server, Types.class, EchoTypes.make(key -> null));
        server.start();
        System.out.println("READY " + server.getAddress().getPort());
        System.out.flush();
        while (System.in.read() >= 0) {
            continue; // only the end of the input matters
        }
        server.stop(0);
        threads.shutdownNow();
    }

    private static <T> void serve(HttpServer server, Class<T> type, T implementation) {
        JsonRpcBasicServer service = new JsonRpcBasicServer(Jackson.javaNames(), implementation, type);
        server.createContext("/" + type.getName(), exchange -> answer(exchange, service));
    }

    private static void answer(HttpExchange exchange, JsonRpcBasicServer service) throws IOException {
        try (exchange) {
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            service.handleRequest(exchange.getRequestBody(), answer);
            exchange.getResponseHeaders().set("Content-Type", "application/json-rpc");
            exchange.sendResponseHeaders(OK, answer.size() == 0 ? -1 : answer.size());
            exchange.getResponseBody().write(answer.toByteArray());
        }
    }
}
