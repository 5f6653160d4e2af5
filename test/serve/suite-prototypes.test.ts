/**
 * Applications that swap the prototypes of req and res, as Express does, and those that only look as if they did.
 * One of the behaviour suites; who is believed is test/handler/node/prototypes.test.ts. Nothing of it may show.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "rolldown";
import { describe, expect, test } from "vitest";
import { prototypesOf } from "../../src/handler/node/prototypes.ts";
import type { NodeHandler } from "../../src/serve/application.ts";
import { behaviour } from "../support/behaviour-suite.ts";

/** An application with `res.send`, as a framework's prototype has it. */
function framework(swaps: boolean): NodeHandler & { request: object; response: object } {
  const request = Object.create(IncomingMessage.prototype, {
    ip: {
      get(this: IncomingMessage) {
        return this.socket.remoteAddress;
      },
    },
  }) as IncomingMessage;
  const response = Object.create(ServerResponse.prototype, {
    send: {
      value(this: ServerResponse, text: string) {
        this.setHeader("X-Sent", "1").end(text);
      },
    },
  }) as ServerResponse;
  const app: NodeHandler = (req, res) => {
    if (swaps) {
      Object.setPrototypeOf(req, request);
      Object.setPrototypeOf(res, response);
    }
    const { ip } = req as { ip?: string };
    const text = `${req.method} ${req.url} ${req.headers.host} ${ip} ${req instanceof IncomingMessage}`;
    (res as ServerResponse & { send(text: string): void }).send(text);
  };
  return Object.assign(app, { request, response });
}

describe("an application that swaps prototypes (NH-1)", () => {
  behaviour(
    "has its methods, and the swap changes nothing",
    { make: () => framework(true) },
    async ({ request, stage }) => {
      for (let i = 0; i < 3; i++) {
        const response = await request({ url: `/${i}`, headers: { Host: "a" } });
        expect(response.headers).toMatchObject({ "x-sent": "1" });
        expect(await response.text()).toMatch(new RegExp(`^GET /${i} a \\S+ true$`));
      }
      const { hits, misses } = prototypesOf(stage.server);
      expect([hits, misses]).toEqual([3, 0]);
    },
  );

  behaviour(
    "is known behind an http.Server, too",
    { make: () => createServer(framework(true) as never) },
    async ({ request, stage }) => {
      expect((await request()).headers["x-sent"]).toBe("1");
      expect(prototypesOf(stage.server).misses).toBe(0);
    },
  );

  behaviour(
    "and is not what it seems, gets objects that work as well",
    {
      make: () => {
        const { request, response } = framework(true);
        const plain: NodeHandler = (req, res) => res.end(`${req.method} ${req.url}`);
        return Object.assign(plain, { request, response });
      },
    },
    async ({ text }) => {
      expect(await text({ url: "/plain" })).toBe("GET /plain");
    },
  );
});

test("no code is made from strings (--disallow-code-generation-from-strings)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "postern-prototypes-"));
  const source = resolve(import.meta.dirname, "../../src");
  try {
    writeFileSync(
      join(folder, "entry.ts"),
      `import { IncomingMessage, ServerResponse } from "node:http";
       import { serve } from ${JSON.stringify(join(source, "serve/serve.ts"))};
       import { ClientConnection } from ${JSON.stringify(join(source, "client/client.ts"))};
       const request = Object.create(IncomingMessage.prototype);
       const response = Object.create(ServerResponse.prototype);
       const app = (req, res) => {
         res.end(String(Object.getPrototypeOf(req) === request && Object.getPrototypeOf(res) === response));
       };
       const socket = ${JSON.stringify(join(folder, "s"))};
       const server = await serve(Object.assign(app, { request, response }), { socket }).ready();
       const client = new ClientConnection({ protocol: "fastcgi", address: { socket } });
       console.log(await (await client.request()).text());
       client.destroy();
       await server.shutdown();`,
    );
    const file = join(folder, "program.mjs");
    await build({
      input: join(folder, "entry.ts"),
      platform: "node",
      external: /^node:/,
      output: { file, format: "esm", codeSplitting: false },
    });
    const flag = "--disallow-code-generation-from-strings";
    const { stdout, stderr } = spawnSync(process.execPath, [flag, file], { encoding: "utf8" });
    expect([stdout, stderr]).toEqual(["true\n", ""]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
