package main

import (
	"fmt"
	"reflect"
	"strings"
)

// checks counts checks and prints a line for each: "ok <name>" or "FAIL <name>: why".
type checks struct{ passed, total int }

// check passes when the step returns no error.
func (c *checks) check(name string, step func() error) {
	c.total++
	if err := step(); err != nil {
		fmt.Printf("FAIL %s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", " | "))
		return
	}
	c.passed++
	fmt.Printf("ok %s\n", name)
}

// same passes when the step gives a value deeply equal to the expected one.
func same[T any](c *checks, name string, expected T, step func() (T, error)) {
	c.check(name, func() error {
		value, err := step()
		if err == nil && !reflect.DeepEqual(value, expected) {
			err = fmt.Errorf("expected %v, got %v", expected, value)
		}
		return err
	})
}

func (c *checks) summary() { fmt.Printf("%d of %d checks\n", c.passed, c.total) }
