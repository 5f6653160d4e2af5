/**
 * Settings → the servers of the bench that are JavaScript: postern in each configuration, node:http, node-fastcgi, Bun.
 * Their programs are in programs/; packages come from bench/package.json.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command, Contender, HandlerName, Task } from "./contender.ts";
import { programs, root } from "./place.ts";
import type { Settings } from "./settings.ts";

/** For AJP over TCP; at least 16 bytes. */
export const SECRET = "a secret of the bench";

const ALL: readonly HandlerName[] = ["hello", "set-header", "fetch", "express", "fastify", "hono"];
const BOTH = ["unix", "tcp"] as const;

/** One JavaScript runtime. */
interface Runtime {
  readonly path: string;
  /** In names of rows: "" for the Node that runs the bench. */
  readonly suffix: string;
  readonly flags: readonly string[];
}

const packaged = (name: string, program: string): string =>
  join(root, "bench/node_modules", name, "bin", program);

/** `24`, `/opt/node/bin/node` → a runtime. */
function runtimeOf(node: string): Runtime {
  const flags = ["--expose-gc"];
  if (node === process.execPath) return { path: node, suffix: "", flags };
  const path = /^\d+$/.test(node) ? packaged(`node${node}`, "node") : node;
  const version = existsSync(path)
    ? spawnSync(path, ["--version"], { encoding: "utf8" }).stdout.trim()
    : node;
  return { path, suffix: `, Node ${version.replace(/^v/, "")}`, flags };
}

function run(
  runtime: Runtime,
  program: string,
  task: Task,
  more: Readonly<Record<string, unknown>> = {},
  env: NodeJS.ProcessEnv = {},
): Command {
  const { address, handler } = task;
  const wanted = JSON.stringify({ address, handler, ...more });
  return {
    program: runtime.path,
    parameters: [...runtime.flags, join(programs, program), wanted],
    env: { ...process.env, NODE_ENV: "production", ...env },
    says: true,
  };
}

const missingRuntime = ({ path }: Runtime): string | undefined =>
  existsSync(path) ? undefined : `${path} is not there`;

function missingPackage(name: string | undefined): string | undefined {
  if (name === undefined || existsSync(join(root, "bench/node_modules", name))) return undefined;
  return `bench/node_modules/${name} is not installed`;
}

/** Packages that handlers need on every server. */
const FRAMEWORKS: Partial<Record<HandlerName, string>> = {
  express: "express",
  fastify: "fastify",
  hono: "hono",
};
/** And those that node:http needs on top. */
const BRIDGES: Partial<Record<HandlerName, string>> = {
  fetch: "@hono/node-server",
  hono: "@hono/node-server",
};

/** What a postern server is made from. */
export interface PosternChoice {
  readonly dist: string;
  readonly engine: string;
  readonly transport: string;
}

/** One postern server; `label` goes behind its protocol. */
export function postern(
  protocol: "fastcgi" | "scgi" | "ajp",
  choice: PosternChoice,
  node: string,
  label: string,
): Contender {
  const runtime = runtimeOf(node);
  const { dist, engine, transport } = choice;
  return {
    name: `postern ${protocol}${label}${runtime.suffix}`,
    protocol,
    handlers: ALL,
    overs: BOTH,
    // On a unix socket its permissions take the place of the secret, which would cost a digest a request.
    tcpLoad: protocol === "ajp" ? ["--secret", SECRET] : [],
    missing: (handler) => missingRuntime(runtime) ?? missingPackage(FRAMEWORKS[handler]),
    command: (task) => {
      const { packetBytes, multiplex, metrics, accessFormat } = task;
      const log = accessFormat === undefined ? undefined : join(task.folder, "access.log");
      const secret = "port" in task.address ? SECRET : undefined;
      const logs = { accessLog: log, accessFormat };
      const more = { protocol, dist, engine, secret, packetBytes, multiplex, metrics, logs };
      const env = transport === "" ? {} : { POSTERN_TRANSPORT: transport };
      return run(runtime, "postern.mjs", task, more, env);
    },
  };
}

function nodeHttp(node: string): Contender {
  const runtime = runtimeOf(node);
  return {
    name: `node:http${runtime.suffix}`,
    protocol: "http",
    handlers: ALL,
    overs: BOTH,
    missing: (handler) =>
      missingRuntime(runtime) ??
      missingPackage(FRAMEWORKS[handler]) ??
      missingPackage(BRIDGES[handler]),
    command: (task) => run(runtime, "http.mjs", task),
  };
}

/** node-fastcgi's keep-alive never worked: it reads KEEP_CONN by another name than its parser gives it. */
const nodeFastcgi: Contender = {
  name: "node-fastcgi (new connections)",
  protocol: "fastcgi",
  handlers: ["hello", "set-header"],
  overs: BOTH,
  closes: true,
  missing: () => missingPackage("node-fastcgi"),
  command: (task) => run(runtimeOf(process.execPath), "node-fastcgi.mjs", task),
};

function bun(name: string, program: string, handlers: readonly HandlerName[]): Contender {
  const runtime = { path: packaged("bun", "bun"), suffix: "", flags: [] };
  return {
    name,
    protocol: "http",
    handlers,
    overs: BOTH,
    missing: (handler) => missingRuntime(runtime) ?? missingPackage(FRAMEWORKS[handler]),
    command: (task) => run(runtime, program, task),
  };
}

/** All of them; postern for each engine × transport × Node that the settings name. */
export function javascriptServers(settings: Settings): Contender[] {
  const dist = join(root, "dist");
  const several = settings.engines.length > 1 || settings.engines[0] !== "auto";
  const configurations = settings.engines.flatMap((engine) =>
    settings.transports.map((transport) => {
      const words = [several ? engine : "", transport === "" ? "" : `transport ${transport}`];
      const label = words.filter(Boolean).join(" on ");
      return { dist, engine, transport, label: label === "" ? "" : `, ${label}` };
    }),
  );
  return [
    ...settings.nodes.flatMap((node) => [
      nodeHttp(node),
      ...configurations.flatMap(({ label, ...choice }) =>
        (["fastcgi", "scgi", "ajp"] as const).map((name) => postern(name, choice, node, label)),
      ),
    ]),
    nodeFastcgi,
    bun("Bun.serve", "bun-serve.mjs", ["fetch"]),
    bun("Bun node:http", "http.mjs", ["hello", "set-header", "express"]),
  ];
}
