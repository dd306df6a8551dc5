// Uses demo.Catalog and demo.Types over http:// with Node's own fetch: `node fetch_client.mjs BASE_URL SCENARIO,…`.

import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { check, same, summary } from "./checks.mjs";

const CONCURRENT = 100;
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const EDGE = "9007199254740993"; // 2^53 + 1, the first integer that JavaScript rounds

const [base, wanted] = process.argv.slice(2);

/** Sends JSON (a value, or text as it is) and reads what comes: status, headers, text, and the value of JSON. */
async function exchange(path, body, headers = {}) {
  const response = await fetch(`${base}/${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
    body: typeof body === "object" ? JSON.stringify(body) : body,
  });
  const text = await response.text();
  const type = (response.headers.get("content-type") ?? "").split(";")[0];
  return { status: response.status, headers: response.headers, type, text, value: text ? JSON.parse(text) : undefined };
}

async function call(path, body, headers) {
  const answer = await exchange(path, body, headers);
  if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`);
  return answer;
}

const value = async (...request) => (await call(...request)).value;

/** What a failed request says (RFC 9457), checked for its form. */
async function problem(...request) {
  const answer = await exchange(...request);
  strictEqual(answer.type, "application/problem+json", answer.text);
  strictEqual(answer.value.status, answer.status);
  ok(answer.value.title.length > 0);
  return answer.value;
}

const catalog = (method) => `demo.Catalog/${method}`;
const types = (method) => `demo.Types/${method}`;

function newProduct() {
  return {
    id: 0,
    name: `Teekanne 茶 😀 ${process.hrtime.bigint()}`,
    price: "12.3400",
    tags: ["interop", "茶"],
    created_at: "2024-01-02T03:04:05.678901Z",
    updated_at: null,
    stock: { north: 7, south: 0 },
    status: "PREORDER",
    maker: { name: "Maker", country: null, parent: { name: "Owner", country: "DE", parent: null } },
  };
}

async function basic() {
  const before = await check("count by GET", () => value(catalog("count")));
  await same("count by POST", before, () => value(catalog("count"), {}));
  const product = newProduct();
  product.id = await check("put gives an id", async () => {
    const id = await value(catalog("put"), { product });
    ok(Number.isInteger(id) && id > 0);
    return id;
  });
  const id = product.id;
  await same("count has grown", before + 1, () => value(catalog("count"), []));
  await same("find by id, named", product, () => value(catalog("find"), { product_id: id }));
  await same("find by id, in a query", product, () => value(`${catalog("find")}?product_id=${id}`));
  await same("find by name, the other overload", product, () => value(catalog("find"), { name: product.name }));
  await same("search, in order", [product], () => value(catalog("search"), [product.name, 5, null]));
  await same("search, defaults", [product], () => value(catalog("search"), { text: product.name }));
  const query = new URLSearchParams([["text", product.name], ["tags", "interop"], ["tags", "茶"]]);
  await same("search, a list in a query", [product], () => value(`${catalog("search")}?${query}`));
  await same("search with another tag", [], () => value(catalog("search"), { text: "", tags: ["no such tag"] }));
  await same("price history", ["12.3400"], async () =>
    Object.values(await value(catalog("price_history"), { product_id: id })).slice(-1));
  await same("reserve", 5, () => value(catalog("reserve"), { product_id: id, warehouse: "north", quantity: 2 }));
  await check("reserve too many", async () => {
    const said = await problem(catalog("reserve"), { product_id: id, warehouse: "north", quantity: 100 });
    strictEqual(said.type, "urn:polyport:exception:demo.OutOfStock");
    deepStrictEqual([said.exception.warehouse, said.exception.missing], ["north", 95]);
  });
  await check("find unknown", async () => {
    const said = await problem(catalog("find"), { product_id: -5 });
    strictEqual(said.type, "urn:polyport:exception:demo.ProductNotFound");
    strictEqual(said.exception.product_id, -5);
  });
  await same("touch has no answer", "", async () => (await call(catalog("touch"), { product_id: id })).text);
  await check("touch had an effect", async () => {
    while ((await value(catalog("find"), { product_id: id })).updated_at === null);
  });
  await same("remove", true, () => value(catalog("remove"), { product_id: id }));
  await same("remove again", false, () => value(catalog("remove"), [id]));
  await same("slow", "slept 30 ms", () => value(catalog("slow"), { millis: 30 }));
  await check("slow beyond the deadline", async () => {
    const said = await problem(catalog("slow"), { millis: 5000 }, { "Polyport-Timeout": "0.2" });
    deepStrictEqual([said.type, said.status], ["urn:polyport:error:deadline-exceeded", 504]);
  });
  await same("and the connection is still good", before, () => value(catalog("count"), {}));
}

async function values() {
  // The texts are compared, because JavaScript itself would round the numbers.
  for (const number of [EDGE, "-9223372036854775808", "9223372036854775807"]) {
    await same(`i64 ${number}`, number, async () => (await call(types("echo_i64"), `{"value": ${number}}`)).text);
  }
  for (const text of ["1.20", "-0.000", "123456789012345678901234567890.5"]) {
    await same(`decimal ${text}`, text, () => value(types("echo_decimal"), { value: text }));
  }
  for (const text of ["NaN", "Infinity", "-Infinity"]) {
    await same(`f64 ${text}`, text, () => value(types("echo_f64"), [text]));
  }
  await same("text", "茶 😀 \t\n\0\"", () => value(types("echo_string"), { value: "茶 😀 \t\n\0\"" }));
  await same("bytes", "AP8Q", () => value(types("echo_bytes"), { value: "AP8Q" }));
  await same("null", null, () => value(types("echo_nullable"), { value: null }));
  await same("nothing", "", async () => (await call(types("echo_nothing"), {})).text);
}

async function errors() {
  const refused = (name, type, status, path, ...request) =>
    check(name, async () => {
      const said = await problem(...request);
      deepStrictEqual([said.type, said.status, said.path], [`urn:polyport:error:${type}`, status, path]);
    });
  await refused("no such service", "no-such-service", 404, undefined, "demo.Nothing/find", {});
  await refused("no such method", "no-such-method", 404, undefined, catalog("nothing"), {});
  await refused("a number for a text", "bad-request", 400, "args[0].parent.name", types("echo_struct"),
    { value: { name: "", parent: { name: 5 } } });
  await check("not JSON", async () => strictEqual((await problem(catalog("count"), "{")).status, 400));
  await check("declared exception", async () => {
    const said = await problem(types("fail_declared"), { message: "why 茶" });
    strictEqual(said.type, "urn:polyport:exception:demo.TypesFailure");
    deepStrictEqual([said.exception.message, said.exception.code], ["why 茶", 42]);
    strictEqual(said.exception.culprit.name, "Acme");
  });
  await check("undeclared exception", async () =>
    strictEqual((await problem(types("fail_undeclared"), { message: "because" })).status, 500));
}

async function headers() {
  await check("attachments both ways", async () => {
    const sent = { "Polyport-Attachment-x.key_1": "Mixed%20Value%20%E8%8C%B6" };
    const answer = await call(types("echo_attachments"), { key: "x.key_1" }, sent);
    strictEqual(answer.value, "Mixed Value 茶");
    strictEqual(decodeURIComponent(answer.headers.get("polyport-attachment-x.key_1")), "Mixed Value 茶");
  });
  await same("an absent attachment", null, () => value(types("echo_attachments"), { key: "absent" }));
  await same("traceparent", "alone", () =>
    value(types("echo_string"), ["alone"], { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }));
}

async function concurrent() {
  await same(`${CONCURRENT} calls at once`, Array.from({ length: CONCURRENT }, (_, index) => index), () =>
    Promise.all(Array.from({ length: CONCURRENT }, (_, index) => value(types("echo_i32"), { value: index }))));
}

const SCENARIOS = { basic, values, errors, headers, concurrent };

for (const name of wanted.split(",")) {
  console.log(`scenario ${name}`);
  await SCENARIOS[name]();
}
summary();
