// What a peer was answered, a line of JSON for each check: `{"check": name, "value": …}`, or `"error"` in its place.
// Bytes are text where they are UTF-8 and `hex:…` elsewhere.

const strict = new TextDecoder("utf-8", { fatal: true });

/** The same in types of JSON. */
export function shown(value) {
  if (value instanceof Uint8Array) {
    try {
      return strict.decode(value);
    } catch {
      return `hex:${Buffer.from(value).toString("hex")}`;
    }
  }
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [shown(key), shown(each)]));
  if (value instanceof Set) return [...value].map(shown).sort();
  if (value instanceof Error) return `error: ${value.message}`;
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value === "bigint") return `${value}`;
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shown(each)]));
  }
  return value ?? null;
}

/** Prints what a step gives or throws. */
export async function check(name, step) {
  let line;
  try {
    line = { check: name, value: shown(await step()) };
  } catch (trouble) {
    line = { check: name, error: trouble.message };
  }
  console.log(JSON.stringify(line));
}

/** What a step throws, as a value; more of it than its message where a library says more. */
export async function trouble(step) {
  try {
    return await step();
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

/** Runs what the arguments say, `NAME:PORT`, after a line that names it. */
export async function runAll(runs) {
  for (const argument of process.argv.slice(2)) {
    const [, name, port] = /^(.*):(\d+)$/.exec(argument);
    console.log(JSON.stringify({ run: name }));
    await runs[name](Number(port));
  }
}
