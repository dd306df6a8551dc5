package main

import (
	"fmt"
	"strings"

	"github.com/gomodule/redigo/redis"
)

func redigoData(address string) {
	connection, err := redis.Dial("tcp", address, redis.DialClientName("peer"), redis.DialPassword(password))
	if err != nil {
		check("dial", func() (any, error) { return nil, err })
		return
	}
	defer connection.Close()
	do := func(command string, arguments ...any) func() (any, error) {
		return func() (any, error) { return connection.Do(command, arguments...) }
	}
	for _, name := range keys {
		_, _ = connection.Do("DEL", key(name))
	}
	check("ping", do("PING"))
	check("name", do("CLIENT", "GETNAME"))
	check("info", func() (any, error) {
		info, err := redis.String(connection.Do("INFO"))
		return strings.Contains(info, "redis_version:7."), err
	})
	check("set", do("SET", key("a"), "1 Grüße 茶"))
	check("get", do("GET", key("a")))
	check("get nothing", do("GET", key("b")))
	check("mget", do("MGET", key("a"), key("b")))
	check("only new", do("SET", key("a"), "2", "NX"))
	check("for a time", do("SET", key("ex"), "2", "EX", 100))
	check("append", do("APPEND", key("app"), "Hello"))
	check("incr", do("INCRBY", key("n"), 42))
	check("exists", do("EXISTS", key("n"), key("b")))
	check("del", do("DEL", key("n"), key("b")))
	check("of a text", func() (any, error) { return all(do("INCR", key("a"))) })
	check("pipeline", func() (any, error) {
		for number := range 100 {
			if err := connection.Send("SET", key("x"), number); err != nil {
				return nil, err
			}
			if err := connection.Send("GET", key("x")); err != nil {
				return nil, err
			}
		}
		if err := connection.Flush(); err != nil {
			return nil, err
		}
		for number := range 100 {
			if _, err := connection.Receive(); err != nil {
				return nil, err
			}
			if found, err := redis.String(connection.Receive()); err != nil || found != fmt.Sprint(number) {
				return found, err
			}
		}
		return true, nil
	})
	check("transaction", func() (any, error) {
		for _, command := range [][]any{{"MULTI"}, {"SET", key("tx1"), "1"}, {"INCRBY", key("tx1"), 4}, {"GET", key("tx2")}} {
			if err := connection.Send(command[0].(string), command[1:]...); err != nil {
				return nil, err
			}
		}
		return connection.Do("EXEC")
	})
}

func redigoCalls(address string) {
	connection, err := redis.Dial("tcp", address)
	if err != nil {
		check("dial", func() (any, error) { return nil, err })
		return
	}
	defer connection.Close()
	for _, each := range [][]any{
		{"find", "demo.Catalog.find", 1},
		{"list", "demo.Catalog.search", "lamp", 1, `["office"]`},
		{"count", "demo.Catalog.count"},
		{"truth", "demo.Types.echo_bool", "true"},
		{"float", "demo.Types.echo_f64", "0.1"},
		{"text", "demo.Types.echo_string", "Grüße \r\n\x00"},
	} {
		check(each[0].(string), func() (any, error) { return connection.Do(each[1].(string), each[2:]...) })
	}
	check("fault", func() (any, error) {
		_, err := connection.Do("demo.Catalog.find", -5)
		return fmt.Sprint(err), nil
	})
}
