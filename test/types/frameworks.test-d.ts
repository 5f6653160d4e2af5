/**
 * The frameworks' own types against ours: `serve` and `createServer` take their applications without a cast.
 *
 * Compiled by test/types/types.test.ts where test/compat/node_modules has the frameworks; never run.
 */
import type { INestApplication } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import express from "express";
import fastify from "fastify";
import { H3 } from "h3";
import { Hono } from "hono";
import Koa from "koa";
import { createServer, type RequestListener, type Server, serve } from "postern";

// Express: a function.
const expressApp = express();
expressApp.get("/", (req, res) => {
  res.json({ ip: req.ip, encrypted: req.secure });
});
export const served: Server = serve(expressApp, { socket: "/run/app/app.sock" });
createServer(expressApp);
createServer({ protocol: "scgi" }, expressApp);

// Koa: the application, or its callback.
const koa = new Koa();
serve(koa, { protocol: "scgi", port: 4000 });
serve(koa.callback());
createServer({ port: 4000 }, koa);
createServer(koa.callback());

// Fastify: the application, or a server for it.
const app = fastify();
app.get("/", async (request) => ({ url: request.url }));
serve(app);
createServer({ port: 9000 }, app);
export const factory = fastify({
  serverFactory: (handler) => createServer({ protocol: "ajp" }, handler),
});
export const listening: Promise<string> = factory.listen({ path: "/run/app/app.sock" });

// Hono, h3 and whatever else has fetch.
const hono = new Hono<{ Bindings: { answer: number } }>();
hono.get("/", (context) => context.text("Hono"));
serve(hono, { protocol: ["fastcgi", "http"] });
serve({ fetch: hono.fetch });
createServer({}, hono);
serve(new H3());

// NestJS: the application, or a server by its adapter.
declare const nest: INestApplication;
declare const nestOnFastify: NestFastifyApplication;
serve(nest, { socket: "/run/app/app.sock" });
serve(nestOnFastify);
export class GatewayAdapter extends ExpressAdapter {
  override initHttpServer(): void {
    this.httpServer = createServer({ protocol: "scgi" }, this.getInstance());
  }
}
// NestJS leaves `handler` without a type here, whoever makes the server; an instance of Fastify does not.
export const viaOptions: Promise<NestFastifyApplication> = NestFactory.create(
  class AppModule {},
  new FastifyAdapter({ serverFactory: (handler: RequestListener) => createServer({}, handler) }),
);
export const viaInstance: Promise<NestFastifyApplication> = NestFactory.create(
  class AppModule {},
  new FastifyAdapter(fastify({ serverFactory: (handler) => createServer({}, handler) })),
);
