// Uses demo.Catalog and demo.Types with jayson, a JSON-RPC client: `node jayson_client.mjs BASE_URL PATH,…`.

import { deepStrictEqual, ok, strictEqual } from "node:assert";
import jayson from "jayson";
import { check, same, summary } from "./checks.mjs";

const [base, paths] = process.argv.slice(2);

/** One path is for a service, `/jsonrpc` for all of them: there the method's name begins with the service's. */
async function run(path) {
  const client = jayson.client.http(`${base}${path}`);
  const name = (service, method) => (path === "/jsonrpc" ? `${service}.${method}` : method);
  const respond = (...request) => new Promise((resolve, reject) =>
    client.request(...request, (trouble, response) => (trouble ? reject(trouble) : resolve(response))));
  const ask = async (...request) => {
    const response = await respond(...request);
    if (response.error) throw new Error(JSON.stringify(response.error));
    return response.result;
  };
  const catalog = (method) => name("demo.Catalog", method);

  const before = await check("count", () => ask(catalog("count"), []));
  const product = {
    id: 0, name: `Teekanne 茶 ${process.hrtime.bigint()}`, price: "12.3400", tags: ["interop"],
    created_at: "2024-01-02T03:04:05.678901Z", updated_at: null, stock: { north: 7 }, status: "PREORDER", maker: null,
  };
  product.id = await check("put, in order", () => ask(catalog("put"), [product]));
  await same("find, named", product, () => ask(catalog("find"), { product_id: product.id }));
  await same("find, the other overload", product, () => ask(catalog("find"), { name: product.name }));
  await same("search", [product], () => ask(catalog("search"), [product.name, 10, ["interop"]]));
  await same("price history", ["12.3400"], async () =>
    Object.values(await ask(catalog("price_history"), [product.id])).slice(-1));
  await same("reserve", 5, () => ask(catalog("reserve"), { product_id: product.id, warehouse: "north", quantity: 2 }));
  await check("an exception is an error", async () => {
    const { error } = await respond(catalog("find"), [-5]);
    ok(Number.isInteger(error.code) && error.message.length > 0);
    strictEqual(error.data.type, "urn:polyport:exception:demo.ProductNotFound");
    strictEqual(error.data.exception.product_id, -5);
  });
  await same("no such method", -32601, async () => (await respond(catalog("nothing"), [])).error.code);
  await check("a notification has no answer", async () =>
    strictEqual(await respond(catalog("touch"), [product.id], null), undefined));
  await check("... and had its effect", async () => {
    while ((await ask(catalog("find"), [product.id])).updated_at === null);
  });
  await check("a batch", async () => {
    const batch = [
      client.request(catalog("count"), [], "text id", false),
      client.request(catalog("touch"), [product.id], null, false),
      client.request(catalog("slow"), { millis: 5 }, 7, false),
      client.request(catalog("nothing"), [], 8, false),
    ];
    const answers = await new Promise((resolve, reject) =>
      client.request(batch, (trouble, responses) => (trouble ? reject(trouble) : resolve(responses))));
    const byId = new Map(answers.map((each) => [each.id, each.result ?? each.error.code]));
    deepStrictEqual(byId, new Map([["text id", before + 1], [7, "slept 5 ms"], [8, -32601]]));
  });
  await same("remove", true, () => ask(catalog("remove"), [product.id]));
  await same("slow", "slept 5 ms", () => ask(catalog("slow"), [5]));
}

for (const path of paths.split(",")) {
  console.log(`path ${path}`);
  await run(path);
}
summary();
