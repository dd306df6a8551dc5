// The services as JSON-RPC, by jayson: each alone, and all of them with the service's name before the method's.

import jayson from "jayson";
import { SERVICES, named } from "./services.mjs";

const BESIDE = { within: Infinity, attachments: {} };

function errorOf(trouble) {
  const { exception, message } = trouble;
  const data = exception && { type: `urn:polyport:exception:${exception.class}`, exception };
  return { code: -32000, message, data };
}

function methodsOf(service, prefix) {
  return Object.entries(SERVICES[service]).map(([name, [names, act]]) => {
    const handler = (params, callback) =>
      Promise.resolve()
        .then(() => act(named(names, params ?? []), BESIDE))
        .then((value) => callback(null, value ?? null), (trouble) => callback(errorOf(trouble)));
    return [prefix + name, new jayson.Method({ handler })];
  });
}

const middleware = (methods) => new jayson.Server(Object.fromEntries(methods)).middleware();
const services = Object.keys(SERVICES);

const HANDLERS = new Map([
  ...services.map((service) => [`/${service}`, middleware(methodsOf(service, ""))]),
  ["/jsonrpc", middleware(services.flatMap((service) => methodsOf(service, `${service}.`)))],
]);

/** Answers a request with this text when its path is one of JSON-RPC; says whether it is. */
export function answerRpc(request, response, text) {
  const handler = HANDLERS.get(request.url);
  if (handler === undefined) return false;
  request.body = JSON.parse(text);
  handler(request, response, (trouble) => response.writeHead(500).end(String(trouble)));
  return true;
}
