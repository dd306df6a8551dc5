package app;

import static app.Shown.all;
import static app.Shown.check;

import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.spy.memcached.CASValue;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.MemcachedClient;

/** spymemcached, with its text protocol. */
final class SpyRuns {
    private SpyRuns() {}

    private static MemcachedClient client(int port) throws Exception {
        return new MemcachedClient(
                new ConnectionFactoryBuilder().setOpTimeout(10_000).build(), List.of(new InetSocketAddress("127.0.0.1", port)));
    }

    static void data(int port) throws Exception {
        MemcachedClient client = client(port);
        for (String key : CacheClients.KEYS) {
            client.delete(key).get();
        }
        check("version", () -> client.getVersions().values().iterator().next().split("\\.")[0]);
        check("set", () -> client.set("store:a", 0, CacheClients.TEXT).get());
        check("get", () -> client.get("store:a"));
        check("get nothing", () -> client.get("store:b"));
        check("every byte", () -> all(
                client.set("store:bin", 0, CacheClients.ALL_BYTES).get(),
                Arrays.equals((byte[]) client.get("store:bin"), CacheClients.ALL_BYTES)));
        check("compressed", () -> all(
                client.set("store:long", 0, CacheClients.LONG).get(), CacheClients.LONG.equals(client.get("store:long"))));
        check("types", () -> {
            Object[] found = {7, 1L << 40, true, 2.5, "7", List.of("a", "b")};
            for (int at = 0; at < found.length; at++) {
                client.set("store:x", 0, found[at]).get();
                found[at] = client.get("store:x");
            }
            return all(found);
        });
        check("add", () -> all(client.add("store:a", 0, "2").get(), client.add("store:nx", 0, "3").get()));
        check("replace", () -> all(client.replace("store:b", 0, "2").get(), client.replace("store:nx", 0, "4").get()));
        check("append", () -> all(client.append("store:nx", "5").get(), client.append("store:b", "5").get()));
        check("prepend", () -> all(client.prepend("store:nx", "3").get(), client.get("store:nx")));
        check("many", () -> new TreeMap<>(client.getBulk("store:a", "store:b", "store:nx")));
        check("cas", () -> {
            client.set("store:c", 0, "1").get();
            CASValue<Object> found = client.gets("store:c");
            return all(found.getValue(), client.cas("store:c", found.getCas(), "2"),
                    client.cas("store:c", found.getCas(), "3"), client.get("store:c"));
        });
        check("delete", () -> all(client.delete("store:c").get(), client.delete("store:c").get()));
        check("incr", () -> all(client.set("store:n", 0, "10").get(), client.incr("store:n", 32), client.incr("store:b", 1)));
        check("incr with default", () -> all(client.incr("store:n2", 1, 5), client.incr("store:n2", 1, 5)));
        check("decr", () -> all(client.decr("store:n", 2), client.decr("store:n", 100)));
        check("touch", () -> all(client.touch("store:n", 100).get(), client.touch("store:b", 100).get()));
        check("for a time", () -> all(client.set("store:ex", 100, "1").get(), client.get("store:ex")));
        check("statistics", () -> {
            Map<String, String> statistics = client.getStats().values().iterator().next();
            return statistics.keySet().containsAll(List.of("pid", "uptime", "version", "cmd_get"));
        });
        client.shutdown();
    }

    static void calls(int port) throws Exception {
        MemcachedClient client = client(port);
        ServiceCalls.memcached(client::get);
        client.shutdown();
    }
}
