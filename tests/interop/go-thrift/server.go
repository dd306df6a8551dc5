package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"polyport.interop/thrift/demo"
)

// serve provides both services on a port for each protocol and transport, in this order.
func serve() {
	catalog := demo.NewCatalogProcessor(&catalogHandler{})
	processor := thrift.NewTMultiplexedProcessor()
	processor.RegisterProcessor("demo.Catalog", catalog)
	processor.RegisterProcessor("demo.Types", demo.NewTypesProcessor(typesHandler{}))
	processor.RegisterDefault(catalog)
	ready := "READY"
	for _, protocol := range protocols {
		for _, transport := range transports {
			socket, err := thrift.NewTServerSocket("127.0.0.1:0")
			if err == nil {
				err = socket.Listen()
			}
			if err != nil {
				panic(err)
			}
			server := thrift.NewTSimpleServer4(processor, socket, transport.factory, protocol.factory)
			go server.Serve()
			ready += fmt.Sprintf(" %d", socket.Addr().(*net.TCPAddr).Port)
		}
	}
	fmt.Println(ready)
	io.Copy(io.Discard, os.Stdin)
}

type catalogHandler struct{ touched atomic.Int64 }

func (*catalogHandler) Find(_ context.Context, id int64) (*demo.Product, error) {
	if id == 42 {
		message := "no product 42"
		return nil, &demo.ProductNotFound{Message: &message, ProductID: 42}
	}
	country, updated := "SE", int64(1_700_000_000_123_000)
	return &demo.Product{
		ID: id, Name: "Teekanne 茶 😀", Price: "49.90", Tags: []string{"kitchen"}, CreatedAt: 1_767_342_600_123_456,
		UpdatedAt: &updated, Stock: map[string]int32{"berlin": 12, "oslo": 0}, Status: demo.Status_PREORDER,
		Maker: &demo.Maker{Name: "Lumen", Parent: &demo.Maker{Name: "Northwind", Country: &country}},
	}, nil
}

func (c *catalogHandler) FindByName(ctx context.Context, _ string) (*demo.Product, error) {
	return c.Find(ctx, 7)
}

func (c *catalogHandler) Search(ctx context.Context, text string, limit int32, tags []string) ([]*demo.Product, error) {
	found, err := c.Find(ctx, 7)
	slices.Sort(tags)
	found.Name, found.Tags = text, tags
	return slices.Repeat([]*demo.Product{found}, int(limit)), err
}

func (*catalogHandler) Put(_ context.Context, product *demo.Product) (int64, error) {
	return product.ID, nil
}

func (*catalogHandler) Remove(_ context.Context, id int64) (bool, error) { return id == 7, nil }

func (*catalogHandler) PriceHistory(context.Context, int64) (map[string]string, error) {
	return map[string]string{"2026-01-02": "49.90"}, nil
}

func (*catalogHandler) Reserve(_ context.Context, _ int64, warehouse string, quantity int32) (int32, error) {
	message := "empty"
	return 0, &demo.OutOfStock{Message: &message, Warehouse: warehouse, Missing: quantity}
}

func (*catalogHandler) Slow(_ context.Context, millis int64) (string, error) {
	time.Sleep(time.Duration(millis) * time.Millisecond)
	return fmt.Sprintf("slept %d ms", millis), nil
}

func (c *catalogHandler) Count(context.Context) (int64, error) { return c.touched.Load(), nil }

func (c *catalogHandler) Touch(context.Context, int64) error {
	c.touched.Add(1)
	return nil
}
