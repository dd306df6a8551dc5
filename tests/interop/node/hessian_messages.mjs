// Hessian calls and replies around the codec of hessian.js, which has neither.

import hessian from "hessian.js";

const { DecoderV1, DecoderV2, EncoderV1, EncoderV2 } = hessian;
const SIZE = 1 << 20;
const END = 0x7a;

const bytes = (...each) => Buffer.from(each);
const short = (text) => {
  const name = Buffer.from(text);
  return Buffer.concat([bytes(name.length >> 8, name.length & 255), name]);
};

/** A call in Hessian `version`; one of 1 that asks for a reply in Hessian 2 is `mixed`. */
export function encodeCall(version, method, args) {
  if (version === 2) {
    const encoder = new EncoderV2({ size: SIZE });
    encoder.writeString(method);
    encoder.writeInt(args.length);
    for (const each of args) encoder.write(each);
    return Buffer.concat([bytes(0x48, 2, 0), Buffer.from("C"), encoder.get()]);
  }
  const encoder = new EncoderV1({ size: SIZE });
  for (const each of args) encoder.write(each);
  const start = version === "mixed" ? bytes(0x63, 2, 0) : bytes(0x63, 1, 0);
  return Buffer.concat([start, Buffer.from("m"), short(method), args.length ? encoder.get() : bytes(), Buffer.from("z")]);
}

/** `{ value }` or `{ fault }`. */
export function decodeReply(data) {
  if (data[0] === 0x48) {
    const decoder = new DecoderV2(data.subarray(4));
    return data[3] === 0x46 ? { fault: decoder.read() } : { value: decoder.read() };
  }
  if (data[3] !== 0x66) return { value: new DecoderV1(data.subarray(3)).read() };
  const decoder = new DecoderV1(data.subarray(4));
  const fault = {};
  while (data[4 + decoder.byteBuffer.position()] !== END) fault[decoder.read()] = decoder.read();
  return { fault };
}

/** `{ version, method, args }`; arguments with their types, so that they can be sent back as they came. */
export function decodeCall(data) {
  const args = [];
  if (data[0] === 0x48) {
    const decoder = new DecoderV2(data.subarray(4));
    const method = decoder.readString();
    for (let left = decoder.readInt(); left > 0; left -= 1) args.push(decoder.read(true));
    return { version: 2, method, args };
  }
  const size = data.readUInt16BE(4);
  const decoder = new DecoderV1(data.subarray(6 + size));
  while (data[6 + size + decoder.byteBuffer.position()] !== END) args.push(decoder.read(true));
  return { version: data[1] >= 2 ? 2 : 1, method: data.toString("utf8", 6, 6 + size), args };
}

export function encodeReply(version, value) {
  if (version === 2) return Buffer.concat([bytes(0x48, 2, 0), Buffer.from("R"), new EncoderV2({ size: SIZE }).write(value).get()]);
  return Buffer.concat([bytes(0x72, 1, 0), new EncoderV1({ size: SIZE }).write(value).get(), Buffer.from("z")]);
}

export function encodeFault(version, code, message) {
  const entries = { code, message, detail: null };
  if (version === 2) return Buffer.concat([bytes(0x48, 2, 0), Buffer.from("F"), new EncoderV2({ size: SIZE }).write(entries).get()]);
  const encoder = new EncoderV1({ size: SIZE });
  for (const [key, each] of Object.entries(entries)) encoder.write(key).write(each);
  return Buffer.concat([bytes(0x72, 1, 0), Buffer.from("f"), encoder.get(), Buffer.from("zz")]);
}
