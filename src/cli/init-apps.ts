/**
 * The name of a framework → the first lines of an application, and the packages that it needs.
 *
 * Each exports its application and listens nowhere: the address stands in the command. Writes nothing.
 */

/** An application to begin with. */
export interface Beginning {
  readonly name: string;
  /** Packages to install. */
  readonly packages: readonly string[];
  readonly text: string;
}

/** Apart, so that no line of this file begins as a default export of its own. */
const EXPORT = "export default";

/** All of them; the first is the one that nobody asked for. */
export const BEGINNINGS: readonly Beginning[] = [
  {
    name: "plain",
    packages: [],
    text: `${EXPORT} (req, res) => {
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  res.end(\`Hello from Node.js over \${req.gateway.protocol}: \${req.url}\\n\`);
};
`,
  },
  {
    name: "fetch",
    packages: [],
    text: `${EXPORT} {
  fetch: (request) => new Response(\`Hello, \${new URL(request.url).pathname}\\n\`),
};
`,
  },
  {
    name: "express",
    packages: ["express"],
    text: `import express from "express";

const app = express();
app.get("/", (req, res) => res.send(\`Hello from Express over \${req.gateway.protocol}\\n\`));

${EXPORT} app;
`,
  },
  {
    name: "koa",
    packages: ["koa"],
    text: `import Koa from "koa";

const app = new Koa();
app.use((context) => {
  context.body = \`Hello from Koa over \${context.req.gateway.protocol}\\n\`;
});

${EXPORT} app;
`,
  },
  {
    name: "fastify",
    packages: ["fastify"],
    text: `import Fastify from "fastify";

const app = Fastify();
app.get("/", async (request) => \`Hello from Fastify over \${request.raw.gateway.protocol}\\n\`);

${EXPORT} app;
`,
  },
  {
    name: "nest",
    packages: [
      "@nestjs/common",
      "@nestjs/core",
      "@nestjs/platform-express",
      "reflect-metadata",
      "rxjs",
    ],
    text: `import "reflect-metadata";
import { Controller, Get, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";

// Decorators as calls, since Node.js runs this file as it is.
class HelloController {
  hello() {
    return "Hello from NestJS\\n";
  }
}
const hello = Object.getOwnPropertyDescriptor(HelloController.prototype, "hello");
Get()(HelloController.prototype, "hello", hello);
Controller()(HelloController);

class AppModule {}
Module({ controllers: [HelloController] })(AppModule);

${EXPORT} NestFactory.create(AppModule, { logger: ["error", "warn"] });
`,
  },
  {
    name: "next",
    packages: ["next", "react", "react-dom"],
    text: `// In the folder of the site, once "npx next build" has built it.
import next from "next";

const app = next({ dev: false });
const handle = app.getRequestHandler();
await app.prepare();

${EXPORT} (req, res) => handle(req, res);
`,
  },
  {
    name: "hono",
    packages: ["hono"],
    text: `import { Hono } from "hono";

const app = new Hono();
app.get("/", (context) => context.text(\`Hello from Hono over \${context.env.gateway.protocol}\\n\`));

${EXPORT} app;
`,
  },
];
