package app;

import static app.Shown.all;
import static app.Shown.check;
import static app.Shown.trouble;

import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import net.rubyeye.xmemcached.GetsResponse;
import net.rubyeye.xmemcached.MemcachedClient;
import net.rubyeye.xmemcached.XMemcachedClientBuilder;

/** XMemcached, with its text protocol. */
final class XmemcachedRuns {
    private XmemcachedRuns() {}

    private static MemcachedClient client(int port) throws Exception {
        MemcachedClient client = new XMemcachedClientBuilder("127.0.0.1:" + port).build();
        client.setOpTimeout(10_000);
        return client;
    }

    static void data(int port) throws Exception {
        MemcachedClient client = client(port);
        for (String key : CacheClients.KEYS) {
            client.delete(key);
        }
        check("version", () -> client.getVersions().values().iterator().next().split("\\.")[0]);
        check("set", () -> client.set("store:a", 0, CacheClients.TEXT));
        check("get", () -> client.get("store:a"));
        check("get nothing", () -> client.get("store:b"));
        check("every byte", () -> all(
                client.set("store:bin", 0, CacheClients.ALL_BYTES),
                Arrays.equals((byte[]) client.get("store:bin"), CacheClients.ALL_BYTES)));
        check("compressed", () -> all(
                client.set("store:long", 0, CacheClients.LONG), CacheClients.LONG.equals(client.get("store:long"))));
        check("types", () -> {
            Object[] found = {7, 1L << 40, true, 2.5, "7", List.of("a", "b")};
            for (int at = 0; at < found.length; at++) {
                client.set("store:x", 0, found[at]);
                found[at] = client.get("store:x");
            }
            return all(found);
        });
        check("add", () -> all(client.add("store:a", 0, "2"), client.add("store:nx", 0, "3")));
        check("replace", () -> all(client.replace("store:b", 0, "2"), client.replace("store:nx", 0, "4")));
        check("append", () -> all(client.append("store:nx", "5"), client.append("store:b", "5")));
        check("prepend", () -> all(client.prepend("store:nx", "3"), client.get("store:nx")));
        check("many", () -> new TreeMap<>(client.get(List.of("store:a", "store:b", "store:nx"))));
        check("cas", () -> {
            client.set("store:c", 0, "1");
            GetsResponse<Object> found = client.gets("store:c");
            return all(found.getValue(), client.cas("store:c", 0, "2", found.getCas()),
                    client.cas("store:c", 0, "3", found.getCas()), client.get("store:c"));
        });
        check("delete", () -> all(client.delete("store:c"), client.delete("store:c")));
        check("incr", () -> all(client.set("store:n", 0, "10"), client.incr("store:n", 32)));
        check("incr with default", () -> all(client.incr("store:n2", 1, 5), client.incr("store:n2", 1, 5)));
        check("decr", () -> all(client.decr("store:n", 2), client.decr("store:n", 100)));
        check("of a text", () -> all(client.set("store:t", 0, "text"), trouble(() -> client.incr("store:t", 1))));
        check("touch", () -> all(client.touch("store:n", 100), client.touch("store:b", 100)));
        check("for a time", () -> all(client.set("store:ex", 100, "1"), client.get("store:ex")));
        check("no reply", () -> {
            client.setWithNoReply("store:x", 0, "quiet");
            return client.get("store:x");
        });
        check("statistics", () -> {
            var statistics = client.getStats().values().iterator().next();
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
