// Apache's library for Go with generated code as a peer of thrift://:
//
//	peer call PORT    uses demo.Catalog and demo.Types, over both transports and protocols
//	peer serve        provides them on four ports, until its input ends
package main

import (
	"os"

	"github.com/apache/thrift/lib/go/thrift"
)

type named[T any] struct {
	name    string
	factory T
}

var settings = &thrift.TConfiguration{}

var protocols = []named[thrift.TProtocolFactory]{
	{"binary", thrift.NewTBinaryProtocolFactoryConf(settings)},
	{"compact", thrift.NewTCompactProtocolFactoryConf(settings)},
}

var transports = []named[thrift.TTransportFactory]{
	{"buffered", thrift.NewTBufferedTransportFactory(4096)},
	{"framed", thrift.NewTFramedTransportFactoryConf(thrift.NewTTransportFactory(), settings)},
}

func main() {
	if os.Args[1] == "serve" {
		serve()
		return
	}
	checks := &checks{}
	for _, transport := range transports {
		for _, protocol := range protocols {
			for _, multiplexed := range []bool{true, false} {
				use(checks, os.Args[2], transport, protocol, multiplexed)
			}
		}
	}
	checks.summary()
}
