// Counts checks and prints a line for each: `ok <name>` or `FAIL <name>: why`, and in the end `N of M checks`.

import { deepStrictEqual } from "node:assert";

const MAX_WHY_CHARS = 2000;

let passed = 0;
let total = 0;

/** Passes unless the step throws; returns what it gives. */
export async function check(name, step) {
  total += 1;
  try {
    const value = await step();
    passed += 1;
    console.log(`ok ${name}`);
    return value;
  } catch (trouble) {
    const cause = trouble.cause === undefined ? "" : ` (${trouble.cause})`;
    console.log(`FAIL ${name}: ${`${trouble}${cause}`.slice(0, MAX_WHY_CHARS).replaceAll(/\s*\n\s*/g, " | ")}`);
    return undefined;
  }
}

/** Passes when the step gives a value equal to this one; compared deeply. */
export const same = (name, expected, step) => check(name, async () => deepStrictEqual(await step(), expected));

export function summary() {
  console.log(`${passed} of ${total} checks`);
}
