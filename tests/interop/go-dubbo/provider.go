package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"dubbo.apache.org/dubbo-go/v3/common/constant"
	"dubbo.apache.org/dubbo-go/v3/protocol"
	"dubbo.apache.org/dubbo-go/v3/server"
	"github.com/apache/dubbo-go-hessian2/java8_time"
	big "github.com/dubbogo/gost/math/big"
)

const startSeconds = 20

// Catalog has one product. dubbo-go knows a method by its name alone, so one `find` stands for both.
type Catalog struct{}

func lamp() *Product {
	country := "DE"
	price, _ := big.NewDecFromString("49.90")
	return &Product{
		ID: 7, Name: "Teekanne 茶 😀", Price: price, Tags: []string{"go", "茶"},
		CreatedAt: &java8_time.Instant{Seconds: 1_767_342_600, Nanos: 123_456_000},
		UpdatedAt: time.UnixMilli(1_700_000_000_123), Stock: map[string]int32{"berlin": 12, "oslo": 0},
		Status: 1, Maker: &Maker{Name: "Lumen", Parent: &Maker{Name: "Group", Country: &country}},
	}
}

func (*Catalog) Find(_ context.Context, key any) (*Product, error) {
	if key == int64(7) || key == lamp().Name {
		return lamp(), nil
	}
	id, _ := key.(int64)
	return nil, &ProductNotFound{DetailMessage: fmt.Sprintf("no product %v", key), ProductID: id}
}

func (*Catalog) Count(context.Context) (int64, error) { return 7, nil }

func (*Catalog) Search(_ context.Context, _ string, limit int32, _ any) ([]*Product, error) {
	return []*Product{lamp(), lamp()}[:min(limit, 2)], nil
}

// Put gives the id of the product that it was given, when that is the one that Find gives.
func (*Catalog) Put(_ context.Context, product *Product) (int64, error) {
	found, expected := fmt.Sprintf("%+v", plain(product)), fmt.Sprintf("%+v", plain(lamp()))
	if found != expected {
		return 0, fmt.Errorf("expected %s, got %s", expected, found)
	}
	return product.ID, nil
}

func (*Catalog) Slow(_ context.Context, millis int64) (string, error) {
	time.Sleep(time.Duration(millis) * time.Millisecond)
	return fmt.Sprintf("slept %d ms", millis), nil
}

// Types gives back what it is given; what dubbo-go reads into one type whatever the method is has that type here.
type Types struct{}

func (*Types) EchoBool(_ context.Context, v bool) (bool, error)            { return v, nil }
func (*Types) EchoBoxedBool(_ context.Context, v any) (any, error)         { return v, nil }
func (*Types) EchoI8(_ context.Context, v int32) (int32, error)            { return v, nil }
func (*Types) EchoI16(_ context.Context, v int32) (int32, error)           { return v, nil }
func (*Types) EchoI32(_ context.Context, v int32) (int32, error)           { return v, nil }
func (*Types) EchoI64(_ context.Context, v int64) (int64, error)           { return v, nil }
func (*Types) EchoBoxedI8(_ context.Context, v any) (any, error)           { return v, nil }
func (*Types) EchoBoxedI16(_ context.Context, v any) (any, error)          { return v, nil }
func (*Types) EchoBoxedI32(_ context.Context, v any) (any, error)          { return v, nil }
func (*Types) EchoBoxedI64(_ context.Context, v any) (any, error)          { return v, nil }
func (*Types) EchoF32(_ context.Context, v float64) (float64, error)       { return v, nil }
func (*Types) EchoF64(_ context.Context, v float64) (float64, error)       { return v, nil }
func (*Types) EchoBoxedF32(_ context.Context, v any) (any, error)          { return v, nil }
func (*Types) EchoBoxedF64(_ context.Context, v any) (any, error)          { return v, nil }
func (*Types) EchoBigint(_ context.Context, v *big.Integer) (any, error)   { return v, nil }
func (*Types) EchoDecimal(_ context.Context, v *big.Decimal) (any, error)  { return v, nil }
func (*Types) EchoChar(_ context.Context, v string) (string, error)        { return v, nil }
func (*Types) EchoBoxedChar(_ context.Context, v any) (any, error)         { return v, nil }
func (*Types) EchoString(_ context.Context, v string) (string, error)      { return v, nil }
func (*Types) EchoBytes(_ context.Context, v []byte) ([]byte, error)       { return v, nil }
func (*Types) EchoDate(_ context.Context, v any) (any, error)              { return v, nil }
func (*Types) EchoTime(_ context.Context, v any) (any, error)              { return v, nil }
func (*Types) EchoDatetime(_ context.Context, v any) (any, error)          { return v, nil }
func (*Types) EchoJavaDate(_ context.Context, v time.Time) (any, error)    { return v, nil }
func (*Types) EchoLocalDatetime(_ context.Context, v any) (any, error)     { return v, nil }
func (*Types) EchoDuration(_ context.Context, v any) (any, error)          { return v, nil }
func (*Types) EchoUuid(_ context.Context, v any) (any, error)              { return v, nil }
func (*Types) EchoIntList(_ context.Context, v any) (any, error)           { return v, nil }
func (*Types) EchoLongList(_ context.Context, v any) (any, error)          { return v, nil }
func (*Types) EchoStringList(_ context.Context, v any) (any, error)        { return v, nil }
func (*Types) EchoNestedList(_ context.Context, v any) (any, error)        { return v, nil }
func (*Types) EchoStringSet(_ context.Context, v any) (any, error)         { return v, nil }
func (*Types) EchoLongSet(_ context.Context, v any) (any, error)           { return v, nil }
func (*Types) EchoStringMap(_ context.Context, v any) (any, error)         { return v, nil }
func (*Types) EchoIntMap(_ context.Context, v any) (any, error)            { return v, nil }
func (*Types) EchoEnumMap(_ context.Context, v any) (any, error)           { return v, nil }
func (*Types) EchoStructMap(_ context.Context, v any) (any, error)         { return v, nil }
func (*Types) EchoNestedMap(_ context.Context, v any) (any, error)         { return v, nil }
func (*Types) EchoIntArray(_ context.Context, v []int32) ([]int32, error)  { return v, nil }
func (*Types) EchoLongArray(_ context.Context, v []int64) ([]int64, error) { return v, nil }
func (*Types) EchoDoubleArray(_ context.Context, v []float64) (any, error) { return v, nil }
func (*Types) EchoStringArray(_ context.Context, v []string) (any, error)  { return v, nil }
func (*Types) EchoMakerArray(_ context.Context, v any) (any, error)        { return v, nil }
func (*Types) EchoEnum(_ context.Context, v *Status) (Status, error)       { return *v, nil }
func (*Types) EchoStruct(_ context.Context, v *Maker) (*Maker, error)      { return v, nil }
func (*Types) EchoEverything(_ context.Context, v any) (any, error)        { return v, nil }
func (*Types) EchoAny(_ context.Context, v any) (any, error)               { return v, nil }
func (*Types) EchoNothing(context.Context) (any, error)                    { return nil, nil }
func (*Types) EchoNullable(_ context.Context, v any) (any, error)          { return v, nil }
func (*Types) FailUndeclared(_ context.Context, why string) (string, error) {
	return "", errors.New(why)
}

func (*Types) EchoAttachments(ctx context.Context, key string) (any, error) {
	attachments, _ := ctx.Value(constant.AttachmentKey).(map[string]any)
	return attachments[key], nil
}

// serve prints `READY <port>` and runs until its input ends.
func serve() error {
	port, err := freePort()
	if err != nil {
		return err
	}
	provider, err := server.NewServer(
		server.WithServerProtocol(protocol.WithDubbo(), protocol.WithPort(port)),
		server.WithServerSerialization(constant.Hessian2Serialization),
	)
	if err != nil {
		return err
	}
	for name, service := range map[string]any{"demo.Catalog": &Catalog{}, "demo.Types": &Types{}} {
		if err = provider.Register(service, nil, server.WithInterface(name), server.WithNotRegister()); err != nil {
			return err
		}
	}
	failed := make(chan error, 1)
	go func() { failed <- provider.Serve() }()
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for end := time.Now().Add(startSeconds * time.Second); ; time.Sleep(10 * time.Millisecond) {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			_ = connection.Close()
			break
		}
		select {
		case err = <-failed:
			return err
		default:
			if time.Now().After(end) {
				return err
			}
		}
	}
	fmt.Printf("READY %d\n", port)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
