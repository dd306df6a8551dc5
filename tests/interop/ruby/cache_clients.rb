# Uses a store under `store:` and services with redis-rb. Prints a line of JSON for each check:
# {"check": name, "value": …}, or "error" in its place. Arguments: NAME:PORT, of the runs at the end.

require "json"
require "redis"

ALL_BYTES = (0..255).map(&:chr).join.b
LONG = "0123456789abcdef" * 8192
KEYS = %w[a b c n t x bin long app ex nx tx1 scan:1 scan:2].map { |name| "store:#{name}" }

# Bytes are text where they are UTF-8 and `hex:…` elsewhere.
def shown(value)
  case value
  when String
    text = value.dup.force_encoding("UTF-8")
    text.valid_encoding? ? text : "hex:#{value.unpack1("H*")}"
  when Array then value.map { |each| shown(each) }
  when Hash then value.to_h { |key, each| [shown(key), shown(each)] }
  when Exception then shown(value.message)
  else value
  end
end

def check(name)
  line = { check: name, value: shown(yield) }
rescue StandardError => error
  line = { check: name, error: shown(error.message) }
ensure
  puts JSON.generate(line)
end

def trouble
  yield
rescue StandardError => error
  error
end

def redis_data(port)
  redis = Redis.new(host: "127.0.0.1", port: port, id: "peer", password: "open sesame")
  redis.del(*KEYS)
  check("ping") { redis.ping }
  check("echo") { redis.echo("茶 \r\n") }
  check("name") { redis.call("CLIENT", "GETNAME") }
  check("info") { redis.info("server")["redis_version"].split(".").first }
  check("time") { redis.time.size }
  check("set") { redis.set("store:a", "1 Grüße 茶") }
  check("get") { redis.get("store:a") }
  check("get nothing") { redis.get("store:b") }
  check("every byte") { [redis.set("store:bin", ALL_BYTES), redis.get("store:bin").b == ALL_BYTES] }
  check("long") { [redis.set("store:long", LONG), redis.get("store:long") == LONG] }
  check("only new") { [redis.set("store:a", 2, nx: true), redis.set("store:nx", 2, nx: true, ex: 100)] }
  check("only old") { [redis.set("store:b", 2, xx: true), redis.set("store:nx", 3, xx: true)] }
  check("setnx") { [redis.setnx("store:c", 5), redis.setnx("store:c", 6)] }
  check("getset, getdel") { [redis.getset("store:c", 7), redis.getdel("store:c"), redis.getdel("store:c")] }
  check("mget") { redis.mget("store:a", "store:b", "store:nx") }
  check("mapped") { redis.mapped_mget("store:a", "store:b") }
  check("append") { [redis.append("store:app", "Hello"), redis.append("store:app", " 茶")] }
  check("exists") { [redis.exists("store:a", "store:b", "store:a"), redis.exists?("store:b")] }
  check("del") { redis.del("store:a", "store:b", "store:nx") }
  check("incr") { [redis.incr("store:n"), redis.incrby("store:n", 41), redis.decr("store:n"), redis.decrby("store:n", 50)] }
  check("of a text") { [redis.set("store:t", "text"), trouble { redis.incr("store:t") }] }
  check("setex") { [redis.setex("store:ex", 100, 1), redis.ttl("store:ex").between?(90, 100)] }
  check("psetex") { [redis.psetex("store:ex", 90_000, 1), redis.pttl("store:ex").between?(80_000, 90_000)] }
  check("persist") { [redis.persist("store:ex"), redis.ttl("store:ex"), redis.ttl("store:b")] }
  check("expire") { [redis.expire("store:ex", 50), redis.ttl("store:ex").between?(40, 50)] }
  check("pipeline") do
    found = redis.pipelined do |pipeline|
      100.times { |number| pipeline.set("store:x", number) && pipeline.get("store:x") }
    end
    found.each_slice(2).map(&:last) == (0..99).map(&:to_s)
  end
  check("transaction") do
    redis.multi do |transaction|
      transaction.set("store:tx1", 1)
      transaction.incrby("store:tx1", 4)
      transaction.get("store:b")
    end
  end
  check("watched") { trouble { redis.watch("store:tx1") { redis.multi { |transaction| transaction.get("store:tx1") } } } }
  check("scan") do
    redis.set("store:scan:1", 1)
    redis.set("store:scan:2", 2)
    redis.scan_each(match: "store:scan:*", count: 100).sort
  end
  check("unknown command") { trouble { redis.call("NOSUCH", "a") } }
  redis.quit
end

def redis_calls(port)
  redis = Redis.new(host: "127.0.0.1", port: port)
  {
    "find" => ["demo.Catalog.find", "1"],
    "overload" => ["demo.Catalog.find", "Wandleuchte „Grün“ 🌿"],
    "general form" => ["CALL", "demo.Catalog", "find", "1"],
    "list" => ["demo.Catalog.search", "lamp", "1", '["office"]'],
    "count" => ["demo.Catalog.count"],
    "struct" => ["demo.Types.echo_struct", '{"name": "茶"}'],
    "truth" => ["demo.Types.echo_bool", "true"],
    "float" => ["demo.Types.echo_f64", "0.1"],
    "text" => ["demo.Types.echo_string", "Grüße \r\n\0"],
    "nothing" => ["demo.Types.echo_nothing"],
    "fault" => ["demo.Catalog.find", "-5"],
    "no such method" => ["demo.Catalog.nothing"],
    "bad argument" => ["demo.Catalog.remove", "x"],
  }.each { |name, command| check(name) { trouble { redis.call(*command) } } }
  redis.quit
end

RUNS = { "redis-rb:data" => method(:redis_data), "redis-rb:calls" => method(:redis_calls) }.freeze
ARGV.each do |argument|
  name, _, port = argument.rpartition(":")
  puts JSON.generate({ run: name })
  RUNS[name].call(port.to_i)
end
