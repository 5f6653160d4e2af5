/**
 * Applications by their shape: which handler each gets, what waits for what, and what its failure says.
 *
 * The shapes are written out here, without their frameworks; those are in test/compat/ways-in.test.ts.
 */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { once } from "node:events";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { type Application, isApplication } from "../../src/serve/application.ts";
import { createServer, serve } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import { Room, connect } from "../support/front/ports.ts";
import { answerAt } from "../support/preloaded.ts";

const room = new Room("applications");
const servers: Server[] = [];
let count = 0;
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.shutdown()));
});
afterAll(() => room.remove());

function socketPath(): string {
  count += 1;
  return room.file(`${count}.sock`);
}

/** Serves one, until the test has ended. */
function serving(application: Application, socket = socketPath()): Server {
  const server = serve(application, { socket, onError: () => undefined });
  servers.push(server);
  return server;
}

const says =
  (text: string) =>
  (req: IncomingMessage, res: ServerResponse): void => {
    res.end(`${text} ${req.url}`);
  };

/** A promise, and what settles it. */
function gate(): { promise: Promise<void>; open(): void; fail(error: Error): void } {
  let open = (): void => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

/** Has the shape of Fastify's; tells what happens to it. */
function fastifyLike(ready: Promise<void> = Promise.resolve()): Application & { told: string[] } {
  const told: string[] = [];
  return {
    told,
    async ready() {
      told.push("ready");
      await ready;
    },
    routing: says("fastify"),
    async close() {
      told.push("close");
    },
  };
}

/** Has the shape of NestJS's, around an adapter's instance. */
function nestLike(instance: unknown): Application & { told: string[] } {
  const told: string[] = [];
  return {
    told,
    async init() {
      told.push("init");
    },
    getHttpAdapter: () => ({ getInstance: () => instance }),
    async close() {
      told.push("close");
    },
  };
}

const SHAPES: Readonly<Record<string, () => Application>> = {
  "a function": () => says("a function"),
  "an object with callback()": () => ({ callback: () => says("an object with callback()") }),
  "an object with fetch()": () => ({
    fetch: (request: Request) =>
      new Response(`an object with fetch() ${new URL(request.url).pathname}`),
  }),
  "an http.Server": () => createHttpServer(says("an http.Server")),
  fastify: () => fastifyLike(),
  "nest on express": () => nestLike(says("nest on express")),
};

describe("every shape is recognised, and served", () => {
  test.each(Object.keys(SHAPES))("%s", async (name) => {
    const application = SHAPES[name]!();
    expect(isApplication(application)).toBe(true);
    const server = await serving(application).ready();
    const socket = server.address() as string;
    expect(await answerAt("fastcgi", { socket }, "/x")).toBe(`200 ${name} /x`);
  });

  test.each(Object.keys(SHAPES))("%s, by createServer and listen", async (name) => {
    const socket = socketPath();
    const server = createServer({ protocol: "scgi" }, SHAPES[name]!());
    servers.push(server);
    await server.listen({ path: socket }).ready();
    expect(await answerAt("scgi", { socket }, "/x")).toBe(`200 ${name} /x`);
  });

  test("nest on fastify: both are made ready, and nest alone is closed", async () => {
    const inner = fastifyLike();
    const outer = nestLike(inner);
    const server = await serving(outer).ready();
    expect(await answerAt("fastcgi", { socket: server.address() as string })).toBe("200 fastify /");
    await server.shutdown();
    expect([outer.told, inner.told]).toEqual([["init", "close"], ["ready"]]);
  });

  test.each([[null], [undefined], ["text"], [{}], [{ ready() {}, routing() {} }]])(
    "%s is none",
    (value) => {
      expect(isApplication(value)).toBe(false);
      const make = (): unknown => serve(value as unknown as Application, { socket: socketPath() });
      expect(make).toThrow(UsageError);
      expect(make).toThrow(/expected a function \(req, res\), .* or an http\.Server\.$/);
    },
  );
});

describe("an application that has to be made ready", () => {
  test("is so before anything is bound: until then there is no socket", async () => {
    const socket = socketPath();
    const { promise, open } = gate();
    const application = fastifyLike(promise);
    const server = serving(application, socket);
    const ready = server.ready();
    expect(application.told).toEqual(["ready"]);
    await expect(connect({ socket })).rejects.toMatchObject({ code: "ENOENT" });
    expect([server.listening, server.address()]).toEqual([false, null]);
    open();
    await ready;
    expect(await answerAt("fastcgi", { socket })).toBe("200 fastify /");
  });

  const failing = (): [string, Application][] => {
    const cause = new Error("no database");
    const rejected = Promise.reject(cause);
    rejected.catch(() => undefined);
    const nest = { ...nestLike(says("")), init: () => Promise.reject(cause) };
    return [
      ["ready", fastifyLike(rejected)],
      ["init", nest as unknown as Application],
      ["ready", nestLike(fastifyLike(rejected))],
    ];
  };

  test.each(failing())(
    "whose %s() rejects: ready() rejects with one sentence",
    async (method, application) => {
      const error: unknown = await serving(application)
        .ready()
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UsageError);
      expect(error).toMatchObject({
        code: "ERR_APP_START",
        message: `The application's ${method}() failed, so nothing listens; mend it first: no database`,
        cause: new Error("no database"),
      });
    },
  );

  test.each(failing())(
    'whose %s() rejects: "error" tells, where nobody waits for ready()',
    async (_, application) => {
      const socket = socketPath();
      const [error] = await once(serving(application, socket), "error");
      expect(error).toMatchObject({ code: "ERR_APP_START" });
      await expect(connect({ socket })).rejects.toMatchObject({ code: "ENOENT" });
    },
  );

  test("is closed after the server has, and close() and shutdown() wait for that", async () => {
    const { promise, open } = gate();
    const application = fastifyLike();
    const told: string[] = application.told;
    const close = (): Promise<void> => {
      told.push("close");
      return promise;
    };
    const server = await serving({ ...application, close } as unknown as Application).ready();
    server.once("close", () => told.push("server"));
    const closed = Promise.all([
      new Promise((done) => server.close(done)).then(() => told.push("callback")),
      server.shutdown().then(() => told.push("shutdown")),
    ]);
    await once(server, "close");
    await new Promise(setImmediate);
    expect(told).toEqual(["ready", "server", "close"]);
    open();
    await closed;
    expect(told.slice(3).sort()).toEqual(["callback", "shutdown"]);
  });

  test("whose close() rejects: the error is reported, and the server is closed", async () => {
    const errors: unknown[] = [];
    const application = { ...fastifyLike(), close: () => Promise.reject(new Error("stuck")) };
    const server = await serve(application as unknown as Application, {
      socket: socketPath(),
      onError: (error) => void errors.push(error),
    }).ready();
    await server.shutdown();
    expect(errors).toEqual([new Error("stuck")]);
  });

  test("is not closed where it was never made ready", async () => {
    const application = fastifyLike();
    const server = createServer({ socket: socketPath() }, application);
    await new Promise((done) => server.close(done));
    expect(application.told).toEqual([]);
  });

  test("and whose server is closed meanwhile: nothing is bound, and only ready() tells", async () => {
    const socket = socketPath();
    const { promise, open } = gate();
    const application = fastifyLike(promise);
    const server = serving(application, socket);
    const heard: unknown[] = [];
    server.on("error", (error) => heard.push(error));
    server.close();
    open();
    await new Promise(setImmediate);
    expect(heard).toEqual([]);
    await expect(server.ready()).rejects.toMatchObject({ code: "ERR_CLOSED_EARLY" });
    await expect(connect({ socket })).rejects.toMatchObject({ code: "ENOENT" });
    expect(application.told).toEqual(["ready", "close"]);
  });
});

describe("listening is told when address() and where are what they will be", () => {
  test("of a unix socket", async () => {
    const socket = socketPath();
    const server = createServer({ socket }, says(""));
    servers.push(server);
    const seen = await new Promise((done) => {
      server.listen(() => done([server.address(), server.where, server.listening]));
    });
    expect(seen).toEqual([socket, `unix:${socket}`, true]);
  });

  test("of a port", async () => {
    const server = createServer({ port: 0 }, says(""));
    servers.push(server);
    const seen = await new Promise((done) => {
      server.listen(() => done([server.address(), server.where]));
    });
    const { port } = server.address() as { port: number };
    expect(seen).toEqual([server.address(), `127.0.0.1:${port}`]);
  });
});
