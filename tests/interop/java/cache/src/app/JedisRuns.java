package app;

import static app.CacheClients.isBetween;
import static app.Shown.all;
import static app.Shown.check;
import static app.Shown.trouble;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.Response;
import redis.clients.jedis.Transaction;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.params.SetParams;

/** Jedis. */
final class JedisRuns {
    private JedisRuns() {}

    private static Jedis client(int port, boolean three, String password) {
        RedisProtocol protocol = three ? RedisProtocol.RESP3 : RedisProtocol.RESP2;
        return new Jedis(
                new HostAndPort("127.0.0.1", port),
                DefaultJedisClientConfig.builder()
                        .clientName("peer").password(password).protocol(protocol).timeoutMillis(10_000).build());
    }

    static void data(int port, boolean three) {
        try (Jedis redis = client(port, three, CacheClients.PASSWORD)) {
            redis.del(CacheClients.KEYS.toArray(String[]::new));
            strings(redis);
            numbersAndTimes(redis);
            together(redis);
        }
    }

    private static void strings(Jedis redis) {
        byte[] binary = "store:bin".getBytes(StandardCharsets.UTF_8);
        check("ping", redis::ping);
        check("echo", () -> redis.echo("茶 \r\n"));
        check("name", redis::clientGetname);
        check("info", () -> redis.info("server").contains("redis_version:7."));
        check("time", () -> redis.time().size());
        check("set", () -> redis.set("store:a", CacheClients.TEXT));
        check("get", () -> redis.get("store:a"));
        check("get nothing", () -> redis.get("store:b"));
        check("every byte", () ->
                all(redis.set(binary, CacheClients.ALL_BYTES), Arrays.equals(redis.get(binary), CacheClients.ALL_BYTES)));
        check("long", () ->
                all(redis.set("store:long", CacheClients.LONG), redis.get("store:long").equals(CacheClients.LONG)));
        check("only new", () ->
                all(redis.set("store:a", "2", new SetParams().nx()), redis.set("store:nx", "2", new SetParams().nx().ex(100))));
        check("only old", () ->
                all(redis.set("store:b", "2", new SetParams().xx()), redis.set("store:nx", "3", new SetParams().xx())));
        check("set and get", () -> all(redis.setGet("store:c", "5"), redis.setGet("store:c", "6")));
        check("getdel", () -> all(redis.getDel("store:c"), redis.getDel("store:c")));
        check("mget", () -> redis.mget("store:a", "store:b", "store:nx"));
        check("append", () -> all(redis.append("store:app", "Hello"), redis.append("store:app", " 茶")));
        check("exists", () -> redis.exists("store:a", "store:b", "store:a"));
        check("del", () -> redis.del("store:a", "store:b", "store:nx"));
        check("unlink", () -> redis.unlink("store:app"));
    }

    private static void numbersAndTimes(Jedis redis) {
        check("incr", () -> all(redis.incr("store:n"), redis.incrBy("store:n", 41)));
        check("decr", () -> all(redis.decr("store:n"), redis.decrBy("store:n", 50)));
        check("of a text", () -> all(redis.set("store:t", "text"), trouble(() -> redis.incr("store:t"))));
        check("for a time", () ->
                all(redis.set("store:ex", "1", new SetParams().ex(100)), isBetween(90, redis.ttl("store:ex"), 100)));
        check("in milliseconds", () ->
                all(redis.set("store:ex", "1", new SetParams().px(90_000)), isBetween(80_000, redis.pttl("store:ex"), 90_000)));
        check("persist", () -> all(redis.persist("store:ex"), redis.ttl("store:ex"), redis.ttl("store:b")));
        check("expire", () -> all(redis.expire("store:ex", 50), isBetween(40, redis.ttl("store:ex"), 50)));
    }

    private static void together(Jedis redis) {
        check("pipeline", () -> {
            List<Response<String>> found = new ArrayList<>();
            Pipeline pipeline = redis.pipelined();
            for (int number = 0; number < 100; number++) {
                pipeline.set("store:x", "" + number);
                found.add(pipeline.get("store:x"));
            }
            pipeline.sync();
            for (int number = 0; number < 100; number++) {
                if (!found.get(number).get().equals("" + number)) {
                    return found.get(number).get();
                }
            }
            return true;
        });
        check("transaction", () -> {
            Transaction transaction = redis.multi();
            transaction.set("store:tx1", "1");
            transaction.incrBy("store:tx1", 4);
            transaction.get("store:b");
            return transaction.exec();
        });
        check("discarded", () -> {
            Transaction transaction = redis.multi();
            transaction.set("store:tx1", "9");
            return all(transaction.discard(), redis.get("store:tx1"));
        });
        check("watched", () -> redis.watch("store:tx1"));
        check("scan", () -> {
            redis.set("store:scan:1", "1");
            redis.set("store:scan:2", "2");
            List<String> found = new ArrayList<>();
            String cursor = ScanParams.SCAN_POINTER_START;
            do {
                var some = redis.scan(cursor, new ScanParams().match("store:scan:*").count(100));
                found.addAll(some.getResult());
                cursor = some.getCursor();
            } while (!cursor.equals(ScanParams.SCAN_POINTER_START));
            found.sort(null);
            return found;
        });
        check("unknown command", () -> trouble(() -> redis.sendCommand(() -> "NOSUCH".getBytes(), "a")));
    }

    static void calls(int port, boolean three) {
        try (Jedis redis = client(port, three, null)) {
            ServiceCalls.redis((command, arguments) ->
                    redis.sendCommand(() -> command.getBytes(StandardCharsets.UTF_8), arguments));
        }
    }
}
