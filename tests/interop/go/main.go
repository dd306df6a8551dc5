// Uses demo.Catalog and demo.Types over http:// with net/http: client BASE_URL SCENARIO,…
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	scenarios := map[string]func(*checks, client){
		"basic": basic, "values": values, "errors": errors, "headers": headers, "concurrent": concurrent,
	}
	checks := &checks{}
	for _, name := range strings.Split(os.Args[2], ",") {
		fmt.Println("scenario " + name)
		scenarios[name](checks, client{os.Args[1]})
	}
	checks.summary()
}
