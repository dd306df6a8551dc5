// Uses demo.Catalog and demo.Types with Apache's library and generated code: `node thrift_client.mjs PORT GENERATED`.

import { ok, strictEqual } from "node:assert";
import { once } from "node:events";
import { check, same, summary } from "./checks.mjs";
import { generated, styles } from "./thrift_styles.mjs";

const [port, folder] = process.argv.slice(2);
const { thrift, Int64, Catalog, Types, demo } = generated(folder);
const { INTERNAL_ERROR, PROTOCOL_ERROR, UNKNOWN_METHOD } = thrift.Thrift.TApplicationExceptionType;
const OPENING = 1_767_342_600_000_000;
const DAY = 86_400_000_000;
const CONCURRENT = 20;

/** With its own numbers of 64 bits as BigInt, and no class but Object. */
function plain(value) {
  if (value instanceof Int64) return value.buffer.readBigInt64BE(value.offset);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object" || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

const long = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return new Int64(bytes);
};

async function raised(step) {
  try {
    await step();
  } catch (trouble) {
    return trouble;
  }
  throw new Error("nothing was raised");
}

const maker = (name, country, parent = null) => new demo.Maker({ name, country, parent });

async function products(name, catalog) {
  const says = (what, expected, step) => same(`${name} ${what}`, expected, async () => plain(await step()));
  const lamp = {
    id: 1n,
    name: "Desk lamp",
    price: "49.90",
    tags: ["light", "office"],
    created_at: BigInt(OPENING),
    updated_at: BigInt(OPENING + 30 * DAY + 250_000),
    stock: { berlin: 12, oslo: 0 },
    status: demo.Status.ACTIVE,
    maker: { name: "Lumen", country: "DE", parent: { name: "Northwind Group", country: "SE", parent: null } },
  };
  await says("find", lamp, () => catalog.find(1));
  await says("find by name", lamp, () => catalog.find_by_name("Desk lamp"));
  await says("absent fields", [null, null, "Wandleuchte „Grün“ 🌿"], async () => {
    const { updated_at, maker, name } = await catalog.find(3);
    return [updated_at, maker, name];
  });
  await says("search", [1n, 2n], async () => (await catalog.search("desk", 10, null)).map((each) => each.id));
  await says("search with a set", [1n], async () => (await catalog.search("", 1, ["office"])).map((each) => each.id));
  await says("a map", { "2025-10-04": "54.90", "2026-01-02": "49.90" }, () => catalog.price_history(1));
  const added = new demo.Product({ id: 0, name: "n", price: "1.0", tags: ["t"], created_at: OPENING });
  await says("put", 4n, () => catalog.put(added));
  await check(`${name} oneway`, () => void catalog.touch(4));
  await says("what oneway did", BigInt(OPENING + 1000), async () => (await catalog.find(4)).updated_at);
  await says("remove", true, () => catalog.remove(4));
  await says("remove nothing", false, () => catalog.remove(4));
  await check(`${name} a declared exception`, async () => {
    const trouble = await raised(() => catalog.find(99));
    ok(trouble instanceof demo.ProductNotFound);
    strictEqual(trouble.message, "no product 99");
    strictEqual(plain(trouble.product_id), 99n);
  });
  await check(`${name} the second one`, async () => {
    const trouble = await raised(() => catalog.reserve(1, "oslo", 5));
    ok(trouble instanceof demo.OutOfStock);
    strictEqual(`${trouble.message} ${trouble.warehouse} ${trouble.missing}`, "5 of 'Desk lamp' missing oslo 5");
  });
  // All sent before the first answer comes; the first ones take longest.
  const waits = Array.from({ length: CONCURRENT }, (_, number) => CONCURRENT - number);
  await says(
    "pipelined",
    waits.map((millis) => `slept ${millis} ms`),
    () => Promise.all(waits.map((millis) => catalog.slow(millis))),
  );
}

async function values(name, types) {
  const echo = async (method, ...sent) => {
    for (const [number, value] of sent.entries()) {
      await same(`${name} ${method} ${number}`, plain(value), async () => plain(await types[method](value)));
    }
  };
  const child = maker("m", null, maker("p", "DE"));
  await echo("echo_bool", true, false);
  await echo("echo_i8", -128, 127);
  await echo("echo_i16", -32768, 32767);
  await echo("echo_i32", -(2 ** 31), 2 ** 31 - 1);
  await echo("echo_i64", long(-(2n ** 63n)), long(2n ** 63n - 1n), long(2n ** 53n + 1n));
  // Not negative zero, which it reads as zero.
  await echo("echo_f64", 0.1, Number.MAX_VALUE, -Infinity);
  await echo("echo_bigint", "-123456789012345678901234567890");
  await echo("echo_decimal", "1.10", "-1E-20");
  await echo("echo_char", "茶");
  await echo("echo_string", "", "Grüße 茶 😀\0", "x".repeat(70_000));
  await echo("echo_bytes", Buffer.from([0, 255, 128]));
  await echo("echo_date", "2024-02-29");
  await echo("echo_datetime", long(-1n));
  await echo("echo_uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
  await echo("echo_int_list", [], Array(200).fill(-1));
  await echo("echo_nested_list", [[], ["x", ""]]);
  await echo("echo_long_set", [long(2n ** 62n)]);
  await echo("echo_string_map", { a: long(-1n) });
  await echo("echo_int_map", { "-1": "x" });
  await echo("echo_enum_map", { [demo.Status.PREORDER]: "p" });
  await echo("echo_nested_map", { k: [child, child], e: [] });
  await echo("echo_double_array", [0.1, -0.5]);
  await echo("echo_enum", demo.Status.DISCONTINUED);
  await echo("echo_struct", child);
  await echo("echo_any", '{"a":[1,null]}');
  await same(`${name} echo_everything`, ["x", [1], child.name], async () => {
    const sent = new demo.Everything({ character: "x", int_list: [1], struct_: child });
    const { character, int_list, struct_ } = await types.echo_everything(sent);
    return [character, int_list, struct_.name];
  });
  await check(`${name} void`, () => types.echo_nothing());
  await check(`${name} an exception with a struct`, async () => {
    const trouble = await raised(() => types.fail_declared("why"));
    ok(trouble instanceof demo.TypesFailure);
    strictEqual(`${trouble.message} ${trouble.code} ${trouble.culprit.name}`, "why 42 Acme");
  });
  await check(`${name} an undeclared exception`, async () => {
    const trouble = await raised(() => types.fail_undeclared("because"));
    ok(trouble instanceof thrift.Thrift.TApplicationException);
    strictEqual(trouble.type, INTERNAL_ERROR);
    ok(trouble.message.includes("because"), trouble.message);
  });
  await same(
    `${name} a value that does not fit`,
    PROTOCOL_ERROR,
    async () => (await raised(() => types.echo_decimal("x"))).type,
  );
  await same(`${name} and then a call`, 1, () => types.echo_i32(1));
}

for (const [style, options] of styles(thrift)) {
  for (const multiplexed of [true, false]) {
    const name = multiplexed ? `${style} multiplexed` : style;
    const connection = thrift.createConnection("127.0.0.1", Number(port), options);
    connection.on("error", (trouble) => console.log(`FAIL ${name}: ${trouble}`));
    await once(connection, "connect");
    const names = new thrift.Multiplexer();
    const client = (service, called) =>
      multiplexed ? names.createClient(called, service, connection) : thrift.createClient(service, connection);
    const catalog = client(Catalog, "demo.Catalog");
    await products(name, catalog);
    if (multiplexed) {
      await values(name, client(Types, "Types"));
      const nothing = client(Catalog, "Nothing");
      await same(`${name} no such service`, UNKNOWN_METHOD, async () => (await raised(() => nothing.count())).type);
    }
    await same(`${name} the connection stays`, 3n, async () => plain(await catalog.count()));
    connection.end();
  }
}
summary();
