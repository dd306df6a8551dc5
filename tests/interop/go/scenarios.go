package main

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"sync"
	"time"
)

const (
	concurrentCalls = 100
	catalog         = "demo.Catalog/"
	types           = "demo.Types/"
	exception       = "urn:polyport:exception:"
	refusal         = "urn:polyport:error:"
)

type maker struct {
	Name    string  `json:"name"`
	Country *string `json:"country"`
	Parent  *maker  `json:"parent"`
}

type product struct {
	ID        int64            `json:"id"`
	Name      string           `json:"name"`
	Price     string           `json:"price"`
	Tags      []string         `json:"tags"`
	CreatedAt time.Time        `json:"created_at"`
	UpdatedAt *time.Time       `json:"updated_at"`
	Stock     map[string]int32 `json:"stock"`
	Status    string           `json:"status"`
	Maker     *maker           `json:"maker"`
}

type named map[string]any

func newProduct() product {
	country := "DE"
	return product{
		Name:      fmt.Sprintf("Teekanne 茶 😀 %d", time.Now().UnixNano()),
		Price:     "12.3400",
		Tags:      []string{"interop", "茶"},
		CreatedAt: time.Date(2024, 1, 2, 3, 4, 5, 678_901_000, time.UTC),
		Stock:     map[string]int32{"north": 7, "south": 0},
		Status:    "PREORDER",
		Maker:     &maker{"Maker", nil, &maker{"Owner", &country, nil}},
	}
}

// expected says what is wrong with what a refusal says; fields are names and values of the exception in turn.
func expected(said problem, err error, kind string, status int, fields ...any) error {
	if err != nil {
		return err
	}
	if said.Type != kind || said.Status != status {
		return fmt.Errorf("expected %s with %d, got %+v", kind, status, said)
	}
	for index := 0; index < len(fields); index += 2 {
		if got := said.Exception[fields[index].(string)]; !reflect.DeepEqual(got, fields[index+1]) {
			return fmt.Errorf("%s: expected %v, got %v", fields[index], fields[index+1], got)
		}
	}
	return nil
}

func basic(c *checks, to client) {
	var before int64
	c.check("count by GET", func() (err error) {
		before, err = get[int64](to, catalog+"count", nil)
		return err
	})
	made := newProduct()
	c.check("put gives an id", func() (err error) {
		made.ID, err = call[int64](to, catalog+"put", named{"product": made})
		return err
	})
	byID := named{"product_id": made.ID}
	same(c, "count has grown", before+1, func() (int64, error) { return call[int64](to, catalog+"count", named{}) })
	same(c, "find by id, named", made, func() (product, error) { return call[product](to, catalog+"find", byID) })
	same(c, "find by id, in a query", made, func() (product, error) {
		return get[product](to, catalog+"find", url.Values{"product_id": {strconv.FormatInt(made.ID, 10)}})
	})
	same(c, "find by name, the other overload", made, func() (product, error) {
		return call[product](to, catalog+"find", named{"name": made.Name})
	})
	same(c, "search, in order", []product{made}, func() ([]product, error) {
		return call[[]product](to, catalog+"search", []any{made.Name, 5, []string{"茶"}})
	})
	same(c, "search, a list in a query", []product{made}, func() ([]product, error) {
		return get[[]product](to, catalog+"search", url.Values{"text": {made.Name}, "tags": {"interop", "茶"}})
	})
	same(c, "search with another tag", []product{}, func() ([]product, error) {
		return call[[]product](to, catalog+"search", named{"text": "", "tags": []string{"no such tag"}})
	})
	c.check("price history", func() error {
		history, err := call[map[string]string](to, catalog+"price_history", byID)
		if err == nil && history["2024-01-02"] != "12.3400" {
			err = fmt.Errorf("got %v", history)
		}
		return err
	})
	same(c, "reserve", int32(5), func() (int32, error) {
		return call[int32](to, catalog+"reserve", named{"product_id": made.ID, "warehouse": "north", "quantity": 2})
	})
	c.check("reserve too many", func() error {
		said, err := to.problem(catalog+"reserve", []any{made.ID, "north", 100})
		return expected(said, err, exception+"demo.OutOfStock", 422, "warehouse", "north", "missing", 95.0)
	})
	c.check("find unknown", func() error {
		said, err := to.problem(catalog+"find", named{"product_id": -5})
		return expected(said, err, exception+"demo.ProductNotFound", 422, "product_id", -5.0)
	})
	same(c, "touch has no answer", "", func() (string, error) {
		answer, err := to.post(catalog+"touch", byID)
		return answer.text, err
	})
	c.check("touch had an effect", func() error {
		for {
			touched, err := call[product](to, catalog+"find", byID)
			if err != nil || touched.UpdatedAt != nil {
				return err
			}
		}
	})
	same(c, "remove", true, func() (bool, error) { return call[bool](to, catalog+"remove", byID) })
	same(c, "remove again", false, func() (bool, error) { return call[bool](to, catalog+"remove", []any{made.ID}) })
	same(c, "slow", "slept 30 ms", func() (string, error) {
		return call[string](to, catalog+"slow", named{"millis": 30})
	})
	c.check("slow beyond the deadline", func() error {
		said, err := to.problem(catalog+"slow", named{"millis": 5000}, "Polyport-Timeout", "0.2")
		return expected(said, err, refusal+"deadline-exceeded", http.StatusGatewayTimeout)
	})
	same(c, "and the connection is still good", before, func() (int64, error) {
		return call[int64](to, catalog+"count", named{})
	})
}

func values(c *checks, to client) {
	for _, number := range []int64{1<<53 + 1, -1 << 63, 1<<63 - 1} {
		same(c, fmt.Sprintf("i64 %d", number), number, func() (int64, error) {
			return call[int64](to, types+"echo_i64", named{"value": number})
		})
	}
	for method, texts := range map[string][]string{
		"echo_decimal":  {"1.20", "-0.000", "123456789012345678901234567890.5"},
		"echo_f64":      {"NaN", "Infinity", "-Infinity"},
		"echo_string":   {"茶 😀 \t\n\x00\""},
		"echo_nullable": {"there"},
	} {
		for _, text := range texts {
			same(c, fmt.Sprintf("%s %q", method, text), text, func() (string, error) {
				return call[string](to, types+method, named{"value": text})
			})
		}
	}
	same(c, "bytes", []byte{0, 255, 16}, func() ([]byte, error) {
		return call[[]byte](to, types+"echo_bytes", named{"value": []byte{0, 255, 16}})
	})
	same(c, "null", (*string)(nil), func() (*string, error) {
		return call[*string](to, types+"echo_nullable", named{"value": nil})
	})
	same(c, "nothing", answer{status: http.StatusNoContent}, func() (answer, error) {
		said, err := to.post(types+"echo_nothing", named{})
		return answer{status: said.status, text: said.text}, err
	})
}

func errors(c *checks, to client) {
	refused := func(name, kind string, status int, path string, arguments any) {
		c.check(name, func() error {
			said, err := to.problem(path, arguments)
			return expected(said, err, refusal+kind, status)
		})
	}
	refused("no such service", "no-such-service", http.StatusNotFound, "demo.Nothing/find", named{})
	refused("no such method", "no-such-method", http.StatusNotFound, catalog+"nothing", named{})
	c.check("a number for a text", func() error {
		said, err := to.problem(types+"echo_struct", `{"value": {"name": "", "parent": {"name": 5}}}`)
		if err == nil && said.Path != "args[0].parent.name" {
			return fmt.Errorf("path %q", said.Path)
		}
		return expected(said, err, refusal+"bad-request", http.StatusBadRequest)
	})
	c.check("declared exception", func() error {
		said, err := to.problem(types+"fail_declared", named{"message": "why 茶"})
		culprit := map[string]any{"name": "Acme", "country": "US", "parent": nil}
		return expected(said, err, exception+"demo.TypesFailure", 422, "message", "why 茶", "code", 42.0, "culprit", culprit)
	})
	c.check("undeclared exception", func() error {
		said, err := to.problem(types+"fail_undeclared", named{"message": "because"})
		return expected(said, err, "urn:polyport:exception", http.StatusInternalServerError)
	})
}

func headers(c *checks, to client) {
	c.check("attachments both ways", func() error {
		const name, value = "Polyport-Attachment-X.key_1", "Mixed%20Value%20%E8%8C%B6"
		answer, err := to.post(types+"echo_attachments", named{"key": "X.key_1"}, name, value)
		if err != nil {
			return err
		}
		back, err := url.PathUnescape(answer.header.Get(name))
		if answer.text != `"Mixed Value 茶"` || back != "Mixed Value 茶" {
			return fmt.Errorf("got %s and %q", answer.text, back)
		}
		return err
	})
	same(c, "traceparent", "alone", func() (string, error) {
		trace := "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		return call[string](to, types+"echo_string", []any{"alone"}, "traceparent", trace)
	})
}

func concurrent(c *checks, to client) {
	c.check(fmt.Sprintf("%d calls at once", concurrentCalls), func() error {
		failures := make(chan error, concurrentCalls)
		var all sync.WaitGroup
		for index := int32(0); index < concurrentCalls; index++ {
			all.Add(1)
			go func(value int32) {
				defer all.Done()
				back, err := call[int32](to, types+"echo_i32", named{"value": value})
				if err == nil && back != value {
					err = fmt.Errorf("expected %d, got %d", value, back)
				}
				if err != nil {
					failures <- err
				}
			}(index)
		}
		all.Wait()
		close(failures)
		return <-failures
	})
}
