// Stock dubbo-go as a peer of dubbo://: `peer consume ADDRESS [GROUP]`, `peer types ADDRESS [GROUP]`, `peer nulls ADDRESS`,
// `peer idle ADDRESS`, `peer registry ZOOKEEPER`, `peer serve`, `peer codec`.
package main

import (
	"fmt"
	"os"

	_ "dubbo.apache.org/dubbo-go/v3/cluster/cluster/failover"
	_ "dubbo.apache.org/dubbo-go/v3/cluster/loadbalance/random"
	_ "dubbo.apache.org/dubbo-go/v3/filter/accesslog"
	_ "dubbo.apache.org/dubbo-go/v3/filter/echo"
	_ "dubbo.apache.org/dubbo-go/v3/filter/exec_limit"
	_ "dubbo.apache.org/dubbo-go/v3/filter/generic"
	_ "dubbo.apache.org/dubbo-go/v3/filter/graceful_shutdown"
	_ "dubbo.apache.org/dubbo-go/v3/filter/token"
	_ "dubbo.apache.org/dubbo-go/v3/filter/tps"
	_ "dubbo.apache.org/dubbo-go/v3/filter/tps/limiter"
	_ "dubbo.apache.org/dubbo-go/v3/filter/tps/strategy"
	_ "dubbo.apache.org/dubbo-go/v3/metadata/report/zookeeper"
	_ "dubbo.apache.org/dubbo-go/v3/protocol/dubbo"
	_ "dubbo.apache.org/dubbo-go/v3/proxy/proxy_factory"
	_ "dubbo.apache.org/dubbo-go/v3/registry/directory"
	_ "dubbo.apache.org/dubbo-go/v3/registry/protocol"
	_ "dubbo.apache.org/dubbo-go/v3/registry/servicediscovery"
	_ "dubbo.apache.org/dubbo-go/v3/registry/zookeeper"
	"github.com/dubbogo/gost/log/logger"
	"go.uber.org/zap"
)

func main() {
	// Standard output is for what the test reads.
	logging := zap.NewDevelopmentConfig()
	logging.Level = zap.NewAtomicLevelAt(zap.WarnLevel)
	logger.InitLogger(&logger.Config{ZapConfig: &logging})

	var err error
	switch os.Args[1] {
	case "consume":
		err = use(os.Args[2:], (*consumer).useCatalog, (*consumer).useTypes, (*consumer).useAttachments, (*consumer).useAtOnce)
	case "types":
		err = use(os.Args[2:], (*consumer).useTypes)
	case "nulls":
		err = use(os.Args[2:], (*consumer).useNulls)
	case "idle":
		err = idle(os.Args[2])
	case "registry":
		err = discover(os.Args[2])
	case "serve":
		err = serve()
	case "codec":
		err = recode()
	default:
		err = fmt.Errorf("no such command: %s", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
