package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"dubbo.apache.org/dubbo-go/v3/client"
	"github.com/apache/dubbo-go-hessian2/java8_time"
	"github.com/apache/dubbo-go-hessian2/java_util"
	big "github.com/dubbogo/gost/math/big"
)

type dict = map[any]any

// plain gives a product as values that compare: decimals and times as texts.
func plain(p *Product) dict {
	if p == nil {
		return nil
	}
	updated := ""
	if !p.UpdatedAt.IsZero() {
		updated = p.UpdatedAt.UTC().Format(time.RFC3339Nano)
	}
	maker := []string{}
	for each := p.Maker; each != nil; each = each.Parent {
		country := "-"
		if each.Country != nil {
			country = *each.Country
		}
		maker = append(maker, each.Name, country)
	}
	return dict{
		"id": p.ID, "name": p.Name, "price": p.Price.String(), "tags": fmt.Sprint(p.Tags), "created": *p.CreatedAt,
		"updated": updated, "stock": fmt.Sprint(p.Stock), "status": p.Status.String(), "maker": fmt.Sprint(maker),
	}
}

func product(p *Product, err error) (any, error) { return plain(p), err }

// deskLamp is the first product of the demo.
func deskLamp() any {
	return dict{
		"id": int64(1), "name": "Desk lamp", "price": "49.90", "tags": "[light office]",
		"created": java8_time.Instant{Seconds: 1_767_342_600}, "updated": "2026-02-01T08:30:00.25Z",
		"stock": "map[berlin:12 oslo:0]", "status": "ACTIVE", "maker": "[Lumen DE Northwind Group SE]",
	}
}

func (c *consumer) useTypes(checks *checks) {
	decimal, _ := big.NewDecFromString("-12345678901234567890.0100")
	integer := &big.Integer{}
	_ = integer.FromString("-1311768467463790320098765432109876543210")
	eight, sixteen, text := int8(-128), int16(-32768), strings.Repeat("é😀", 40_000)
	country := "DE"
	maker := &Maker{Name: "茶", Parent: &Maker{Name: "p", Country: &country}}
	for _, each := range []struct {
		method      string
		sent, found any
	}{
		{"echoBool", true, true},
		{"echoBool", false, false},
		{"echoI8", eight, int32(eight)},
		{"echoBoxedI8", &eight, int32(eight)},
		{"echoI16", sixteen, int32(sixteen)},
		{"echoBoxedI16", &sixteen, int32(sixteen)},
		{"echoI32", int32(math.MinInt32), int32(math.MinInt32)},
		{"echoI32", int32(262_144), int32(262_144)},
		{"echoI64", int64(math.MaxInt64), int64(math.MaxInt64)},
		{"echoI64", int64(math.MinInt64), int64(math.MinInt64)},
		{"echoI64", int64(-9), int64(-9)},
		{"echoF32", float32(0.5), 0.5},
		{"echoF64", 0.1, 0.1},
		{"echoF64", 1.0, 1.0},
		{"echoF64", math.Inf(-1), math.Inf(-1)},
		{"echoF64", math.MaxFloat64, math.MaxFloat64},
		{"echoString", "", ""},
		{"echoString", "Grüße 茶 😀\x00", "Grüße 茶 😀\x00"},
		{"echoString", text, text},
		{"echoBytes", []byte{0, 255, 128}, []byte{0, 255, 128}},
		{"echoBytes", []byte(text), []byte(text)},
		{"echoDecimal", decimal, decimal.String()},
		{"echoBigint", integer, integer.String()},
		{"echoDate", &java8_time.LocalDate{Year: 2026, Month: 8, Day: 14}, java8_time.LocalDate{Year: 2026, Month: 8, Day: 14}},
		{"echoTime", &java8_time.LocalTime{Hour: 23, Minute: 59, Nano: 1000}, java8_time.LocalTime{Hour: 23, Minute: 59, Nano: 1000}},
		{"echoDatetime", &java8_time.Instant{Seconds: -1, Nanos: 999_999_000}, java8_time.Instant{Seconds: -1, Nanos: 999_999_000}},
		{"echoDuration", &java8_time.Duration{Seconds: 5, Nanos: 7000}, java8_time.Duration{Seconds: 5, Nanos: 7000}},
		{"echoJavaDate", time.UnixMilli(1_700_000_000_123), "2023-11-14T22:13:20.123Z"},
		{"echoJavaDate", time.UnixMilli(-60_000), "1969-12-31T23:59:00Z"},
		{"echoUuid", &java_util.UUID{Value: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
		{"echoIntArray", []int32{1, -2, math.MaxInt32}, []int32{1, -2, math.MaxInt32}},
		{"echoLongArray", []int64{1, math.MinInt64}, []int64{1, math.MinInt64}},
		{"echoDoubleArray", []float64{0.5, -1}, []float64{0.5, -1}},
		{"echoStringArray", []string{"a", "茶"}, []string{"a", "茶"}},
		{"echoStringList", []any{"a", ""}, []any{"a", ""}},
		{"echoStringList", []string{"a", ""}, []any{"a", ""}},
		{"echoIntList", []any{int32(1), int32(2)}, []any{int32(1), int32(2)}},
		{"echoNestedList", []any{[]any{"a"}, []any{}}, []any{[]any{"a"}, []any{}}},
		{"echoStringMap", map[string]int64{"a": 1}, dict{"a": int64(1)}},
		{"echoIntMap", dict{int32(1): "a"}, dict{int32(1): "a"}},
		{"echoStruct", maker, maker},
		{"echoMakerArray", []*Maker{maker}, []*Maker{maker}},
		{"echoEnum", Status(2), Status(2)},
		{"echoNullable", "x", "x"},
		{"echoNullable", nil, nil},
		{"echoBoxedBool", nil, nil},
		{"echoAny", dict{"a": []any{int32(1), nil, true}}, dict{"a": []any{int32(1), nil, true}}},
	} {
		same(checks, fmt.Sprintf("%s %.40v", each.method, each.sent), each.found, func() (any, error) {
			value, err := ask(c.types, each.method, each.sent)
			return comparable(value), err
		})
	}
	same(checks, "nothing", any(nil), func() (any, error) { return ask(c.types, "echoNothing") })
}

// useNulls shows what a provider in dubbo-go makes of a null: an answer that its own consumer cannot read.
func (c *consumer) useNulls(checks *checks) {
	present := int64(5)
	for _, each := range []*int64{&present, nil} {
		checks.check(fmt.Sprint("present: ", each != nil), func() error {
			var value any
			soon := client.WithCallRequestTimeout(2 * time.Second)
			err := c.types.CallUnary(context.Background(), []any{each}, &value, "echoBoxedI64", soon)
			if (err == nil && value == present) != (each != nil) {
				return fmt.Errorf("got %v, %v", value, err)
			}
			return nil
		})
	}
}

// comparable gives what dubbo-go reads as a pointer, or as something that keeps more than its value, as a value.
func comparable(value any) any {
	switch found := value.(type) {
	case *big.Decimal:
		return found.String()
	case *big.Integer:
		return found.String()
	case *java_util.UUID:
		return found.String()
	case *Status:
		return *found
	case *java8_time.LocalDate:
		return *found
	case *java8_time.LocalTime:
		return *found
	case *java8_time.Instant:
		return *found
	case *java8_time.Duration:
		return *found
	case time.Time:
		return found.UTC().Format(time.RFC3339Nano)
	}
	return value
}
