// Serves demo.Catalog (and what its clients ask of demo.Types) until its standard input ends, in three styles: the paths
// and problem documents of Polyport, routes as somebody else would choose them, and JSON-RPC.
// Prints `READY <port>`.

import { createServer } from "node:http";
import { answerRpc } from "./json_rpc.mjs";
import { Refusal, SERVICES, named } from "./services.mjs";

const I64 = /^\s*(?:\{\s*"value"\s*:|\[)\s*(-?\d+)\s*[}\]]\s*$/;
const NUMBERS = new Set(["product_id", "limit", "millis"]);

/** Routes of somebody else: verb, path, and the arguments of the method of demo.Catalog that answers. */
const ROUTES = [
  ["GET", /^\/products\/(\d+)$/, "find", ([, id]) => ({ product_id: Number(id) }), 200],
  ["GET", /^\/products$/, "search", (_, query) => ({
    text: query.get("q") ?? "",
    limit: Number(query.get("limit") ?? 10),
    tags: query.has("tag") ? query.getAll("tag") : null,
  }), 200],
  ["POST", /^\/products$/, "put", (_, __, body) => ({ product: body }), 201],
  ["DELETE", /^\/products\/(\d+)$/, "remove", ([, id]) => ({ product_id: Number(id) }), 200],
  ["POST", /^\/products\/(\d+)\/reservations$/, "reserve", ([, id], _, body) => ({ product_id: Number(id), ...body }), 200],
  ["GET", /^\/statistics\/count$/, "count", () => ({}), 200],
];

/** Attachments by key; a key has the case in which it was sent, so the raw headers are read: name, value, name … */
function attachmentsOf(rawHeaders) {
  const attachments = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [, key] = /^polyport-attachment-(.*)$/i.exec(rawHeaders[index]) ?? [];
    if (key !== undefined) attachments[decodeURIComponent(key)] = decodeURIComponent(rawHeaders[index + 1]);
  }
  return attachments;
}

function fromQuery(query) {
  const read = (name) => {
    if (name === "tags") return query.getAll(name);
    return NUMBERS.has(name) ? Number(query.get(name)) : query.get(name);
  };
  return Object.fromEntries([...query.keys()].map((name) => [name, read(name)]));
}

function parsed(text) {
  try {
    return JSON.parse(text || "{}");
  } catch (trouble) {
    throw new Refusal(400, "bad-request", String(trouble));
  }
}

async function answer(request, text) {
  const { pathname, searchParams: query } = new URL(request.url, "http://server");
  for (const [verb, path, method, read, status] of ROUTES) {
    const match = path.exec(pathname);
    if (verb === request.method && match) {
      const args = read(match, query, text ? parsed(text) : null);
      return { status, value: await SERVICES["demo.Catalog"][method][1](args, { within: Infinity }) };
    }
  }
  const [, service, method] = pathname.split("/");
  if (!(service in SERVICES)) throw new Refusal(404, "no-such-service", `no service ${service}`);
  if (!(method in SERVICES[service])) throw new Refusal(404, "no-such-method", `no method ${method}`);
  const exact = method === "echo_i64" && I64.exec(text);
  if (exact) return { status: 200, text: exact[1] }; // JavaScript would round it
  const [names, act] = SERVICES[service][method];
  const args = request.method === "GET" ? fromQuery(query) : named(names, parsed(text));
  const attachments = attachmentsOf(request.rawHeaders);
  const within = 1000 * Number(request.headers["polyport-timeout"] ?? Infinity);
  const value = await act(args, { within, attachments });
  const back = method === "echo_attachments" ? Object.entries(attachments) : [];
  const headers = back.map(([key, each]) => [`Polyport-Attachment-${encodeURIComponent(key)}`, encodeURIComponent(each)]);
  return { status: value === undefined ? 204 : 200, value, headers: Object.fromEntries(headers) };
}

/** The problem document (RFC 9457) for what was raised. */
function problemOf(trouble) {
  const { exception, status = 500, code, message, path } = trouble;
  if (exception !== undefined) {
    const type = `urn:polyport:exception:${exception.class}`;
    return { type, title: exception.class, status: 422, detail: message, exception };
  }
  if (trouble instanceof Refusal) return { type: `urn:polyport:error:${code}`, title: code, status, detail: message, path };
  const undeclared = { class: trouble.name, message };
  return { type: "urn:polyport:exception", title: trouble.name, status, detail: message, exception: undeclared };
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  if (answerRpc(request, response, text)) return;
  try {
    const { status, value, text: exact, headers } = await answer(request, text);
    const type = status === 204 ? {} : { "Content-Type": "application/json" };
    response.writeHead(status, { ...headers, ...type }).end(exact ?? JSON.stringify(value));
  } catch (trouble) {
    const problem = problemOf(trouble);
    response.writeHead(problem.status, { "Content-Type": "application/problem+json" }).end(JSON.stringify(problem));
  }
});
server.listen(0, "127.0.0.1", () => console.log(`READY ${server.address().port}`));
process.stdin.resume().on("end", () => process.exit(0));
