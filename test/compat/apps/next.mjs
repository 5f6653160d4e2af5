/**
 * Next.js as a custom server: one built application, one request handler, any number of servers.
 * The application is next-app/, built once into node_modules/.cache and again when it or Next.js has changed.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { raw } from "./raw-bodies.mjs";

const require = createRequire(import.meta.url);
const here = resolve(import.meta.dirname, "..");
const source = join(here, "next-app");
const built = join(here, "node_modules/.cache/postern/next-app");
const stamp = join(built, ".next/stamp");

/** What a build depends on, as one word. */
function wanted() {
  const hash = createHash("sha1").update(require("next/package.json").version);
  for (const name of readdirSync(source, { recursive: true }).sort()) {
    const path = join(source, name);
    if (statSync(path).isFile()) hash.update(name).update(readFileSync(path));
  }
  return hash.digest("hex");
}

function build() {
  const word = wanted();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === word) return;
  rmSync(built, { recursive: true, force: true });
  mkdirSync(built, { recursive: true });
  cpSync(source, built, { recursive: true });
  const then = new Date("2023-01-02T03:04:05Z");
  utimesSync(join(built, "public/hello.txt"), then, then);
  const environment = { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" };
  // Words for vitest's own children mean something else to Next's.
  for (const name of ["NODE_OPTIONS", "VITEST", "TEST"]) delete environment[name];
  const program = require.resolve("next/dist/bin/next");
  execFileSync(process.execPath, [program, "build"], {
    cwd: built,
    env: environment,
    stdio: "pipe",
  });
  writeFileSync(stamp, word);
}

export const nextApp = {
  async open() {
    build();
    // API routes of the built application find the handlers here; they are bundled apart from this module.
    globalThis.posternRaw = raw;
    const next = require("next");
    const app = next({ dev: false, dir: built, quiet: true, customServer: true });
    await app.prepare();
    const handle = app.getRequestHandler();
    return {
      start: async (createServer) => ({ server: createServer((req, res) => handle(req, res)) }),
    };
  },
};
