package main

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/bradfitz/gomemcache/memcache"
)

// runs are what the arguments of the program name.
var runs = map[string]func(string){
	"go-redis, RESP2:data":  redisData(2),
	"go-redis, RESP3:data":  redisData(3),
	"go-redis, RESP2:calls": redisCalls(2),
	"go-redis, RESP3:calls": redisCalls(3),
	"redigo:data":           redigoData,
	"redigo:calls":          redigoCalls,
	"gomemcache:data":       memcacheData,
	"gomemcache:calls":      memcacheCalls,
}

func memcacheData(address string) {
	client := memcache.New(address)
	defer client.Close()
	for _, name := range keys {
		if err := client.Delete(key(name)); err != nil && !errors.Is(err, memcache.ErrCacheMiss) {
			check("delete before", func() (any, error) { return nil, err })
		}
	}
	get := func(name string) func() (any, error) {
		return func() (any, error) {
			item, err := client.Get(key(name))
			if err != nil {
				return nil, err
			}
			return []any{item.Key, item.Value, item.Flags}, nil
		}
	}
	store := func(by func(*memcache.Item) error, name string, value []byte, flags uint32, seconds int32) func() (any, error) {
		return func() (any, error) {
			return true, by(&memcache.Item{Key: key(name), Value: value, Flags: flags, Expiration: seconds})
		}
	}
	number := func(by func(string, uint64) (uint64, error), name string, delta uint64) func() (any, error) {
		return func() (any, error) { return by(key(name), delta) }
	}
	check("ping", func() (any, error) { return true, client.Ping() })
	check("set", store(client.Set, "a", []byte("1 Grüße 茶"), 0, 0))
	check("get", get("a"))
	check("get nothing", func() (any, error) { return all(get("b")) })
	check("flags", func() (any, error) { return all(store(client.Set, "x", []byte("1"), 77, 0), get("x")) })
	check("large flags", func() (any, error) { return all(store(client.Set, "x", []byte("1"), 1<<32-1, 0), get("x")) })
	check("every byte", func() (any, error) {
		if err := client.Set(&memcache.Item{Key: key("bin"), Value: allBytes}); err != nil {
			return nil, err
		}
		item, err := client.Get(key("bin"))
		return err == nil && bytes.Equal(item.Value, allBytes), err
	})
	check("long", func() (any, error) {
		if err := client.Set(&memcache.Item{Key: key("long"), Value: []byte(long)}); err != nil {
			return nil, err
		}
		item, err := client.Get(key("long"))
		return err == nil && string(item.Value) == long, err
	})
	check("add", func() (any, error) {
		return all(store(client.Add, "a", []byte("2"), 0, 0), store(client.Add, "nx", []byte("3"), 0, 0))
	})
	check("replace", func() (any, error) {
		return all(store(client.Replace, "b", []byte("2"), 0, 0), store(client.Replace, "nx", []byte("4"), 0, 0))
	})
	check("append", func() (any, error) {
		return all(store(client.Append, "nx", []byte("5"), 0, 0), store(client.Append, "b", []byte("5"), 0, 0))
	})
	check("prepend", func() (any, error) { return all(store(client.Prepend, "nx", []byte("3"), 0, 0), get("nx")) })
	check("many", func() (any, error) {
		found, err := client.GetMulti([]string{key("a"), key("b"), key("nx")})
		values := map[string]any{}
		for name, item := range found {
			values[name] = string(item.Value)
		}
		return values, err
	})
	check("cas", func() (any, error) {
		if err := client.Set(&memcache.Item{Key: key("c"), Value: []byte("1")}); err != nil {
			return nil, err
		}
		item, err := client.Get(key("c"))
		if err != nil {
			return nil, err
		}
		again := *item
		item.Value, again.Value = []byte("2"), []byte("3")
		return all(
			func() (any, error) { return true, client.CompareAndSwap(item) },
			func() (any, error) { return true, client.CompareAndSwap(&again) },
			get("c"))
	})
	remove := func() (any, error) { return true, client.Delete(key("c")) }
	check("delete", func() (any, error) { return all(remove, remove) })
	check("incr", func() (any, error) {
		return all(
			store(client.Set, "n", []byte("10"), 0, 0), number(client.Increment, "n", 32), number(client.Increment, "b", 1))
	})
	check("decr", func() (any, error) {
		return all(number(client.Decrement, "n", 2), number(client.Decrement, "n", 100))
	})
	check("of a text", func() (any, error) {
		return all(store(client.Set, "t", []byte("text"), 0, 0), number(client.Increment, "t", 1))
	})
	check("touch", func() (any, error) {
		return all(
			func() (any, error) { return true, client.Touch(key("n"), 100) },
			func() (any, error) { return true, client.Touch(key("b"), 100) })
	})
	check("get and touch", func() (any, error) {
		item, err := client.GetAndTouch(key("a"), 100)
		if err != nil {
			return nil, err
		}
		return item.Value, nil
	})
	check("for a time", func() (any, error) {
		return all(store(client.Set, "ex", []byte("1"), 0, 100), get("ex"))
	})
	check("gone at once", func() (any, error) {
		return all(store(client.Set, "ex", []byte("1"), 0, -1), get("ex"))
	})
}

func memcacheCalls(address string) {
	client := memcache.New(address)
	defer client.Close()
	get := func(name string) ([]byte, error) {
		item, err := client.Get(name)
		if err != nil {
			return nil, err
		}
		return item.Value, nil
	}
	check("find", func() (any, error) {
		found, err := get("demo.Catalog.find(1)")
		var product map[string]any
		if err == nil {
			err = json.Unmarshal(found, &product)
		}
		return product, err
	})
	check("count", func() (any, error) { return get("demo.Catalog.count()") })
	check("text", func() (any, error) { return get(`demo.Types.echo_string("%e8%8c%b6")`) })
}
