/**
 * Hono: an object with `fetch`, as it is; what postern says of a request is `context.env.gateway`.
 *
 *   postern hono.mjs --socket /run/app/app.sock
 */
import { Hono } from "hono";

const app = new Hono();
app.get("/", (context) => context.text(`Hello from Hono over ${context.env.gateway.protocol}\n`));
app.get("/users/:id", (context) => context.json({ id: context.req.param("id") }));

export default app;
