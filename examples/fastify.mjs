/**
 * Fastify: the instance as it is. Nothing is bound before its plugins are ready, and its onClose hooks run at the end.
 *
 *   postern fastify.mjs --socket /run/app/app.sock
 */
import Fastify from "fastify";

const app = Fastify();
app.get("/", async (request) => `Hello from Fastify over ${request.raw.gateway?.protocol}\n`);
app.get("/users/:id", async (request) => ({ id: request.params.id }));

export default app;
