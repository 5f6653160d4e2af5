/**
 * One application in every framework, which answers what it saw of a posted JSON object, and every other way to give a
 * framework our server. What has to come of it is said by ways-in.test.ts.
 *
 * The frameworks are loaded from test/compat/node_modules when an application is made, and not before.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Application } from "../../src/serve/application.ts";
import type { ServeOptions } from "../../src/serve/options.ts";
import { createServer } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import { loadPackage } from "../support/compat-packages.ts";

/** What frameworks are to these tests: whatever they document. The type tests are in test/types. */
// biome-ignore lint/suspicious/noExplicitAny: their own types are not there where they are not installed.
type Any = any;

/** An application for `serve`. */
export interface Made {
  readonly name: string;
  readonly packages: readonly string[];
  /** @param server gives the server, once there is one */
  make(server: () => Server | undefined): Application | Promise<Application>;
}

/** A way in that brings its own start. */
export interface Way {
  readonly name: string;
  readonly packages: readonly string[];
  open(
    socket: string,
    options: ServeOptions,
  ): Promise<{ readonly server: Server; close(): Promise<unknown> }>;
}

/** Is the server that a request knows the one that serves? `req.socket.server` is what frameworks hang on to. */
const sameServer = (req: IncomingMessage, server: unknown): boolean =>
  (req.socket as Any).server === server;

async function readJson(req: IncomingMessage): Promise<Any> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString());
}

/** Answers without any framework. */
async function plain(
  req: IncomingMessage,
  res: ServerResponse,
  way: string,
  server: unknown,
): Promise<void> {
  const { name } = await readJson(req);
  const said = { url: req.url, name, same: sameServer(req, server) };
  res.statusCode = 201;
  res.setHeader("X-Way", way).setHeader("Content-Type", "application/json");
  res.end(JSON.stringify(said));
}

function expressApp(server: () => unknown, way: string): Any {
  const express = loadPackage("express") as Any;
  const app = express();
  app.disable("x-powered-by");
  app.post("/echo", express.json(), (req: Any, res: Any) => {
    const said = { url: req.originalUrl, name: req.body.name, same: sameServer(req, server()) };
    res.status(201).set("X-Way", way).json(said);
  });
  return app;
}

function fastifyApp(server: () => unknown, way: string, options: object = {}): Any {
  const app = (loadPackage("fastify") as Any)(options);
  app.post("/echo", async (request: Any, reply: Any) => {
    reply.code(201).header("X-Way", way);
    return { url: request.url, name: request.body.name, same: sameServer(request.raw, server()) };
  });
  return app;
}

/** A NestJS application on an adapter, made with decorators as TypeScript would apply them. */
async function nestApp(adapter: Any, server: () => unknown, way: string): Promise<Any> {
  loadPackage("reflect-metadata");
  const { NestFactory } = loadPackage("@nestjs/core") as Any;
  const { Controller, Module, Post, Req, HttpCode, Header } = loadPackage("@nestjs/common") as Any;
  class Echo {
    echo(req: Any): object {
      const raw = req.raw ?? req;
      const url = req.originalUrl ?? req.url;
      return { url, name: req.body.name, same: sameServer(raw, server()) };
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Echo.prototype, "echo")!;
  Req()(Echo.prototype, "echo", 0);
  for (const decorate of [Post("echo"), HttpCode(201), Header("X-Way", way)])
    decorate(Echo.prototype, "echo", descriptor);
  Controller()(Echo);
  class Root {}
  Module({ controllers: [Echo] })(Root);
  const app = await NestFactory.create(Root, adapter(), { logger: false });
  return app;
}

const nestExpress = (): Any =>
  new (loadPackage("@nestjs/platform-express") as Any).ExpressAdapter();
const nestFastify = (options: object = {}): Any =>
  new (loadPackage("@nestjs/platform-fastify") as Any).FastifyAdapter(options);

/** Answers in the Web's way; the Node objects are `info`'s. */
async function fetched(request: Request, way: string, same: boolean): Promise<Response> {
  const { name } = (await request.json()) as Any;
  const { pathname, search } = new URL(request.url);
  const said = { url: pathname + search, name, same };
  return Response.json(said, { status: 201, headers: { "X-Way": way } });
}

const NEST = ["@nestjs/core", "@nestjs/common", "reflect-metadata", "rxjs"];

/** Everything that `serve` takes as it is. */
export const APPLICATIONS: readonly Made[] = [
  {
    name: "a function",
    packages: [],
    make: (server) => (req, res) => plain(req, res, "a function", server()),
  },
  { name: "express", packages: ["express"], make: (server) => expressApp(server, "express") },
  {
    name: "connect",
    packages: ["connect"],
    make(server) {
      const app = (loadPackage("connect") as Any)();
      app.use("/echo", (req: Any, res: ServerResponse) => {
        req.url = req.originalUrl;
        return plain(req, res, "connect", server());
      });
      return app;
    },
  },
  {
    name: "koa",
    packages: ["koa"],
    make(server) {
      const app = new (loadPackage("koa") as Any)();
      app.use(async (context: Any) => {
        const { name } = await readJson(context.req);
        context.status = 201;
        context.set("X-Way", "koa");
        context.body = { url: context.url, name, same: sameServer(context.req, server()) };
      });
      return app;
    },
  },
  { name: "fastify", packages: ["fastify"], make: (server) => fastifyApp(server, "fastify") },
  {
    name: "nest on express",
    packages: [...NEST, "@nestjs/platform-express"],
    make: (server) => nestApp(nestExpress, server, "nest on express"),
  },
  {
    name: "nest on fastify",
    packages: [...NEST, "@nestjs/platform-fastify"],
    make: (server) => nestApp(nestFastify, server, "nest on fastify"),
  },
  {
    name: "hono",
    packages: ["hono"],
    make(server) {
      const { Hono } = loadPackage("hono") as Any;
      const app = new Hono();
      app.post("/echo", (context: Any) =>
        fetched(context.req.raw, "hono", sameServer(context.env.node.req, server())),
      );
      return app;
    },
  },
  {
    name: "h3",
    packages: ["h3"],
    make() {
      const { H3 } = loadPackage("h3") as Any;
      const app = new H3();
      app.post("/echo", (event: Any) => fetched(event.req, "h3", true));
      return app;
    },
  },
  {
    name: "elysia",
    packages: ["elysia"],
    make() {
      const { Elysia } = loadPackage("elysia") as Any;
      const answer = ({ body, request, set }: Any): object => {
        const { pathname, search } = new URL(request.url);
        set.status = 201;
        set.headers["X-Way"] = "elysia";
        return { url: pathname + search, name: body.name, same: true };
      };
      return new Elysia().post("/echo", answer);
    },
  },
];

async function listening(server: Server, socket: string): Promise<void> {
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(socket, () => done());
  });
}

const closing = (server: Server): Promise<void> =>
  new Promise((done) => {
    server.close(() => done());
  });

/** Everything that makes, or is given, a server of its own. */
export const SERVERS: readonly Way[] = [
  {
    name: "createServer(app).listen(path), in place of http.createServer: express",
    packages: ["express"],
    async open(socket, options) {
      const server: Server = createServer(
        options,
        expressApp(() => server, "createServer"),
      );
      await listening(server, socket);
      return { server, close: () => closing(server) };
    },
  },
  {
    name: "createServer(koa.callback())",
    packages: ["koa"],
    async open(socket, options) {
      const made = APPLICATIONS.find(({ name }) => name === "koa")!;
      const app = (await made.make(() => server)) as Any;
      const server: Server = createServer(options, app.callback());
      await listening(server, socket);
      return { server, close: () => closing(server) };
    },
  },
  {
    name: "fastify's serverFactory, and fastify's listen and close",
    packages: ["fastify"],
    async open(socket, options) {
      const serverFactory = (handler: Any): Server => createServer(options, handler);
      const app = fastifyApp(() => app.server, "factory", { serverFactory });
      if ((await app.listen({ path: socket })) !== socket) throw new Error("another address");
      return { server: app.server, close: () => app.close() };
    },
  },
  {
    name: "nest's Express adapter with a server of ours, and nest's listen and close",
    packages: [...NEST, "@nestjs/platform-express"],
    async open(socket, options) {
      const { ExpressAdapter } = loadPackage("@nestjs/platform-express") as Any;
      class GatewayAdapter extends ExpressAdapter {
        initHttpServer(): void {
          (this as Any).httpServer = createServer(options, (this as Any).getInstance());
        }
      }
      const app = await nestApp(
        () => new GatewayAdapter(),
        () => app.getHttpServer(),
        "adapter",
      );
      await app.listen(socket);
      return { server: app.getHttpServer(), close: () => app.close() };
    },
  },
  {
    name: "nest's Fastify adapter with a serverFactory",
    packages: [...NEST, "@nestjs/platform-fastify"],
    async open(socket, options) {
      const serverFactory = (handler: Any): Server => createServer(options, handler);
      const app = await nestApp(
        () => nestFastify({ serverFactory }),
        () => app.getHttpServer(),
        "adapter",
      );
      await app.listen({ path: socket });
      return { server: app.getHttpServer(), close: () => app.close() };
    },
  },
];
