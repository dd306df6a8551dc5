package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// password of redis servers with data; calls of methods need none.
const password = "open sesame"

var (
	background = context.Background()
	keys       = strings.Fields("a b c n n2 t x bin long app ex nx tx1 tx2 scan:1 scan:2 scan:3")
	long       = strings.Repeat("0123456789abcdef", 8192)
	allBytes   = func() []byte {
		all := make([]byte, 256)
		for index := range all {
			all[index] = byte(index)
		}
		return all
	}()
)

func key(name string) string { return "store:" + name }

func between(low, value, high time.Duration) bool { return low < value && value <= high }

func redisClient(address string, protocol int, password string) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: address, Protocol: protocol, Password: password, ClientName: "peer", PoolSize: 4, MaxRetries: -1, ReadTimeout: 10 * time.Second,
	})
}

func redisData(protocol int) func(string) {
	return func(address string) {
		client := redisClient(address, protocol, password)
		defer client.Close()
		for _, name := range keys {
			client.Del(background, key(name))
		}
		set := func(name string, value any) error { return client.Set(background, key(name), value, 0).Err() }
		do := func(arguments ...any) func() (any, error) {
			return func() (any, error) { return client.Do(background, arguments...).Result() }
		}
		check("ping", func() (any, error) { return client.Ping(background).Result() })
		check("echo", func() (any, error) { return client.Echo(background, "茶 \r\n").Result() })
		check("name", func() (any, error) { return client.ClientGetName(background).Result() })
		check("info", func() (any, error) {
			info, err := client.Info(background, "server").Result()
			return strings.Contains(info, "redis_version:7."), err
		})
		check("time", func() (any, error) {
			moment, err := client.Time(background).Result()
			return !moment.IsZero(), err
		})
		check("set", func() (any, error) { return client.Set(background, key("a"), "1 Grüße 茶", 0).Result() })
		check("get", func() (any, error) { return client.Get(background, key("a")).Result() })
		check("get nothing", func() (any, error) {
			_, err := client.Get(background, key("b")).Result()
			return err == redis.Nil, nil
		})
		check("every byte", func() (any, error) {
			if err := set("bin", allBytes); err != nil {
				return nil, err
			}
			found, err := client.Get(background, key("bin")).Bytes()
			return bytes.Equal(found, allBytes), err
		})
		check("long", func() (any, error) {
			if err := set("long", long); err != nil {
				return nil, err
			}
			found, err := client.Get(background, key("long")).Result()
			return found == long, err
		})
		check("only new", func() (any, error) {
			return all(
				func() (any, error) { return client.SetNX(background, key("a"), "2", 0).Result() },
				func() (any, error) { return client.SetNX(background, key("nx"), "2", 0).Result() })
		})
		check("only old", func() (any, error) {
			return all(
				func() (any, error) { return client.SetXX(background, key("b"), "2", 0).Result() },
				func() (any, error) { return client.SetXX(background, key("nx"), "3", 0).Result() })
		})
		check("arguments of set", func() (any, error) {
			return all(
				func() (any, error) {
					return client.SetArgs(background, key("c"), "5", redis.SetArgs{Get: true}).Result()
				},
				func() (any, error) {
					return client.SetArgs(background, key("c"), "6", redis.SetArgs{Get: true}).Result()
				},
				func() (any, error) {
					return client.SetArgs(background, key("c"), "7", redis.SetArgs{Mode: "NX"}).Result()
				})
		})
		check("getdel", func() (any, error) {
			return all(
				func() (any, error) { return client.GetDel(background, key("c")).Result() },
				func() (any, error) { return client.GetDel(background, key("c")).Result() })
		})
		check("mget", func() (any, error) { return client.MGet(background, key("a"), key("b"), key("nx")).Result() })
		check("append", func() (any, error) {
			return all(
				func() (any, error) { return client.Append(background, key("app"), "Hello").Result() },
				func() (any, error) { return client.Append(background, key("app"), " 茶").Result() })
		})
		check("exists", func() (any, error) { return client.Exists(background, key("a"), key("b"), key("a")).Result() })
		check("del", func() (any, error) { return client.Del(background, key("a"), key("b"), key("nx")).Result() })
		check("unlink", func() (any, error) { return client.Unlink(background, key("app"), key("b")).Result() })
		check("incr", func() (any, error) {
			return all(
				func() (any, error) { return client.Incr(background, key("n")).Result() },
				func() (any, error) { return client.IncrBy(background, key("n"), 41).Result() },
				func() (any, error) { return client.DecrBy(background, key("n"), 50).Result() })
		})
		check("of a text", func() (any, error) {
			return all(
				func() (any, error) { return client.Set(background, key("t"), "text", 0).Result() },
				func() (any, error) { return client.Incr(background, key("t")).Result() })
		})
		check("for a time", func() (any, error) {
			if err := client.Set(background, key("ex"), "1", 100*time.Second).Err(); err != nil {
				return nil, err
			}
			left, err := client.TTL(background, key("ex")).Result()
			return between(90*time.Second, left, 100*time.Second), err
		})
		check("in milliseconds", func() (any, error) {
			if err := client.Set(background, key("ex"), "1", 90_500*time.Millisecond).Err(); err != nil {
				return nil, err
			}
			left, err := client.PTTL(background, key("ex")).Result()
			return between(80*time.Second, left, 90_500*time.Millisecond), err
		})
		check("persist", func() (any, error) {
			return all(
				func() (any, error) { return client.Persist(background, key("ex")).Result() },
				func() (any, error) { return client.TTL(background, key("ex")).Result() },
				func() (any, error) { return client.TTL(background, key("b")).Result() })
		})
		check("expire", func() (any, error) { return client.Expire(background, key("ex"), 50*time.Second).Result() })
		check("pipeline", func() (any, error) {
			pipeline := client.Pipeline()
			found := make([]*redis.StringCmd, 100)
			for number := range found {
				pipeline.Set(background, key("x"), number, 0)
				found[number] = pipeline.Get(background, key("x"))
			}
			if _, err := pipeline.Exec(background); err != nil {
				return nil, err
			}
			for number, each := range found {
				if each.Val() != fmt.Sprint(number) {
					return each.Val(), nil
				}
			}
			return true, nil
		})
		check("transaction", func() (any, error) {
			pipeline := client.TxPipeline()
			pipeline.Set(background, key("tx1"), "1", 0)
			sum := pipeline.IncrBy(background, key("tx1"), 4)
			text := pipeline.Get(background, key("tx1"))
			_, err := pipeline.Exec(background)
			return []any{sum.Val(), text.Val()}, err
		})
		check("watched", func() (any, error) {
			err := client.Watch(background, func(tx *redis.Tx) error {
				_, err := tx.TxPipelined(background, func(pipeline redis.Pipeliner) error {
					return pipeline.Set(background, key("tx1"), "8", 0).Err()
				})
				return err
			}, key("tx1"))
			return client.Get(background, key("tx1")).Val(), err
		})
		check("scan", func() (any, error) {
			for number := 1; number <= 3; number++ {
				if err := set(fmt.Sprintf("scan:%d", number), number); err != nil {
					return nil, err
				}
			}
			var found []string
			each := client.Scan(background, 0, key("scan:*"), 100).Iterator()
			for each.Next(background) {
				found = append(found, each.Val())
			}
			return sorted(found), each.Err()
		})
		check("unknown command", func() (any, error) { return all(do("NOSUCH", "a")) })
		check("wrong option", func() (any, error) { return all(do("SET", key("x"), "1", "BOGUS")) })
	}
}

func redisCalls(protocol int) func(string) {
	return func(address string) {
		client := redisClient(address, protocol, "")
		defer client.Close()
		call := func(arguments ...any) func() (any, error) {
			return func() (any, error) {
				value, err := client.Do(background, arguments...).Result()
				if err == redis.Nil {
					return nil, nil
				}
				return value, err
			}
		}
		told := func(arguments ...any) func() (any, error) {
			return func() (any, error) {
				value, err := client.Do(background, arguments...).Result()
				if err == nil {
					return fmt.Sprintf("no error, but %v", value), nil
				}
				return err.Error(), nil
			}
		}
		check("find", call("demo.Catalog.find", 1))
		check("overload", call("demo.Catalog.find", "Wandleuchte „Grün“ 🌿"))
		check("general form", call("CALL", "demo.Catalog", "find", 1))
		check("list", call("demo.Catalog.search", "lamp", 1, `["office"]`))
		check("count", call("demo.Catalog.count"))
		check("struct", call("demo.Types.echo_struct", `{"name": "茶"}`))
		check("truth", call("demo.Types.echo_bool", "true"))
		check("float", call("demo.Types.echo_f64", "0.1"))
		check("text", call("demo.Types.echo_string", "Grüße \r\n\x00"))
		check("nothing", call("demo.Types.echo_nothing"))
		check("fault", told("demo.Catalog.find", -5))
		check("no such method", told("demo.Catalog.nothing"))
		check("bad argument", told("demo.Catalog.remove", "x"))
	}
}
