/**
 * The name of a handler → the application that every JavaScript server of the bench serves.
 * All say the same twelve bytes to GET /; the plain handler has the large bodies and counts uploads, too.
 */
import { createRequire } from "node:module";

const HELLO = Buffer.from("hello world\n");
const LARGE = {
  "/64k": Buffer.alloc(64 * 1024, "a"),
  "/1m": Buffer.alloc(1024 * 1024, "a"),
};
const TYPE = { "Content-Type": "text/plain" };

function answerLarge(req, res) {
  if (req.method === "POST") {
    let bytes = 0;
    req.on("data", (chunk) => {
      bytes += chunk.length;
    });
    req.on("end", () => res.end(String(bytes)));
    return;
  }
  const body = LARGE[req.url];
  res.writeHead(body ? 200 : 404, { ...TYPE, "Content-Length": body?.length ?? 0 });
  res.end(body);
}

function hello(req, res) {
  if (req.url !== "/" || req.method !== "GET") return answerLarge(req, res);
  res.writeHead(200, { "Content-Type": "text/plain", "Content-Length": HELLO.length });
  res.end(HELLO);
}

function setHeader(_req, res) {
  res.setHeader("Content-Type", "text/plain");
  res.setHeader("Content-Length", HELLO.length);
  res.end(HELLO);
}

const MAKERS = {
  hello: async () => ({ kind: "node", application: hello }),
  "set-header": async () => ({ kind: "node", application: setHeader }),
  fetch: async () => ({
    kind: "fetch",
    application: { fetch: () => new Response("hello world\n", { headers: TYPE }) },
  }),
  async express() {
    // By require: so it is the same object for every way of loading it.
    const express = createRequire(import.meta.url)("express");
    const app = express();
    app.get("/", (_req, res) => res.type("text/plain").send("hello world\n"));
    return { kind: "node", application: app };
  },
  async fastify() {
    const { default: fastify } = await import("fastify");
    const app = fastify();
    app.get("/", async (_request, reply) => {
      reply.type("text/plain");
      return "hello world\n";
    });
    return { kind: "fastify", application: app };
  },
  async hono() {
    const { Hono } = await import("hono");
    const app = new Hono();
    app.get("/", (context) => context.text("hello world\n"));
    return { kind: "fetch", application: app };
  },
};

/**
 * Makes an application.
 *
 * @param {string} name
 * @returns {Promise<{ kind: "node" | "fetch" | "fastify", application: any }>}
 */
export function makeApplication(name) {
  return MAKERS[name]();
}

/** What the bench wants of this process, from its first parameter. */
export const wanted = JSON.parse(process.argv[2] ?? "{}");

/**
 * Tells the bench that this process listens, and what it is.
 *
 * @param {string} [what] one line
 */
export function listening(what = "") {
  // Twice: what the first leaves to finalizers, the second collects.
  process.on("SIGUSR2", () => {
    globalThis.gc?.();
    globalThis.gc?.();
  });
  process.stdout.write(`listening ${what}\n`);
}
