package main

import (
	"bufio"
	"fmt"
	"os"
	"time"

	"dubbo.apache.org/dubbo-go/v3/client"
	"dubbo.apache.org/dubbo-go/v3/registry"
	"dubbo.apache.org/dubbo-go/v3/remoting/getty"
)

// idle makes a call, says `idle`, does nothing until it is told to, and makes another one over the same connection.
func idle(address string) error {
	settings := getty.GetDefaultClientConfig()
	settings.ConnectionNum = 1
	settings.HeartbeatPeriod = "500ms"
	getty.SetClientConf(*settings)
	c, err := connect(client.WithClientURL("dubbo://" + address))
	if err != nil {
		return err
	}
	checks := &checks{}
	count := func() (any, error) { return ask(c.catalog, "count") }
	same(checks, "before", any(int64(3)), count)
	fmt.Println("idle")
	if _, err = bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	same(checks, "after", any(int64(3)), count)
	checks.summary()
	return nil
}

// discover uses the services that ZooKeeper names.
func discover(address string) error {
	c, err := connect(client.WithClientRegistry(
		registry.WithZookeeper(), registry.WithAddress(address), registry.WithRegisterInterface(),
		registry.WithTimeout(10*time.Second),
	))
	if err != nil {
		return err
	}
	checks := &checks{}
	same(checks, "count", any(int64(3)), func() (any, error) { return ask(c.catalog, "count") })
	same(checks, "find", deskLamp(), func() (any, error) { return product(c.find(int64(1))) })
	same(checks, "echo", any("茶"), func() (any, error) { return ask(c.types, "echoString", "茶") })
	checks.summary()
	return nil
}
