// Uses demo.Catalog and demo.Types with the package soap, by their WSDL: `node soap_client.mjs BASE_URL VERSION,…`.
// It makes Numbers of xs:long and xs:integer, and texts of xs:byte and of all that is in a fault.

import { ok } from "node:assert";
import soap from "soap";
import { check, same, summary } from "./checks.mjs";

const [base, versions] = process.argv.slice(2);

async function port(name, version) {
  const client = await soap.createClientAsync(`${base}/demo.${name}?wsdl`, { forceSoap12Headers: version === "1.2" });
  const [operations] = [client[`${name}Service`][`${name}Port${version === "1.2" ? "12" : ""}`]];
  /** Calls an operation; gives the element `return`. */
  return (operation, args = {}) =>
    new Promise((resolve, reject) => {
      operations[operation](args, (trouble, answer) => (trouble ? reject(trouble) : resolve(answer?.return)));
    });
}

const entries = ({ entry }) => Object.fromEntries(entry.map(({ key, value }) => [key, value]));

/** The fault of a call: what stands in its detail, by name, and its text. */
async function fault(call) {
  try {
    await call();
  } catch (trouble) {
    const said = trouble.root.Envelope.Body.Fault;
    const text = said.faultstring ?? said.Reason.Text.$value ?? said.Reason.Text;
    return { text, detail: said.detail ?? said.Detail };
  }
  throw new Error("it raised nothing");
}

async function catalog(version) {
  const call = await port("Catalog", version);
  await same("count", "3", async () => String(await call("count")));
  const lamp = await check("find", () => call("find", { product_id: 1 }));
  await same("a text", "Desk lamp", () => lamp.name);
  await same("a decimal, as a number", "49.9", () => String(lamp.price));
  await same("an instant", Date.UTC(2026, 0, 2, 8, 30), () => lamp.created_at.getTime());
  await same("an instant that may be null", Date.UTC(2026, 1, 1, 8, 30, 0, 250), () => lamp.updated_at.getTime());
  await same("an enum", "ACTIVE", () => lamp.status);
  await same("a list", ["light", "office"], () => lamp.tags);
  await same("a map", { berlin: 12, oslo: 0 }, () => entries(lamp.stock));
  await same("structs in structs", "SE", () => lamp.maker.parent.country);
  const wall = await check("find another", () => call("find", { product_id: 3 }));
  await same("text beyond ASCII", "Wandleuchte „Grün“ 🌿", () => wall.name);
  await check("null", () => ok(wall.maker === undefined && wall.updated_at === undefined));
  await same("find by name", "1", async () => String((await call("find_by_name", { name: "Desk lamp" })).id));

  const missing = await fault(() => call("find", { product_id: -5 }));
  await same("a declared exception", "no product -5", () => missing.text);
  await same("its field", "-5", () => missing.detail.ProductNotFound.product_id);
  const empty = await fault(() => call("reserve", { product_id: 1, warehouse: "berlin", quantity: 1_000_000 }));
  await same("another", ["berlin", "999988"], () => {
    const { warehouse, missing: pieces } = empty.detail.OutOfStock;
    return [warehouse, pieces];
  });
  const negative = await fault(() => call("reserve", { product_id: 1, warehouse: "berlin", quantity: -1 }));
  await check("an undeclared one", () => ok(negative.text.includes("quantity is negative"), negative.text));
  const broken = await fault(() => call("find", { product_id: "one" }));
  await check("a bad argument", () => ok(broken.text.includes("args[0]"), broken.text));

  const ids = async (args) => (await call("search", args)).map(({ id }) => String(id));
  await same("search by defaults", ["1", "2"], () => ids({ text: "desk" }));
  await same("search with a limit", ["1"], () => ids({ text: "desk", limit: 1 }));
  await same("search with a set", ["1"], () => ids({ text: "", limit: 10, tags: { item: ["light"] } }));
  await same("search finds nothing", undefined, () => call("search", { text: "no such thing" }));
  await same("a map of dates", ["54.9", "49.9"], async () => {
    const { entry } = await call("price_history", { product_id: 1 });
    return entry.map(({ value }) => String(value));
  });

  const made = { created_at: "2026-08-14T11:26:53.589+02:00", status: "PREORDER" };
  const chair = { id: 0, name: "Chair", price: "0.10", tags: [], ...made };
  const number = await check("put", () => call("put", { product: chair }));
  const put = await check("find it", () => call("find", { product_id: number }));
  await same("its instant", Date.UTC(2026, 7, 14, 9, 26, 53, 589), () => put.created_at.getTime());
  await same("its enum", "PREORDER", () => put.status);
  await same("oneway", undefined, () => call("touch", { product_id: number }));
  await same("remove", true, () => call("remove", { product_id: number }));
  await same("remove nothing", false, () => call("remove", { product_id: number }));
}

async function types(version) {
  const call = await port("Types", version);
  const echo = (type, sent, expected = sent) =>
    same(`echo_${type} ${JSON.stringify(sent).slice(0, 40)}`, expected, () => call(`echo_${type}`, { value: sent }));
  for (const each of [true, false]) await echo("bool", each);
  for (const each of [-128, 127]) await echo("i8", each, String(each));
  for (const each of [-(2 ** 31), 2 ** 31 - 1]) await echo("i32", each);
  for (const each of [2 ** 53 - 1, -(2 ** 53) + 1]) await echo("i64", each);
  await echo("i64", "9223372036854775807", Number("9223372036854775807"));
  await echo("bigint", String(2n ** 200n), 2 ** 200);
  for (const each of [0.1, -128.5, 1e300, 5e-324]) await echo("f64", each);
  await echo("char", 0xffff, "65535");
  for (const each of ["a\tb\nc", "茶 😀 <&>'\"", "x".repeat(100_000)]) await echo("string", each);
  await echo("bytes", Buffer.from([...Array(256).keys()]).toString("base64"));
  await echo("uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
  await echo("duration", "PT26H0.000004S");
  await echo("int_list", [1, 2, 3]);
  await echo("string_list", ["a", "b"]);
  await echo("struct", { name: "m", country: "DE", parent: { name: "p" } });
  for (const each of ["ACTIVE", "PREORDER", "DISCONTINUED"]) await echo("enum", each);
  await echo("nullable", "text");
  await same("echo_string_map", { a: "1" }, async () => {
    const { entry } = await call("echo_string_map", { value: { entry: [{ key: "a", value: 1 }] } });
    return Object.fromEntries(entry.map(({ key, value }) => [key, String(value)]));
  });
  await same("echo_nothing", undefined, () => call("echo_nothing"));
  const declared = await fault(() => call("fail_declared", { message: "why 茶" }));
  await same("fail_declared", ["why 茶", "42", "Acme"], () => {
    const { code, culprit } = declared.detail.TypesFailure;
    return [declared.text, code, culprit.name];
  });
  const undeclared = await fault(() => call("fail_undeclared", { message: "because" }));
  await check("fail_undeclared", () => ok(undeclared.text.includes("because")));
}

for (const version of versions.split(",")) {
  console.log(`version ${version}`);
  await catalog(version);
  await types(version);
}
summary();
