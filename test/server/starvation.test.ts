/**
 * A process that has run out of descriptors: connections wait, the operator hears of it, and all are served.
 * The server runs in a process of its own with a low limit; over node:net libuv closes such connections, so that nothing can
 * wait there.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { build } from "rolldown";
import { describe, expect, test } from "vitest";
import { ClientConnection } from "../../src/client/client.ts";
import { CONFIGURATIONS, ENGINES } from "../support/engines.ts";

const DESCRIPTORS = 60;
const CLIENTS = 100;
/** A build and a process: seconds, on a busy machine many. */
const TIMEOUT_MS = 60_000;
const { create, reason } = CONFIGURATIONS.at(-1)!;

const source = (socket: string, engine: string, transport: string): string =>
  `import { serve } from ${JSON.stringify(resolve(import.meta.dirname, "../../src/serve/serve.ts"))};
   const options = { socket: ${JSON.stringify(socket)}, protocol: "fastcgi", engine: "${engine}", transport: "${transport}",
     onError: (error) => console.log(error.code) };
   const server = await serve((req, res) => setTimeout(() => res.end("late"), 20), options).ready();
   console.log("ready");
   process.stdin.on("data", () => server.close(() => process.exit())).unref();`;

/** A server in a process of its own with few descriptors; `play` is given its socket, and what it prints comes back. */
async function starved(
  engine: string,
  transport: string,
  play: (socket: string) => Promise<void>,
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "postern-starved-"));
  // As deep below the project's folder as src/engine is, for the addon's sake.
  const name = `starved-${process.pid}-${engine}-${transport}.mjs`;
  const file = resolve(import.meta.dirname, "../../build-bench", name);
  const socket = join(folder, "s");
  try {
    const entry = join(folder, "entry.ts");
    writeFileSync(entry, source(socket, engine, transport));
    const output = { file, format: "esm", codeSplitting: false } as const;
    await build({
      input: entry,
      platform: "node",
      external: /^node:/,
      output,
      logLevel: "silent",
    });
    const command = `ulimit -n ${DESCRIPTORS}; exec "$0" "$1"`;
    const child = spawn("sh", ["-c", command, process.execPath, file], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines: string[] = [];
    const reader = createInterface(child.stdout);
    reader.on("line", (line) => lines.push(line));
    await once(reader, "line");
    await play(socket);
    child.stdin.write("end");
    await once(child, "exit");
    return lines;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(file, { force: true });
  }
}

/** One request on a connection of its own. */
async function textFrom(socket: string): Promise<string> {
  const client = new ClientConnection({ protocol: "fastcgi", address: { socket } });
  try {
    return await (await client.request()).text();
  } finally {
    client.destroy();
  }
}

describe.skipIf(create === undefined)(
  `a server without descriptors (${reason || "native transport"})`,
  () => {
    test("lets connections wait, says ERR_NO_DESCRIPTOR once, and serves all of them (X-11)", {
      timeout: TIMEOUT_MS,
    }, async () => {
      const lines = await starved("native", "native", async (socket) => {
        const texts = await Promise.all(Array.from({ length: CLIENTS }, () => textFrom(socket)));
        expect(new Set(texts)).toEqual(new Set(["late"]));
      });
      expect(lines).toEqual(["ready", "ERR_NO_DESCRIPTOR"]);
    });
  },
);

for (const engine of ENGINES) {
  describe.skipIf(engine.create === undefined)(
    `a server over node:net without descriptors (${engine.reason || engine.name})`,
    () => {
      test("loses connections that libuv closes, lives, and serves later ones (X-11)", {
        timeout: TIMEOUT_MS,
      }, async () => {
        const lines = await starved(engine.name, "node", async (socket) => {
          const all = Array.from({ length: CLIENTS }, () => textFrom(socket).catch(() => "lost"));
          const texts = new Set(await Promise.all(all));
          expect([...texts].filter((text) => text !== "late" && text !== "lost")).toEqual([]);
          for (let i = 0; i < 3; i++) expect(await textFrom(socket)).toBe("late");
        });
        expect(lines[0]).toBe("ready");
      });
    },
  );
}
