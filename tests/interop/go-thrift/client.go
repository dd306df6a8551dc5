package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"polyport.interop/thrift/demo"
)

const (
	opening   = int64(1_767_342_600_000_000)
	day       = int64(86_400_000_000)
	patience  = 10 * time.Second
	pipelined = 20
)

func use(checks *checks, port string, transport named[thrift.TTransportFactory], protocol named[thrift.TProtocolFactory], multiplexed bool) {
	name := fmt.Sprintf("%s %s ", protocol.name, transport.name)
	settings := &thrift.TConfiguration{ConnectTimeout: patience, SocketTimeout: patience}
	socket := thrift.NewTSocketConf(net.JoinHostPort("127.0.0.1", port), settings)
	trans, err := transport.factory.GetTransport(socket)
	if err == nil {
		err = trans.Open()
	}
	checks.check(name+"connects", func() error { return err })
	if err != nil {
		return
	}
	defer trans.Close()
	wire := protocol.factory.GetProtocol(trans)
	output := func(service string) thrift.TProtocol {
		if multiplexed {
			return thrift.NewTMultiplexedProtocol(wire, service)
		}
		return wire
	}
	client := func(service string) thrift.TClient { return thrift.NewTStandardClient(wire, output(service)) }
	if multiplexed {
		name += "multiplexed "
	}
	ctx := context.Background()
	catalog := demo.NewCatalogClient(client("demo.Catalog"))
	products(checks, name, ctx, catalog)
	checks.check(name+"pipelined", func() error { return pipeline(ctx, wire, output("demo.Catalog")) })
	if multiplexed {
		types := demo.NewTypesClient(client("Types"))
		values(checks, name, ctx, types)
		undeclared(checks, name, ctx, types)
		same(checks, name+"no such service", int32(thrift.UNKNOWN_METHOD), func() (int32, error) {
			_, err := demo.NewCatalogClient(client("Nothing")).Count(ctx)
			return kind(err)
		})
	}
	same(checks, name+"the connection stays", 3, func() (int64, error) { return catalog.Count(ctx) })
}

func products(checks *checks, name string, ctx context.Context, catalog *demo.CatalogClient) {
	country, group := "DE", "SE"
	updated := opening + 30*day + 250_000
	lamp := &demo.Product{
		ID: 1, Name: "Desk lamp", Price: "49.90", Tags: []string{"light", "office"}, CreatedAt: opening,
		UpdatedAt: &updated, Stock: map[string]int32{"berlin": 12, "oslo": 0}, Status: demo.Status_ACTIVE,
		Maker: &demo.Maker{Name: "Lumen", Country: &country, Parent: &demo.Maker{Name: "Northwind Group", Country: &group}},
	}
	plain := &demo.Product{
		ID: 3, Name: "Wandleuchte „Grün“ 🌿", Price: "19.5", Tags: []string{}, CreatedAt: opening + day,
		Stock: map[string]int32{}, Status: demo.Status_DISCONTINUED,
	}
	same(checks, name+"find", lamp, func() (*demo.Product, error) { return catalog.Find(ctx, 1) })
	same(checks, name+"absent fields", plain, func() (*demo.Product, error) { return catalog.Find(ctx, 3) })
	same(checks, name+"find by name", lamp, func() (*demo.Product, error) { return catalog.FindByName(ctx, "Desk lamp") })
	search := func(text string, limit int32, tags []string) func() ([]int64, error) {
		return func() ([]int64, error) {
			var ids []int64
			found, err := catalog.Search(ctx, text, limit, tags)
			for _, each := range found {
				ids = append(ids, each.ID)
			}
			return ids, err
		}
	}
	same(checks, name+"search with a set", []int64{1}, search("", 1, []string{"office"}))
	// It has no null in the place of a set: nil is written as an empty one, of which every product has all.
	same(checks, name+"search", []int64{1, 2}, search("desk", 10, nil))
	same(checks, name+"a map", map[string]string{"2025-10-04": "54.90", "2026-01-02": "49.90"},
		func() (map[string]string, error) { return catalog.PriceHistory(ctx, 1) })
	new := demo.NewProduct()
	new.Name, new.Price, new.Tags, new.CreatedAt = "n", "1.0", []string{"t"}, opening
	same(checks, name+"put", 4, func() (int64, error) { return catalog.Put(ctx, new) })
	checks.check(name+"oneway", func() error { return catalog.Touch(ctx, 4) })
	same(checks, name+"what oneway did", opening+1000, func() (int64, error) {
		found, err := catalog.Find(ctx, 4)
		return found.GetUpdatedAt(), err
	})
	same(checks, name+"remove", true, func() (bool, error) { return catalog.Remove(ctx, 4) })
	same(checks, name+"remove nothing", false, func() (bool, error) { return catalog.Remove(ctx, 4) })
	same(checks, name+"slow", "slept 5 ms", func() (string, error) { return catalog.Slow(ctx, 5) })

	missing := "no product 99"
	raises(checks, name+"a declared exception", &demo.ProductNotFound{Message: &missing, ProductID: 99}, func() error {
		_, err := catalog.Find(ctx, 99)
		return err
	})
	short := "5 of 'Desk lamp' missing"
	raises(checks, name+"the second one", &demo.OutOfStock{Message: &short, Warehouse: "oslo", Missing: 5}, func() error {
		_, err := catalog.Reserve(ctx, 1, "oslo", 5)
		return err
	})
}

// pipeline sends all calls before it reads the first answer; the first ones take longest.
func pipeline(ctx context.Context, input, output thrift.TProtocol) error {
	client := thrift.NewTStandardClient(input, output)
	for number := range pipelined {
		args := &demo.CatalogSlowArgs{Millis: int64(pipelined - number)}
		if err := client.Send(ctx, output, int32(number), "slow", args); err != nil {
			return err
		}
	}
	for number := range pipelined {
		result := demo.NewCatalogSlowResult()
		if err := client.Recv(ctx, input, int32(number), "slow", result); err != nil {
			return err
		}
		if expected := fmt.Sprintf("slept %d ms", pipelined-number); result.GetSuccess() != expected {
			return fmt.Errorf("expected %s, got %s", expected, result.GetSuccess())
		}
	}
	return nil
}

func values(checks *checks, name string, ctx context.Context, types *demo.TypesClient) {
	maker := &demo.Maker{Name: "m", Parent: &demo.Maker{Name: "p"}}
	everything := demo.NewEverything()
	no, real, decimal := false, 0.1, "1.10"
	preorder := demo.Status_PREORDER
	everything.BoxedBool, everything.BoxedF64, everything.Decimal = &no, &real, &decimal
	everything.Bytes, everything.StringSet, everything.Enumeration = []byte{255}, []string{"s"}, &preorder
	everything.NestedMap, everything.Struct_ = map[string][]*demo.Maker{"k": {maker}}, maker
	everything.Character = new(string)
	*everything.Character = "x"

	echo(checks, name+"bool", ctx, types.EchoBool, true, false)
	echo(checks, name+"i8", ctx, types.EchoI8, math.MinInt8, math.MaxInt8)
	echo(checks, name+"i16", ctx, types.EchoI16, math.MinInt16, math.MaxInt16)
	echo(checks, name+"i32", ctx, types.EchoI32, math.MinInt32, math.MaxInt32)
	echo(checks, name+"i64", ctx, types.EchoI64, math.MinInt64, math.MaxInt64)
	echo(checks, name+"f32", ctx, types.EchoF32, 0.5, -2.25)
	echo(checks, name+"f64", ctx, types.EchoF64, 0.1, math.MaxFloat64, math.Inf(-1))
	echo(checks, name+"bigint", ctx, types.EchoBigint, "-123456789012345678901234567890")
	echo(checks, name+"decimal", ctx, types.EchoDecimal, "1.10", "-1E-20")
	echo(checks, name+"char", ctx, types.EchoChar, "茶")
	echo(checks, name+"string", ctx, types.EchoString, "", "Grüße 茶 😀\x00", strings.Repeat("x", 70_000))
	echo(checks, name+"bytes", ctx, types.EchoBytes, []byte{}, []byte{0, 255, 128})
	echo(checks, name+"date", ctx, types.EchoDate, "2024-02-29")
	echo(checks, name+"time", ctx, types.EchoTime, "23:59:59.999999")
	echo(checks, name+"datetime", ctx, types.EchoDatetime, -1, opening)
	echo(checks, name+"uuid", ctx, types.EchoUUID, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
	echo(checks, name+"int list", ctx, types.EchoIntList, []int32{}, slices.Repeat([]int32{1, -1}, 100))
	echo(checks, name+"nested list", ctx, types.EchoNestedList, [][]string{{}, {"x", ""}})
	echo(checks, name+"long set", ctx, types.EchoLongSet, []int64{}, []int64{1 << 62})
	echo(checks, name+"int map", ctx, types.EchoIntMap, map[int32]string{-1: "x"})
	echo(checks, name+"enum map", ctx, types.EchoEnumMap, map[demo.Status]string{preorder: "p"})
	echo(checks, name+"nested map", ctx, types.EchoNestedMap, map[string][]*demo.Maker{"k": {maker, maker}, "e": {}})
	echo(checks, name+"double array", ctx, types.EchoDoubleArray, []float64{0.1, -0.5})
	echo(checks, name+"enum", ctx, types.EchoEnum, demo.Status_DISCONTINUED)
	echo(checks, name+"struct", ctx, types.EchoStruct, maker)
	echo(checks, name+"everything", ctx, types.EchoEverything, everything)
	echo(checks, name+"any", ctx, types.EchoAny, `{"a":[1,null]}`)
	// Its maps have pointers as keys.
	same(checks, name+"struct map", "1 -1 p", func() (string, error) {
		found, err := types.EchoStructMap(ctx, map[*demo.Point]string{{X: 1, Y: -1}: "p"})
		for point, text := range found {
			return fmt.Sprint(point.X, point.Y, " ", text), err
		}
		return "nothing", err
	})
	checks.check(name+"void", func() error { return types.EchoNothing(ctx) })
}

func echo[T any](checks *checks, name string, ctx context.Context, method func(context.Context, T) (T, error), sent ...T) {
	for number, each := range sent {
		same(checks, fmt.Sprintf("%s %d", name, number), each, func() (T, error) { return method(ctx, each) })
	}
}

func undeclared(checks *checks, name string, ctx context.Context, types *demo.TypesClient) {
	why, country := "why", "US"
	failure := &demo.TypesFailure{Message: &why, Code: 42, Culprit: &demo.Maker{Name: "Acme", Country: &country}}
	raises(checks, name+"an exception with a struct", failure, func() error {
		_, err := types.FailDeclared(ctx, "why")
		return err
	})
	same(checks, name+"an undeclared exception", int32(thrift.INTERNAL_ERROR), func() (int32, error) {
		_, err := types.FailUndeclared(ctx, "because")
		if err != nil && !strings.Contains(err.Error(), "because") {
			return 0, err
		}
		return kind(err)
	})
	same(checks, name+"a value that does not fit", int32(thrift.PROTOCOL_ERROR), func() (int32, error) {
		_, err := types.EchoDecimal(ctx, "x")
		return kind(err)
	})
	same(checks, name+"and then a call", 1, func() (int32, error) { return types.EchoI32(ctx, 1) })
}

func raises(checks *checks, name string, expected error, step func() error) {
	checks.check(name, func() error {
		if err := step(); !reflect.DeepEqual(err, expected) {
			return fmt.Errorf("expected %v, got %v", expected, err)
		}
		return nil
	})
}

func kind(err error) (int32, error) {
	var found thrift.TApplicationException
	if errors.As(err, &found) {
		return found.TypeId(), nil
	}
	return -1, err
}
