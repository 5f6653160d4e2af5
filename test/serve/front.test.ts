/**
 * The arguments of `serve`: handler and options apart or in one object, by the names of srvx, Deno, Bun and Hono.
 * What the names come to is read here; that each way serves is shown at the end. The types are checked by tsc.
 */
import { createServer as createHttpServer } from "node:http";
import { describe, expect, test } from "vitest";
import { type ClientProtocol, request } from "../../src/client/client.ts";
import { UsageError } from "../../src/errors.ts";
import { readFront } from "../../src/serve/front.ts";
import { createServer, serve } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import type { ListenAddress } from "../../src/server/settings.ts";
import { Room } from "../support/front/ports.ts";

const fetch = (): Response => new Response("ok");
const optionsOf = (options: object): object => readFront({ fetch, ...options }, undefined).options;

function refusal(...given: [unknown, object?]): string {
  try {
    readFront(given[0], given[1]);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  throw new Error("it was taken");
}

describe("options in one object with the handler", () => {
  test.each([
    ["srvx", { port: 1, hostname: "::1", silent: true, bun: {}, deno: {}, serviceWorker: {} }],
    ["Deno", { port: 1, hostname: "::1", transport: "tcp", reusePort: false }],
    ["Bun", { port: 1, hostname: "::1", development: true, id: "x" }],
    ["Hono's Node server", { port: 1, hostname: "::1" }],
  ])("come by the names of %s", (_, options) => {
    expect(optionsOf(options)).toEqual({ port: 1, host: "::1" });
  });

  test.each([
    [{ unix: "/x" }, { socket: "/x" }],
    [{ path: "/x", transport: "unix" }, { path: "/x" }],
    [{ tcpBacklog: 5 }, { backlog: 5 }],
    [{ maxRequestBodySize: 5 }, { limits: { bodyBytes: 5 } }],
    [{ maxRequestBodySize: 5, limits: { requests: 1 } }, { limits: { bodyBytes: 5, requests: 1 } }],
    [{ error: fetch }, { onError: fetch }],
    [{ gracefulShutdown: false, manual: false, trustProxy: false, tls: undefined }, {}],
  ])("%j are %j", (given, options) => {
    expect(optionsOf(given)).toEqual(options);
  });

  test.each([
    [{ host: "a", hostname: "a" }, '"host" and "hostname" are the same'],
    [{ hostname: "a", host: "a" }, '"host" and "hostname" are the same'],
    [{ onError: fetch, error: fetch }, '"onError" and "error" are the same'],
    [
      { maxRequestBodySize: 5, limits: { bodyBytes: 5 } },
      '"limits.bodyBytes" and "maxRequestBodySize" are the same',
    ],
    [{ tls: {} }, 'Option "tls" is not taken: the web server ends TLS; leave it out.'],
    [{ idleTimeout: 10 }, '"idleTimeout" is not taken: write timeouts.idle, in milliseconds'],
    [{ reusePort: true }, '"reusePort" is not taken: processes share a listening socket'],
    [{ gracefulShutdown: {} }, '"gracefulShutdown" is not taken: stop by `signal`'],
    [{ websocket: {} }, '"websocket" is not taken'],
    [{ routes: {} }, '"routes" is not taken'],
  ])("%j are refused", (options, sentence) => {
    expect(refusal({ fetch, ...options })).toContain(sentence);
  });

  test("are refused by a name that nobody has, and by a wrong value", () => {
    expect(() => serve({ fetch, prot: 1 } as never)).toThrow('did you mean "port"');
    expect(() => serve({ fetch, protocol: "https" } as never)).toThrow('protocol is "https"');
    expect(() => createServer({ hostname: 5 } as never)).toThrow("host is 5; it takes text");
  });
});

describe("the application", () => {
  test("is the object itself, whose fetch is called as its method", () => {
    const both = { fetch, port: 1 };
    expect(readFront(both, undefined).application).toBe(both);
  });

  test("is what is under handler or app", () => {
    const inner = createHttpServer();
    expect(readFront({ handler: fetch, port: 1 }, undefined).application).toBe(fetch);
    expect(readFront({ app: inner, port: 1 }, undefined).application).toBe(inner);
  });

  test("is an instance of a class as a whole: its members are no options", () => {
    class Framework {
      readonly routes = [];
      readonly port = "x";
      fetch = fetch;
    }
    const app = new Framework();
    expect(readFront(app, undefined)).toEqual({ application: app, options: {} });
  });

  test("stands apart from a second argument: what else is in it does not count", () => {
    const app = { fetch, scheduled: fetch, port: 9 };
    expect(readFront(app, { port: 1 })).toEqual({ application: app, options: { port: 1 } });
  });

  test("is a Web-style function where kind says so", () => {
    const { application, options } = readFront(fetch, { kind: "fetch", port: 1 });
    expect(application).toEqual({ fetch });
    expect(options).toEqual({ port: 1 });
    expect(readFront(fetch, { kind: "node" }).application).toBe(fetch);
  });

  test.each([
    [{ port: 1 }, "serve() was given options with no application; give one of fetch(request)"],
    [{ fetch, handler: fetch }, "serve() was given options with fetch and handler"],
    [{ fetch: 5 }, "fetch is number; it takes a function."],
    [{ handler: {} }, "handler is object; it takes a function."],
  ])("%j is refused", (given, sentence) => {
    expect(refusal(given)).toContain(sentence);
  });

  test("of an unknown kind is refused", () => {
    expect(refusal(fetch, { kind: "web" })).toBe('kind is "web"; it takes "fetch" or "node".');
  });
});

describe("serve", () => {
  async function answerOf(server: Server, socket: string): Promise<string> {
    await server.ready();
    const protocol: ClientProtocol = "scgi";
    const headers = { Host: "a.test" };
    const response = await request({ protocol, address: { socket }, url: "/x", headers });
    const text = await response.text();
    await server.shutdown();
    return text;
  }

  test("serves each way, and its parameters need no types", async () => {
    const room = new Room("front");
    const unix = room.file("s");
    const where = { unix, protocol: "scgi" } as const;
    const ways: (() => Server)[] = [
      () =>
        serve({ fetch: (req, info) => new Response(req.url + info.gateway.protocol), ...where }),
      () =>
        serve((req, info) => new Response(req.url + info.gateway.protocol), {
          kind: "fetch",
          ...where,
        }),
      () => serve({ handler: (req, res) => res.end(`http://a.test${req.url}scgi`), ...where }),
      () => serve((req, res) => res.end(`http://a.test${req.url}scgi`), where),
      () => serve({ fetch: async (req) => new Response(`${req.url}scgi`) }, where),
      () => createServer(where, { fetch: (req) => new Response(`${req.url}scgi`) }).listen(),
    ];
    try {
      for (const way of ways) expect(await answerOf(way(), unix)).toBe("http://a.test/xscgi");
    } finally {
      room.remove();
    }
  });

  test("tells onListen where, by the names of Deno", async () => {
    const told: ListenAddress[] = [];
    const server = serve({ fetch, port: 0, onListen: (address) => told.push(address) });
    await server.ready();
    const { port } = server.address() as { port: number };
    expect(told).toMatchObject([{ hostname: "127.0.0.1", port, path: undefined }]);
    await server.shutdown();
  });
});
