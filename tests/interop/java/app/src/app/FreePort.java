package app;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** Ports for Dubbo, which binds them only later. */
final class FreePort {
    private static final int FIRST = 21_000;
    private static final int LAST = 32_000;

    private FreePort() {}

    /**
     * A port below those that systems give to outgoing connections and to port 0: one of those may be taken by the time
     * that it is bound.
     */
    static int find() throws IOException {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(FIRST, LAST);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.1"))) {
                return socket.getLocalPort();
            } catch (BindException taken) {
                continue;
            }
        }
    }
}
