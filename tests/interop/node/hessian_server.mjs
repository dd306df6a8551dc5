// Answers calls of demo.Types with the codec of hessian.js until its standard input ends: every echo with what it got,
// types included. Prints `READY <port>`.

import { createServer } from "node:http";
import { decodeCall, encodeFault, encodeReply } from "./hessian_messages.mjs";

function answer(data) {
  const { version, method, args } = decodeCall(data);
  if (method === "failUndeclared") return encodeFault(version, "ServiceException", args[0].$ ?? args[0]);
  if (!method.startsWith("echo")) return encodeFault(version, "NoSuchMethodException", `no method ${method}`);
  return encodeReply(version, args.length ? args[0] : null);
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    try {
      const body = answer(Buffer.concat(chunks));
      response.writeHead(200, { "Content-Type": "application/x-hessian", "Content-Length": body.length });
      response.end(body);
    } catch (trouble) {
      response.writeHead(500, { "Content-Type": "text/plain" });
      response.end(String(trouble.stack));
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(`READY ${server.address().port}`));
process.stdin.on("end", () => process.exit(0)).resume();
