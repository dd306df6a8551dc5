package app;

import static app.CacheClients.isBetween;
import static app.Shown.all;
import static app.Shown.check;
import static app.Shown.trouble;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanIterator;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.output.BooleanOutput;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.DoubleOutput;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.output.ObjectOutput;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.output.ValueOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.ProtocolKeyword;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Lettuce, which speaks RESP3. */
final class LettuceRuns {
    private LettuceRuns() {}

    private static RedisURI.Builder address(int port) {
        return RedisURI.builder().withHost("127.0.0.1").withPort(port)
                .withClientName("peer").withTimeout(Duration.ofSeconds(10));
    }

    static void data(int port) {
        RedisClient client = RedisClient.create(address(port).withPassword(CacheClients.PASSWORD.toCharArray()).build());
        try (StatefulRedisConnection<String, String> connection = client.connect();
                StatefulRedisConnection<byte[], byte[]> binary = client.connect(ByteArrayCodec.INSTANCE)) {
            RedisCommands<String, String> redis = connection.sync();
            redis.del(CacheClients.KEYS.toArray(String[]::new));
            strings(redis);
            byte[] key = "store:bin".getBytes(StandardCharsets.UTF_8);
            check("every byte", () -> all(
                    binary.sync().set(key, CacheClients.ALL_BYTES),
                    Arrays.equals(binary.sync().get(key), CacheClients.ALL_BYTES)));
            numbersAndTimes(redis);
            together(redis, connection);
        } finally {
            client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
        }
    }

    private static void strings(RedisCommands<String, String> redis) {
        check("ping", redis::ping);
        check("echo", () -> redis.echo("茶 \r\n"));
        check("name", redis::clientGetname);
        check("info", () -> redis.info("server").contains("redis_version:7."));
        check("set", () -> redis.set("store:a", CacheClients.TEXT));
        check("get", () -> redis.get("store:a"));
        check("get nothing", () -> redis.get("store:b"));
        check("long", () ->
                all(redis.set("store:long", CacheClients.LONG), redis.get("store:long").equals(CacheClients.LONG)));
        check("only new", () -> all(
                redis.set("store:a", "2", SetArgs.Builder.nx()), redis.set("store:nx", "2", SetArgs.Builder.nx().ex(100))));
        check("only old", () -> all(
                redis.set("store:b", "2", SetArgs.Builder.xx()), redis.set("store:nx", "3", SetArgs.Builder.xx())));
        check("set and get", () -> all(redis.setGet("store:c", "5"), redis.setGet("store:c", "6")));
        check("getdel", () -> all(redis.getdel("store:c"), redis.getdel("store:c")));
        check("mget", () ->
                redis.mget("store:a", "store:b", "store:nx").stream().map(each -> each.getValueOrElse("nothing")).toList());
        check("append", () -> all(redis.append("store:app", "Hello"), redis.append("store:app", " 茶")));
        check("exists", () -> redis.exists("store:a", "store:b", "store:a"));
        check("del", () -> redis.del("store:a", "store:b", "store:nx"));
        check("unlink", () -> redis.unlink("store:app"));
    }

    private static void numbersAndTimes(RedisCommands<String, String> redis) {
        check("incr", () -> all(redis.incr("store:n"), redis.incrby("store:n", 41)));
        check("decr", () -> all(redis.decr("store:n"), redis.decrby("store:n", 50)));
        check("of a text", () -> all(redis.set("store:t", "text"), trouble(() -> redis.incr("store:t"))));
        check("setex", () -> all(redis.setex("store:ex", 100, "1"), isBetween(90, redis.ttl("store:ex"), 100)));
        check("in milliseconds", () -> all(
                redis.set("store:ex", "1", SetArgs.Builder.px(90_000)), isBetween(80_000, redis.pttl("store:ex"), 90_000)));
        check("persist", () -> all(redis.persist("store:ex"), redis.ttl("store:ex"), redis.ttl("store:b")));
        check("expire", () -> all(redis.expire("store:ex", 50), isBetween(40, redis.ttl("store:ex"), 50)));
    }

    private static void together(
            RedisCommands<String, String> redis, StatefulRedisConnection<String, String> connection) {
        check("pipeline", () -> {
            connection.setAutoFlushCommands(false);
            List<RedisFuture<String>> found = new ArrayList<>();
            for (int number = 0; number < 100; number++) {
                connection.async().set("store:x", "" + number);
                found.add(connection.async().get("store:x"));
            }
            connection.flushCommands();
            connection.setAutoFlushCommands(true);
            for (int number = 0; number < 100; number++) {
                if (!found.get(number).get().equals("" + number)) {
                    return found.get(number).get();
                }
            }
            return true;
        });
        check("transaction", () -> {
            redis.multi();
            redis.set("store:tx1", "1");
            redis.incrby("store:tx1", 4);
            redis.get("store:b");
            return redis.exec().stream().toList();
        });
        check("discarded", () -> {
            redis.multi();
            redis.set("store:tx1", "9");
            return all(redis.discard(), redis.get("store:tx1"));
        });
        check("watched", () -> redis.watch("store:tx1"));
        check("scan", () -> {
            redis.set("store:scan:1", "1");
            redis.set("store:scan:2", "2");
            List<String> found = new ArrayList<>();
            ScanIterator.scan(redis, ScanArgs.Builder.matches("store:scan:*").limit(100)).forEachRemaining(found::add);
            found.sort(null);
            return found;
        });
        check("unknown command", () -> trouble(() -> send(redis, "NOSUCH", "a")));
    }

    /** Lettuce wants to know what kind of reply comes. */
    private static CommandOutput<String, String, ?> output(String command) {
        return switch (command) {
            case "demo.Catalog.count" -> new IntegerOutput<>(StringCodec.UTF8);
            case "demo.Types.echo_bool" -> new BooleanOutput<>(StringCodec.UTF8);
            case "demo.Types.echo_f64" -> new DoubleOutput<>(StringCodec.UTF8);
            case "demo.Types.echo_string" -> new ValueOutput<>(StringCodec.UTF8);
            case "demo.Types.echo_nothing" -> new StatusOutput<>(StringCodec.UTF8);
            default -> new ObjectOutput<>(StringCodec.UTF8);
        };
    }

    private static Object send(RedisCommands<String, String> redis, String command, String... arguments) {
        return redis.dispatch(
                new Named(command), output(command), new CommandArgs<>(StringCodec.UTF8).addValues(arguments));
    }

    private record Named(String name) implements ProtocolKeyword {
        @Override
        public byte[] getBytes() {
            return name.getBytes(StandardCharsets.UTF_8);
        }
    }

    static void calls(int port) {
        RedisClient client = RedisClient.create(address(port).build());
        try (StatefulRedisConnection<String, String> connection = client.connect()) {
            ServiceCalls.redis((command, arguments) -> send(connection.sync(), command, arguments));
        } finally {
            client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
        }
    }
}
