// Uses demo.Catalog and demo.Types with the codec of hessian.js: `node hessian_client.mjs BASE_URL VERSION,…`.

import { ok, strictEqual } from "node:assert";
import { check, same, summary } from "./checks.mjs";
import { decodeReply, encodeCall } from "./hessian_messages.mjs";

const [base, versions] = process.argv.slice(2);
const java = (name, value) => ({ $class: name, $: value });

async function run(version) {
  const respond = async (service, method, ...args) => {
    const body = encodeCall(version, method, args);
    const response = await fetch(`${base}/${service}`, { method: "POST", body });
    strictEqual(response.status, 200);
    return decodeReply(Buffer.from(await response.arrayBuffer()));
  };
  const ask = async (...call) => {
    const { value, fault } = await respond(...call);
    if (fault !== undefined) throw new Error(`${fault.code}: ${fault.message}`);
    return value;
  };
  const echo = (method, sent, expected = sent) =>
    same(`${method} ${String(JSON.stringify(sent)).slice(0, 40)}`, expected, () => ask("demo.Types", method, sent));

  await check("count", async () => ok((await ask("demo.Catalog", "count")) >= 3));
  await same("find by id", "Desk lamp", async () => (await ask("demo.Catalog", "find", 1)).name);
  await same("find by name", 1, async () => (await ask("demo.Catalog", "find", "Desk lamp")).id);
  await same("find by its mangled name", "Desk lamp", async () => (await ask("demo.Catalog", "find_long", 1)).name);
  await same("search", ["light", "office"], async () => (await ask("demo.Catalog", "search__3", "lamp", 1, null))[0].tags);
  await same("remove nothing", false, () => ask("demo.Catalog", "remove", -5));
  await same("touch", null, () => ask("demo.Catalog", "touch", 1));
  await check("an exception is a fault", async () => {
    const { fault } = await respond("demo.Catalog", "find", -5);
    strictEqual(fault.code, "ServiceException");
    ok(fault.message.includes("-5"));
  });
  await same("no such method", "NoSuchMethodException", async () => (await respond("demo.Catalog", "nothing")).fault.code);
  await same("no such service", "NoSuchObjectException", async () => (await respond("demo.Nothing", "count")).fault.code);

  for (const each of [true, false]) await echo("echoBool", each);
  for (const each of [0, -1, 47, 48, -2049, 262144, -(2 ** 31), 2 ** 31 - 1]) await echo("echoI32", each);
  for (const each of [0, 15, -9, 2 ** 31, 2 ** 53 - 1]) await echo("echoI64", java("java.lang.Long", each), each);
  await echo("echoI64", java("java.lang.Long", "9223372036854775807"), "9223372036854775807");
  for (const each of [0.1, 1, -128.5, 32768, 1e300, Infinity]) await echo("echoF64", java("double", each), each);
  for (const each of ["", "茶 😀 \t\n\0", "x".repeat(1024), "é😀".repeat(40_000)]) await echo("echoString", each);
  for (const each of [[], [0, 255], new Array(70_000).fill(7)]) await echo("echoBytes", Buffer.from(each));
  for (const each of [0, 60_000, 1_700_000_000_123, -1]) await echo("echoJavaDate", new Date(each));
  await echo("echoStringList", ["a", ""]);
  await echo("echoNestedList", [["a"], []]);
  await echo("echoIntList", [1, 2, 3]);
  await echo("echoNullable", null);
  await same("echoStringMap", { a: 1 }, () => ask("demo.Types", "echoStringMap", java("java.util.Map", { a: java("long", 1) })));
  const maker = java("demo.Maker", { name: "m", country: "DE", parent: java("demo.Maker", { name: "p", country: null, parent: null }) });
  await same("echoStruct", { name: "m", country: "DE", parent: { name: "p", country: null, parent: null } }, () =>
    ask("demo.Types", "echoStruct", maker));
  await same("echoEnum", { name: "ACTIVE" }, () => ask("demo.Types", "echoEnum", java("demo.Status", { name: "ACTIVE" })));
  await same("echoDecimal", { value: "1.20" }, () => ask("demo.Types", "echoDecimal", java("java.math.BigDecimal", { value: "1.20" })));
  await same("a decimal as text", { value: "1.20" }, () => ask("demo.Types", "echoDecimal", "1.20"));
}

for (const each of versions.split(",")) {
  console.log(`version ${each}`);
  await run(each === "mixed" ? each : Number(each));
}
summary();
