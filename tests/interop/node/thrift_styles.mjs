// Apache's library and what its compiler made for it; which protocols and transports it is used with.

import { createRequire } from "node:module";

/** The modules that were generated into this folder. */
export function generated(folder) {
  const load = createRequire(`${folder}/`);
  return {
    thrift: load("thrift"),
    Int64: load("node-int64"),
    Catalog: load("./Catalog.js"),
    Types: load("./Types.js"),
    demo: load("./demo_types.js"),
  };
}

/** Binary and compact, each buffered and framed, in this order: a name, and options for clients and servers. */
export function styles(thrift) {
  const protocols = { binary: thrift.TBinaryProtocol, compact: thrift.TCompactProtocol };
  const transports = { buffered: thrift.TBufferedTransport, framed: thrift.TFramedTransport };
  return Object.entries(protocols).flatMap(([first, protocol]) =>
    Object.entries(transports).map(([second, transport]) => [`${first} ${second}`, { protocol, transport }]),
  );
}
