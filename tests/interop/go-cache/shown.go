package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// shown gives a value in types of JSON; bytes are text where they are UTF-8 and "hex:…" elsewhere.
func shown(value any) any {
	switch value := value.(type) {
	case []byte:
		return shown(string(value))
	case string:
		if utf8.ValidString(value) {
			return value
		}
		return "hex:" + hex.EncodeToString([]byte(value))
	case error:
		return "error: " + value.Error()
	case []any:
		list := make([]any, len(value))
		for index, each := range value {
			list[index] = shown(each)
		}
		return list
	case map[any]any:
		object := map[string]any{}
		for key, each := range value {
			object[fmt.Sprint(shown(key))] = shown(each)
		}
		return object
	}
	return value
}

// check prints a line of JSON with what a step gives, or with its error.
func check(name string, step func() (any, error)) {
	line := map[string]any{"check": name}
	if value, err := step(); err != nil {
		line["error"] = err.Error()
	} else {
		line["value"] = shown(value)
	}
	printed(line)
}

func printed(line map[string]any) {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(line); err != nil {
		panic(err)
	}
}

// all gives the values of steps in turn; an error is a value too.
func all(steps ...func() (any, error)) (any, error) {
	values := make([]any, len(steps))
	for index, step := range steps {
		value, err := step()
		if err != nil {
			value = "error: " + err.Error()
		}
		values[index] = value
	}
	return values, nil
}

func sorted(list []string) []string {
	sort.Strings(list)
	return list
}

// main runs what the arguments say, NAME:PORT, after a line that names it.
func main() {
	for _, argument := range os.Args[1:] {
		at := strings.LastIndex(argument, ":")
		port, err := strconv.Atoi(argument[at+1:])
		if err != nil {
			panic(err)
		}
		printed(map[string]any{"run": argument[:at]})
		runs[argument[:at]](fmt.Sprintf("127.0.0.1:%d", port))
	}
}
