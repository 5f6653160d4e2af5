/**
 * The same application on node:http, by Node or by Bun; objects with `fetch` by @hono/node-server, Fastify by itself.
 */
import { createServer } from "node:http";
import { listening, makeApplication, wanted } from "./handlers.mjs";

const { kind, application } = await makeApplication(wanted.handler);
const { socket, host, port } = wanted.address;
const where = socket ? { path: socket } : { host, port };

async function makeServer() {
  if (kind === "node") return createServer(application);
  const { createAdaptorServer } = await import("@hono/node-server");
  return createAdaptorServer({ fetch: application.fetch });
}

if (kind === "fastify") {
  await application.listen(where);
  application.server.keepAliveTimeout = 600_000;
  listening("fastify");
} else {
  const server = await makeServer();
  // Idle connections are to stay; five seconds are the default.
  server.keepAliveTimeout = 600_000;
  server.listen({ ...where, backlog: 511 }, () => listening("node:http"));
}
