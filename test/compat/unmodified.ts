/**
 * Programs of others, as they are → processes that run them: by plain HTTP, and behind a web server by
 * `postern/register` alone.
 *
 * Programs lie in programs/, each with what is asked of it. Nothing in them knows of postern. Judges nothing.
 */
import { join } from "node:path";
import { compatFolder, compatModules } from "../support/compat-packages.ts";
import { projectRoot } from "../support/documents.ts";
import { type Configuration, wayOf } from "../support/engines.ts";
import { Child } from "../support/front/child.ts";
import { AJP_SECRET, type GatewayProtocol } from "../support/front/gateway.ts";
import { type Address, whenListening } from "../support/front/ports.ts";

/** How long a program may take until it listens; Next.js on a busy machine takes seconds. */
const START_MS = 60_000;

/** One thing that is asked. */
export interface Question {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A program, and how it is started. */
export interface Program {
  readonly name: string;
  /** Packages that it needs. */
  readonly packages: readonly string[];
  /** Words for Node, from its folder. */
  readonly words: readonly string[];
  /** Words for the same site with a server of ours in its own code, where that is a way in of its own. */
  readonly custom?: readonly string[];
  readonly questions: readonly Question[];
}

const form = { "content-type": "application/x-www-form-urlencoded" };
const json = { "content-type": "application/json" };

/** The three programs. */
export const PROGRAMS: readonly Program[] = [
  {
    name: "express-site",
    packages: ["express", "morgan", "cookie-parser", "http-errors", "debug"],
    words: ["./bin/www"],
    questions: [
      { path: "/" },
      { path: "/stylesheets/style.css", headers: { range: "bytes=0-3" } },
      { path: "/hello", headers: { cookie: "name=Ada" } },
      { path: "/users/a%20b?x=1&y=%C3%A9" },
      { path: "/users", method: "POST", headers: form, body: "name=Grace+Hopper" },
      { path: "/users", method: "POST", headers: json, body: "{ not JSON" },
      { path: "/missing" },
      { path: "/broken" },
      { path: "/hello", method: "HEAD" },
    ],
  },
  {
    name: "fastify-site",
    packages: ["fastify"],
    words: ["server.js"],
    questions: [
      { path: "/" },
      { path: "/stream" },
      { path: "/sum", method: "POST", headers: json, body: "[1, 2, 3.5]" },
      { path: "/sum", method: "POST", headers: json, body: '{"a": 1}' },
      { path: "/missing?a=b" },
      { path: "/", method: "HEAD" },
    ],
  },
  {
    name: "next-site",
    packages: ["next", "react", "react-dom"],
    words: [join(compatModules, "next/dist/bin/next"), "start"],
    custom: [join(compatFolder, "next-server.mjs")],
    questions: [
      { path: "/" },
      { path: "/about" },
      { path: "/robots.txt" },
      { path: "/api/echo?a=1", method: "POST", body: "sent" },
      { path: "/missing" },
      { path: "/about/" },
    ],
  },
];

/** The folder of a program. */
export function folderOf(program: Program): string {
  return join(compatFolder, "programs", program.name);
}

function environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", ...more };
  // The test runner's own settings are no concern of the program under test.
  delete env["VITEST"];
  env["NODE_ENV"] = "production";
  return env;
}

/** Runs Node in a program's folder. */
function node(program: Program, words: readonly string[], env: Record<string, string>): Child {
  return new Child(process.execPath, words, { cwd: folderOf(program), env: environment(env) });
}

async function listening(child: Child, address: Address): Promise<Child> {
  try {
    await whenListening(address, () => child.isAlive, START_MS);
  } catch (error) {
    await child.stop("SIGKILL");
    throw new Error(`it does not serve: ${child.lines.join(" | ")}`, { cause: error });
  }
  return child;
}

/** Builds a program that has to be built. */
export async function build(program: Program): Promise<void> {
  const child = node(program, [...program.words.slice(0, -1), "build"], { NODE_OPTIONS: "" });
  const status = await child.ended;
  if (status !== "0") throw new Error(`next build ended with ${status}: ${child.lines.join("\n")}`);
}

/** Starts a program as its own documents say; it listens on a port of HTTP. */
export function startPlain(program: Program, port: number): Promise<Child> {
  const child = node(program, program.words, { PORT: String(port), NODE_OPTIONS: "" });
  return listening(child, { host: "127.0.0.1", port });
}

/** A program as a gateway. */
export interface GatewayStart {
  readonly program: Program;
  /** Unmodified, or with its custom server? */
  readonly way: "unmodified" | "custom server";
  readonly protocol: GatewayProtocol;
  readonly configuration: Configuration;
  readonly address: { readonly socket: string };
  /** What it believes to listen on. */
  readonly port: number;
}

/** Starts the same program as a gateway. */
export function startGateway(start: GatewayStart): Promise<Child> {
  const { program, way, protocol, configuration, address, port } = start;
  const { engine, transport } = wayOf(configuration);
  const preload = `--import=${join(projectRoot, "dist/register.cjs")}`;
  const env = {
    PORT: String(port),
    NODE_OPTIONS: way === "unmodified" ? preload : "",
    POSTERN_PROTOCOL: protocol,
    POSTERN_SOCKET: address.socket,
    POSTERN_MODE: "666",
    POSTERN_ENGINE: engine,
    POSTERN_TRANSPORT: transport,
    POSTERN_AJP_SECRET: AJP_SECRET,
  };
  const words = way === "unmodified" ? program.words : program.custom!;
  return listening(node(program, words, env), address);
}
