/**
 * The scenarios of the serve bench: which servers say what to which load. A table, and nothing that measures.
 */
import type { HandlerName } from "./contender.ts";

/** How a scenario is measured: by load in rounds, or once per server by idle, opening or start. */
export type Kind = "load" | "idle" | "opening" | "start";

/** Some rows of a scenario: every contender whose name begins so. */
export interface Entry {
  readonly prefix: string;
  readonly handler: HandlerName;
  /** Behind the load of the scenario. */
  readonly load?: readonly string[];
  /** Behind the name. */
  readonly label?: string;
  /** Largest AJP packet, 8192 unless said. */
  readonly packetBytes?: number;
  /** With its status shown. */
  readonly metrics?: boolean;
  /** With an access log of this format. */
  readonly accessFormat?: string;
  /** Also in the quick set. */
  readonly quick?: boolean;
}

/** One table. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly kind: Kind;
  readonly load: readonly string[];
  readonly entries: readonly Entry[];
  /** Ratios are to the first row whose name begins so and that has this handler. */
  readonly baseline: readonly [string, HandlerName];
  /** `both`: over TCP as well, in the full set. */
  readonly over: "unix" | "both";
  readonly quick: boolean;
}

const HELLO = ["--expect-text", "hello world\n"];
const NODE = ["node:http", "hello"] as const;
const POSTERN = ["postern fastcgi", "postern scgi", "postern ajp"] as const;

/** All kinds of postern with one handler. */
const posterns = (handler: HandlerName, quick: readonly string[] = []): Entry[] =>
  POSTERN.map((prefix) => ({ prefix, handler, quick: quick.includes(prefix) }));
const http = (handler: HandlerName, label = "", quick = true): Entry => ({
  prefix: "node:http",
  handler,
  label,
  quick,
});
const others = (...prefixes: readonly string[]): Entry[] =>
  prefixes.map((prefix) => ({ prefix, handler: "hello" }));

/** A framework on postern against the same on node:http. */
function framework(handler: HandlerName, title: string, quick: boolean): Scenario {
  return {
    name: handler,
    title: `${title}: hello, kept connections, c=64`,
    kind: "load",
    load: [...HELLO, "--connections", "64"],
    entries: [{ prefix: "postern fastcgi", handler, quick }, http(handler, "", quick)],
    baseline: ["node:http", handler],
    over: "unix",
    quick,
  };
}

/** All kinds of postern with metrics. */
const metered: readonly Entry[] = POSTERN.map((prefix) => ({
  prefix,
  handler: "hello",
  metrics: true,
  label: ", metrics",
}));

/** All kinds of postern with an access log. */
const logged = (accessFormat: string): Entry[] =>
  POSTERN.map((prefix) => ({ prefix, handler: "hello", accessFormat, label: `, ${accessFormat}` }));

const UPLOAD = ["--body", "1048576", "--expect-text", "1048576", "--connections", "4"];
const LARGE_AJP = ["--ajp-packet", "65536"];

/** Every scenario, in the order of its table. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "hello",
    title: "hello: writeHead and end(buffer), kept connections, c=64",
    kind: "load",
    load: [...HELLO, "--connections", "64"],
    entries: [
      ...posterns("hello", ["postern fastcgi", "postern ajp"]),
      http("hello"),
      ...others("node-fastcgi", "Bun node:http", "nginx", "libfcgi", "php-fpm", "Go", "uWSGI"),
      ...others("Tomcat"),
    ],
    baseline: NODE,
    over: "both",
    quick: true,
  },
  {
    name: "set-header",
    title: "hello: two setHeader and end(buffer), kept connections, c=64",
    kind: "load",
    load: [...HELLO, "--connections", "64"],
    entries: [...posterns("set-header"), http("set-header")],
    baseline: ["node:http", "set-header"],
    over: "unix",
    quick: false,
  },
  {
    name: "fetch",
    title: "hello: fetch and new Response(text), kept connections, c=64",
    kind: "load",
    load: [...HELLO, "--connections", "64"],
    entries: [
      ...posterns("fetch", ["postern fastcgi"]),
      http("fetch", ", @hono/node-server"),
      http("hello", ", (req, res)"),
      { prefix: "Bun.serve", handler: "fetch" },
      { prefix: "nginx", handler: "hello" },
    ],
    baseline: NODE,
    over: "both",
    quick: true,
  },
  {
    name: "new",
    title: "hello: a new connection for each request, c=64",
    kind: "load",
    load: [...HELLO, "--connections", "64", "--new-connections"],
    entries: [
      ...posterns("hello", ["postern fastcgi", "postern scgi"]),
      http("hello"),
      ...others("node-fastcgi", "Bun node:http", "nginx", "libfcgi", "php-fpm", "Go", "uWSGI"),
      ...others("Tomcat"),
    ],
    baseline: NODE,
    over: "both",
    quick: true,
  },
  {
    name: "64k",
    title: "64 KiB response, kept connections, c=16",
    kind: "load",
    load: ["--path", "/64k", "--expect-bytes", "65536", "--connections", "16"],
    entries: [...posterns("hello"), http("hello"), ...others("node-fastcgi", "Bun node:http")],
    baseline: NODE,
    over: "unix",
    quick: false,
  },
  {
    name: "1m",
    title: "1 MiB response, kept connections, c=4",
    kind: "load",
    load: ["--path", "/1m", "--expect-bytes", "1048576", "--connections", "4"],
    entries: [...posterns("hello"), http("hello"), ...others("node-fastcgi", "Bun node:http")],
    baseline: NODE,
    over: "unix",
    quick: false,
  },
  {
    name: "upload",
    title: "1 MiB upload, kept connections, c=4",
    kind: "load",
    load: UPLOAD,
    entries: [
      ...posterns("hello", ["postern fastcgi"]),
      {
        prefix: "postern ajp",
        handler: "hello",
        load: LARGE_AJP,
        label: ", packets of 65536",
        packetBytes: 65_536,
      },
      http("hello"),
      ...others("node-fastcgi", "Bun node:http"),
    ],
    baseline: NODE,
    over: "unix",
    quick: true,
  },
  {
    name: "multiplex",
    title: "hello: one connection with 32 ids against 32 connections (FastCGI)",
    kind: "load",
    load: HELLO,
    entries: [
      { prefix: "postern fastcgi", handler: "hello", load: ["--connections", "32"], label: ", 32" },
      { prefix: "postern fastcgi", handler: "hello", load: ["--ids", "32"], label: ", 1 × 32" },
    ],
    baseline: ["postern fastcgi", "hello"],
    over: "unix",
    quick: false,
  },
  {
    name: "metrics",
    title: "hello with metrics, kept connections, c=64",
    kind: "load",
    load: [...HELLO, "--connections", "64"],
    entries: [...posterns("hello"), ...metered],
    baseline: ["postern fastcgi", "hello"],
    over: "unix",
    quick: false,
  },
  {
    name: "access-log",
    title: "hello with an access log, kept connections, c=64",
    kind: "load",
    load: [...HELLO, "--connections", "64"],
    entries: [...posterns("hello"), ...logged("combined"), ...logged("json")],
    baseline: ["postern fastcgi", "hello"],
    over: "unix",
    quick: false,
  },
  framework("express", "Express 5", true),
  framework("fastify", "Fastify 5", false),
  framework("hono", "Hono, by @hono/node-server on node:http", false),
  {
    name: "c512",
    title: "hello: 512 connections at once from a standing start; p99.9 counts",
    kind: "load",
    load: [...HELLO, "--connections", "512"],
    entries: [...posterns("hello"), http("hello"), ...others("Bun node:http", "nginx", "Go")],
    baseline: NODE,
    over: "unix",
    quick: false,
  },
  {
    name: "idle",
    title: "idle kept connections, each served once",
    kind: "idle",
    load: HELLO,
    entries: [
      { prefix: "postern fastcgi", handler: "hello" },
      { prefix: "postern ajp", handler: "hello" },
      http("hello"),
    ],
    baseline: NODE,
    over: "unix",
    quick: false,
  },
  {
    name: "opening",
    title: "512 connections that open at once: until the last is served",
    kind: "opening",
    load: [...HELLO, "--connections", "512"],
    entries: [
      { prefix: "postern fastcgi", handler: "hello" },
      { prefix: "postern ajp", handler: "hello" },
      http("hello"),
    ],
    baseline: NODE,
    over: "both",
    quick: false,
  },
  {
    name: "start",
    title: "from the start of the process to listening",
    kind: "start",
    load: [],
    entries: [{ prefix: "postern fastcgi", handler: "hello", quick: true }, http("hello")],
    baseline: NODE,
    over: "unix",
    quick: true,
  },
];
