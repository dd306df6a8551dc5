// Provides demo.Catalog and demo.Types with Apache's library and generated code: `node thrift_server.mjs GENERATED`.
// Prints READY and eight ports: of four styles with names of services, and of the same for demo.Catalog alone.

import { once } from "node:events";
import { generated, styles } from "./thrift_styles.mjs";

const { thrift, Catalog, Types, demo } = generated(process.argv[2]);
let touched = 0;

const find = (id) => {
  if (Number(id) === 42) throw new demo.ProductNotFound({ message: "no product 42", product_id: 42 });
  return new demo.Product({
    id,
    name: "Teekanne 茶 😀",
    price: "49.90",
    tags: ["kitchen"],
    created_at: 1_767_342_600_123_456,
    updated_at: 1_700_000_000_123_000,
    stock: { berlin: 12, oslo: 0 },
    status: demo.Status.PREORDER,
    maker: new demo.Maker({ name: "Lumen", parent: new demo.Maker({ name: "Northwind", country: "SE" }) }),
  });
};

// Generated code asks a handler for how many parameters it has: with one more than the method there is a callback.
const catalog = {
  find: async (id) => find(id),
  find_by_name: async (_name) => find(7),
  search: async (text, limit, tags) => {
    const found = Object.assign(find(7), { name: text, tags: [...(tags ?? [])].sort() });
    return Array(limit).fill(found);
  },
  put: async (product) => product.id,
  remove: async (id) => Number(id) === 7,
  price_history: async (_id) => ({ "2026-01-02": "49.90" }),
  reserve: async (_id, warehouse, missing) => {
    throw new demo.OutOfStock({ message: "empty", warehouse, missing });
  },
  slow: async (millis) => {
    await new Promise((done) => setTimeout(done, Number(millis)));
    return `slept ${Number(millis)} ms`;
  },
  count: async () => touched,
  touch: async (_id) => {
    touched += 1;
  },
};

const special = {
  echo_nothing: async () => undefined,
  echo_attachments: async (_key) => null,
  fail_declared: async (message) => {
    throw new demo.TypesFailure({ message, code: 42, culprit: new demo.Maker({ name: "Acme", country: "US" }) });
  },
  fail_undeclared: async (message) => {
    throw new Error(message);
  },
};
const types = new Proxy(special, { get: (target, name) => target[name] ?? (async (value) => value) });

async function listen(server) {
  server.on("error", (trouble) => console.error(trouble));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}

const named = new thrift.MultiplexedProcessor();
named.registerProcessor("demo.Catalog", new Catalog.Processor(catalog));
named.registerProcessor("demo.Types", new Types.Processor(types));
const ports = [];
for (const [, options] of styles(thrift)) {
  ports.push(await listen(thrift.createMultiplexServer(named, options)));
}
for (const [, options] of styles(thrift)) {
  ports.push(await listen(thrift.createServer(Catalog, catalog, options)));
}
console.log("READY", ...ports);
process.stdin.on("end", () => process.exit(0)).resume();
