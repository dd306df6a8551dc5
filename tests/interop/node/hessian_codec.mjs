// What hessian.js by itself makes of values that it reads, types included, and writes again: `node hessian_codec.mjs`.
// Nobody else takes part. Bytes: Hessian 2.0 Serialization Protocol and Hessian 1.0.2 specification.

import { notStrictEqual, strictEqual } from "node:assert";
import hessian from "hessian.js";
import { check, summary } from "./checks.mjs";

const { DecoderV1, DecoderV2, EncoderV1, EncoderV2 } = hessian;
const again = {
  1: (hex) => new EncoderV1().write(new DecoderV1(Buffer.from(hex, "hex")).read(true)).get().toString("hex"),
  2: (hex) => new EncoderV2().write(new DecoderV2(Buffer.from(hex, "hex")).read(true)).get().toString("hex"),
};

const LOST = {
  "a long beyond 2^53": "4c0020000000000001",
  "the largest long": "4c7fffffffffffffff",
  "a double of 1e300": "447e37e43c8800759c",
  "a double that is no number": "447ff8000000000000",
};
for (const [what, hex] of Object.entries(LOST)) {
  await check(`${what} is another value in Hessian 2`, () => notStrictEqual(again[2](hex), hex));
  await check(`${what} is itself in Hessian 1`, () => strictEqual(again[1](hex), hex));
}
await check("no number is null in Hessian 2", () => strictEqual(again[2](LOST["a double that is no number"]), "4e"));
await check("keys of maps are texts in Hessian 2", () => strictEqual(again[2]("489101615a"), "48013101615a"));
await check("keys of maps are texts in Hessian 1", () =>
  strictEqual(again[1]("4d7400004900000001530001617a"), "4d74000053000131530001617a"));
await check("a text is itself", () => strictEqual(again[2]("03616263"), "03616263"));
summary();
