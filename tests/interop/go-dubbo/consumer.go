package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"dubbo.apache.org/dubbo-go/v3/client"
	"dubbo.apache.org/dubbo-go/v3/common/constant"
	"dubbo.apache.org/dubbo-go/v3/common/extension"
	"dubbo.apache.org/dubbo-go/v3/filter"
	"dubbo.apache.org/dubbo-go/v3/protocol/base"
	"dubbo.apache.org/dubbo-go/v3/protocol/dubbo/hessian2"
	"dubbo.apache.org/dubbo-go/v3/protocol/result"
)

const (
	concurrentCalls = 100
	callTimeout     = 10 * time.Second
	watching        = "watching"
)

// consumer calls the services; reply holds the attachments of the last answer.
type consumer struct {
	catalog, types *client.Connection
	mutex          sync.Mutex
	reply          map[string]any
}

var current *consumer

// watcher is a filter, which in dubbo-go is who sees the attachments of an answer.
type watcher struct{}

func (watcher) Invoke(ctx context.Context, invoker base.Invoker, invocation base.Invocation) result.Result {
	return invoker.Invoke(ctx, invocation)
}

func (watcher) OnResponse(_ context.Context, answer result.Result, _ base.Invoker, _ base.Invocation) result.Result {
	current.mutex.Lock()
	defer current.mutex.Unlock()
	current.reply = answer.Attachments()
	return answer
}

func init() { extension.SetFilter(watching, func() filter.Filter { return watcher{} }) }

func connect(options ...client.ClientOption) (*consumer, error) {
	options = append(options,
		client.WithClientProtocolDubbo(),
		client.WithClientSerialization(constant.Hessian2Serialization),
		client.WithClientRequestTimeout(callTimeout),
		client.WithClientRetries(0),
		client.WithClientFilter(watching),
	)
	factory, err := client.NewClient(options...)
	if err != nil {
		return nil, err
	}
	current = &consumer{}
	if current.catalog, err = factory.Dial("demo.Catalog"); err != nil {
		return nil, err
	}
	current.types, err = factory.Dial("demo.Types")
	return current, err
}

// ask gives what the method returned, in whatever type dubbo-go reads it.
func ask(connection *client.Connection, method string, arguments ...any) (any, error) {
	var value any
	err := connection.CallUnary(context.Background(), arguments, &value, method)
	return value, err
}

func (c *consumer) find(key any) (*Product, error) {
	value, err := ask(c.catalog, "find", key)
	if err != nil {
		return nil, err
	}
	found, ok := value.(*Product)
	if !ok {
		return nil, fmt.Errorf("got a %T", value)
	}
	return found, nil
}

// use runs checks against the services at an address, of a group when there is one.
func use(arguments []string, parts ...func(*consumer, *checks)) error {
	options := []client.ClientOption{client.WithClientURL("dubbo://" + arguments[0])}
	if len(arguments) > 1 {
		options = append(options, client.WithClientGroup(arguments[1]))
	}
	c, err := connect(options...)
	if err != nil {
		return err
	}
	checks := &checks{}
	for _, part := range parts {
		part(c, checks)
	}
	checks.summary()
	return nil
}

func (c *consumer) useCatalog(checks *checks) {
	same(checks, "count", any(int64(3)), func() (any, error) { return ask(c.catalog, "count") })
	same(checks, "find by id", deskLamp(), func() (any, error) { return product(c.find(int64(1))) })
	same(checks, "find by name", deskLamp(), func() (any, error) { return product(c.find("Desk lamp")) })
	checks.check("search", func() error {
		value, err := ask(c.catalog, "search", "desk", int32(10), []string{"office"})
		found, _ := value.([]any)
		if err == nil && (len(found) != 2 || found[0].(*Product).ID != 1 || found[1].(*Product).ID != 2) {
			err = fmt.Errorf("got %v", value)
		}
		return err
	})
	checks.check("put, and find again", func() error {
		added := lamp()
		added.ID = 0
		id, err := ask(c.catalog, "put", added)
		if err != nil {
			return err
		}
		added.ID = id.(int64)
		found, err := c.find(id)
		if err == nil && !reflect.DeepEqual(plain(found), plain(added)) {
			err = fmt.Errorf("expected %v, got %v", plain(added), plain(found))
		}
		if err != nil {
			return err
		}
		removed, err := ask(c.catalog, "remove", id)
		if err == nil && removed != true {
			err = fmt.Errorf("remove gave %v", removed)
		}
		return err
	})
	checks.check("a declared exception", func() error {
		_, err := c.find(int64(-5))
		// Its client keeps the class and the text of an exception, and nothing else.
		var found *hessian2.GenericException
		if !errors.As(err, &found) || found.ExceptionClass != "demo.ProductNotFound" || found.ExceptionMessage != "no product -5" {
			return fmt.Errorf("got %#v", err)
		}
		return nil
	})
	for _, each := range []string{"nothing", "slow"} {
		checks.check("refused: "+each, func() error {
			value, err := ask(c.catalog, each, "x")
			if err == nil {
				return fmt.Errorf("got %v", value)
			}
			return nil
		})
	}
	checks.check("still connected", func() error { _, err := ask(c.catalog, "count"); return err })
}

func (c *consumer) useAttachments(checks *checks) {
	sent := map[string]any{"trace": "茶-42"}
	ctx := context.WithValue(context.Background(), constant.AttachmentKey, sent)
	same(checks, "an attachment there", any("茶-42"), func() (any, error) {
		var value any
		err := c.types.CallUnary(ctx, []any{"trace"}, &value, "echoAttachments")
		return value, err
	})
	same(checks, "an attachment back", any("茶-42"), func() (any, error) {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		return c.reply["trace"], nil
	})
	same(checks, "no attachment", any(nil), func() (any, error) { return ask(c.types, "echoAttachments", "other") })
}

func (c *consumer) useAtOnce(checks *checks) { checks.check("concurrent", c.concurrent) }

func (c *consumer) concurrent() error {
	var group sync.WaitGroup
	troubles := make(chan error, concurrentCalls)
	for at := range concurrentCalls {
		group.Go(func() {
			value, err := ask(c.types, "echoI32", int32(at))
			if err == nil && value != int32(at) {
				err = fmt.Errorf("expected %d, got %v", at, value)
			}
			if err != nil {
				troubles <- err
			}
		})
	}
	group.Wait()
	close(troubles)
	return <-troubles
}
