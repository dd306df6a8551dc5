// Uses demo.Catalog and demo.Types over rmi:// with og-rek: client ADDRESS SECRET KEY; an empty secret signs nothing.
package main

import (
	"fmt"
	"math"
	"math/big"
	"os"
	"sync"

	pickle "github.com/kisielk/og-rek"
)

const concurrentCalls = 100

type list = []any

func class(module, name string, arguments ...any) pickle.Call {
	return pickle.Call{Callable: pickle.Class{Module: module, Name: name}, Args: arguments}
}

func main() {
	checks := &checks{}
	// The protocols that og-rek writes and the gateway reads: 0 is text.
	for protocol := 1; protocol <= 5; protocol++ {
		c := client{os.Args[1], os.Args[2], os.Args[3], protocol}
		run(checks, c, fmt.Sprintf("protocol %d: ", protocol))
	}
	checks.summary()
}

func run(checks *checks, c client, name string) {
	catalog := func(method string, arguments ...any) func() (any, error) {
		return func() (any, error) { return c.call("demo.Catalog", method, arguments, nil) }
	}
	field := func(key string, step func() (any, error)) func() (any, error) {
		return func() (any, error) {
			value, err := step()
			found, _ := value.(map[any]any)
			return found[key], err
		}
	}
	same(checks, name+"count", any(int64(3)), catalog("count"))
	same(checks, name+"find by id", any("Desk lamp"), field("name", catalog("find", 1)))
	same(checks, name+"find by name", any(int64(1)), field("id", catalog("find", "Desk lamp")))
	same(checks, name+"a decimal", any(class("decimal", "Decimal", "49.90")), field("price", catalog("find", 1)))
	same(checks, name+"an enum", any("ACTIVE"), field("status", catalog("find", 1)))
	same(checks, name+"by name", any(int64(1)), func() (any, error) {
		more := dict{"named": map[any]any{"text": "desk", "limit": 1}}
		value, err := c.call("demo.Catalog", "search", list{}, more)
		found, _ := value.(list)
		return int64(len(found)), err
	})
	checks.check(name+"a declared exception", func() error {
		_, err := catalog("find", 999999)()
		found, ok := err.(fault)
		if !ok || found.name != "demo.ProductNotFound" || found.fields["product_id"] != int64(999999) {
			return fmt.Errorf("got %v", err)
		}
		return nil
	})
	for _, each := range []struct {
		code   string
		method string
		value  any
	}{{"no-such-method", "missing", 1}, {"bad-request", "find", list{}}, {"bad-request", "slow", "x"}} {
		checks.check(name+each.code+" of "+each.method, func() error {
			_, err := catalog(each.method, each.value)()
			if found, ok := err.(trouble); !ok || found.code != each.code {
				return fmt.Errorf("got %v", err)
			}
			return nil
		})
	}
	values(checks, c, name)
	checks.check(name+"concurrent", func() error { return concurrent(c) })
	if c.secret != "" {
		checks.check(name+"a wrong secret", func() error {
			other := c
			other.secret = "another secret of some length"
			_, err := other.call("demo.Catalog", "count", list{}, nil)
			if found, ok := err.(trouble); !ok || found.code != "refused" || found.message != "1" {
				return fmt.Errorf("got %v", err)
			}
			return nil
		})
	}
}

func values(checks *checks, c client, name string) {
	huge, _ := new(big.Int).SetString("-123456789012345678901234567890", 10)
	struct_ := map[any]any{"__class__": "demo.Maker", "name": "Teekanne 茶 😀", "country": pickle.None{}, "parent": pickle.None{}}
	for _, each := range []struct {
		method      string
		sent, found any
	}{
		{"echo_bool", true, true},
		{"echo_i32", -2147483648, int64(-2147483648)},
		{"echo_i64", int64(math.MaxInt64), int64(math.MaxInt64)},
		{"echo_i64", int64(math.MinInt64), int64(math.MinInt64)},
		{"echo_f64", 0.1, 0.1},
		{"echo_f64", math.Inf(-1), math.Inf(-1)},
		{"echo_bigint", huge, huge},
		{"echo_decimal", class("decimal", "Decimal", "1.10"), class("decimal", "Decimal", "1.10")},
		{"echo_string", "Grüße 茶 😀\x00", "Grüße 茶 😀\x00"},
		{"echo_bytes", pickle.Bytes("\x00\xff\x80"), pickle.Bytes("\x00\xff\x80")},
		{"echo_int_list", list{1, 2, 3}, list{int64(1), int64(2), int64(3)}},
		{"echo_string_map", map[any]any{"a": 1}, map[any]any{"a": int64(1)}},
		{"echo_enum", "PREORDER", "PREORDER"},
		{"echo_struct", struct_, struct_},
		{"echo_nullable", pickle.None{}, pickle.None{}},
		{"echo_date", class("datetime", "date", 2026, 8, 14), class("datetime", "date", pickle.Bytes("\x07\xea\x08\x0e"))},
		{"echo_uuid", class("uuid", "UUID", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
			class("uuid", "UUID", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6")},
		{"echo_duration", class("datetime", "timedelta", -1, 2, 3),
			class("datetime", "timedelta", int64(-1), int64(2), int64(3))},
	} {
		same(checks, name+each.method, wide(each.found), func() (any, error) {
			value, err := c.call("demo.Types", each.method, list{each.sent}, nil)
			return wide(value), err
		})
	}
}

// wide gives numbers that og-rek reads in several types one of them: what comes as LONG is a big.Int whatever its size.
func wide(value any) any {
	if number, ok := value.(*big.Int); ok && number.IsInt64() {
		return number.Int64()
	}
	return value
}

func concurrent(c client) error {
	var group sync.WaitGroup
	errors := make(chan error, concurrentCalls)
	for at := 0; at < concurrentCalls; at++ {
		group.Add(1)
		go func(at int) {
			defer group.Done()
			value, err := c.call("demo.Types", "echo_i32", list{at}, nil)
			if err == nil && value != int64(at) {
				err = fmt.Errorf("expected %d, got %v", at, value)
			}
			if err != nil {
				errors <- err
			}
		}(at)
	}
	group.Wait()
	close(errors)
	return <-errors
}
