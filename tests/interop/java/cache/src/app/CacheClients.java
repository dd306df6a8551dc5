package app;

import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Uses a store under {@code store:} and services; arguments {@code NAME:PORT}, of the runs below. */
public final class CacheClients {
    static final List<String> KEYS = List.of(
            "store:a", "store:b", "store:c", "store:n", "store:n2", "store:t", "store:x", "store:bin", "store:long",
            "store:app", "store:ex", "store:nx", "store:tx1", "store:scan:1", "store:scan:2");
    /** Of redis servers with data; calls of methods need none. */
    static final String PASSWORD = "open sesame";
    static final byte[] ALL_BYTES = allBytes();
    static final String LONG = "0123456789abcdef".repeat(8192);
    static final String TEXT = "1 Grüße 茶";

    private static final Map<String, Run> RUNS = Map.of(
            "jedis, RESP2:data", port -> JedisRuns.data(port, false),
            "jedis, RESP3:data", port -> JedisRuns.data(port, true),
            "jedis, RESP2:calls", port -> JedisRuns.calls(port, false),
            "jedis, RESP3:calls", port -> JedisRuns.calls(port, true),
            "lettuce:data", LettuceRuns::data,
            "lettuce:calls", LettuceRuns::calls,
            "spymemcached:data", SpyRuns::data,
            "spymemcached:calls", SpyRuns::calls,
            "xmemcached:data", XmemcachedRuns::data,
            "xmemcached:calls", XmemcachedRuns::calls);

    private CacheClients() {}

    /** One library against one server. */
    @FunctionalInterface
    interface Run {
        void with(int port) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        System.setProperty("net.spy.log.LoggerImpl", "net.spy.memcached.compat.log.SunLogger");
        Logger.getLogger("net.spy").setLevel(Level.OFF);
        for (String argument : arguments) {
            int at = argument.lastIndexOf(':');
            Shown.run(argument.substring(0, at));
            RUNS.get(argument.substring(0, at)).with(Integer.parseInt(argument.substring(at + 1)));
        }
        System.exit(0); // threads of the libraries may still be there
    }

    static boolean isBetween(long low, long value, long high) {
        return low < value && value <= high;
    }

    private static byte[] allBytes() {
        byte[] all = new byte[256];
        for (int at = 0; at < all.length; at++) {
            all[at] = (byte) at;
        }
        return all;
    }
}
