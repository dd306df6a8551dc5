// demo.Catalog, and what its clients ask of demo.Types, in memory.

/** An exception of a service: its type, its message and its fields. */
export class Failure extends Error {
  constructor(type, message, fields) {
    super(message);
    this.exception = { class: type, message, ...fields };
  }
}

/** A request that became no call. */
export class Refusal extends Error {
  constructor(status, code, message, path) {
    super(message);
    Object.assign(this, { status, code, path });
  }
}

const maker = { name: "Acme", country: "DE", parent: null };
const products = new Map(
  [["Kettle", "39.90", "ACTIVE"], ["Teapot", "24.50", "PREORDER"], ["Lantern", "18.00", "DISCONTINUED"]].map(
    ([name, price, status], index) => {
      const stock = { north: 10, south: 3 };
      const times = { created_at: "2024-01-02T03:04:05.678901Z", updated_at: null };
      return [index + 1, { id: index + 1, name, price, tags: ["kitchen"], ...times, stock, status, maker }];
    },
  ),
);

function find({ product_id: id }) {
  const product = products.get(id);
  if (product === undefined) throw new Failure("demo.ProductNotFound", `no product ${id}`, { product_id: id });
  return product;
}

function findByName({ name }) {
  for (const product of products.values()) {
    if (product.name === name) return product;
  }
  throw new Failure("demo.ProductNotFound", `no product called ${name}`, { product_id: 0 });
}

function search({ text, limit = 10, tags = null }) {
  const fits = (each) => each.name.includes(text) && (tags ?? []).every((tag) => each.tags.includes(tag));
  return [...products.values()].filter(fits).slice(0, limit);
}

function put({ product }) {
  const id = product.id || Math.max(0, ...products.keys()) + 1;
  products.set(id, { ...product, id });
  return id;
}

function reserve({ warehouse, quantity, ...args }) {
  const { stock } = find(args);
  const missing = quantity - (stock[warehouse] ?? 0);
  if (missing > 0) throw new Failure("demo.OutOfStock", `${warehouse} lacks ${missing}`, { warehouse, missing });
  stock[warehouse] -= quantity;
  return stock[warehouse];
}

function slow({ millis }, { within }) {
  return new Promise((resolve, reject) => {
    const late = new Refusal(504, "deadline-exceeded", "no answer in time");
    setTimeout(() => (millis > within ? reject(late) : resolve(`slept ${millis} ms`)), Math.min(millis, within));
  });
}

function touch({ product_id: id }) {
  if (products.has(id)) products.get(id).updated_at = new Date().toISOString();
}

function failDeclared({ message }) {
  throw new Failure("demo.TypesFailure", message, { code: 42, culprit: { name: "Acme", country: "US", parent: null } });
}

function failUndeclared({ message }) {
  throw new Error(message);
}

function echoStruct({ value }) {
  if (typeof (value.parent?.name ?? "") !== "string") {
    throw new Refusal(400, "bad-request", "expected a text", "args[0].parent.name");
  }
  return value;
}

const ECHOES = ["bool", "i32", "i64", "f64", "decimal", "string", "bytes", "date", "datetime", "enum",
  "nullable", "string_list", "string_map", "int_map", "enum_map"];

/** Per service and method: the names of the parameters, and what is done with them and what travels beside the call. */
export const SERVICES = {
  "demo.Catalog": {
    // An overload by position gets what it was given as the first parameter of the other.
    find: [["product_id"], (args) =>
      typeof args.product_id === "number" ? find(args) : findByName({ name: args.product_id, ...args })],
    find_by_name: [["name"], findByName],
    search: [["text", "limit", "tags"], search],
    put: [["product"], put],
    remove: [["product_id"], ({ product_id: id }) => products.delete(id)],
    price_history: [["product_id"], (args) => ({ "2024-01-02": find(args).price })],
    reserve: [["product_id", "warehouse", "quantity"], reserve],
    slow: [["millis"], slow],
    count: [[], () => products.size],
    touch: [["product_id"], touch],
  },
  "demo.Types": {
    ...Object.fromEntries(ECHOES.map((type) => [`echo_${type}`, [["value"], ({ value }) => value]])),
    echo_struct: [["value"], echoStruct],
    echo_attachments: [["key"], ({ key }, { attachments }) => attachments[key] ?? null],
    echo_nothing: [[], () => undefined],
    fail_declared: [["message"], failDeclared],
    fail_undeclared: [["message"], failUndeclared],
  },
};

/** Arguments by name. */
export function named(names, args) {
  return Array.isArray(args) ? Object.fromEntries(args.map((value, index) => [names[index], value])) : args;
}
