/**
 * A process that has run out of descriptors: connections wait, the operator hears of it, and all are served.
 * The server runs in a process of its own with a low limit; over node:net libuv closes such connections, so this is the
 * native transport's alone.
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
import { CONFIGURATIONS } from "../support/engines.ts";

const DESCRIPTORS = 60;
const CLIENTS = 100;
const { create, reason } = CONFIGURATIONS.at(-1)!;

const source = (socket: string): string =>
  `import { serve } from ${JSON.stringify(resolve(import.meta.dirname, "../../src/serve/serve.ts"))};
   const options = { socket: ${JSON.stringify(socket)}, protocol: "fastcgi", engine: "native", transport: "native",
     onError: (error) => console.log(error.code) };
   const server = await serve((req, res) => setTimeout(() => res.end("late"), 20), options).ready();
   console.log("ready");
   process.stdin.on("data", () => server.close(() => process.exit())).unref();`;

describe.skipIf(create === undefined)(
  `a server without descriptors (${reason || "native transport"})`,
  () => {
    test("lets connections wait, says ERR_NO_DESCRIPTOR once, and serves all of them (X-11)", async () => {
      const folder = mkdtempSync(join(tmpdir(), "postern-starved-"));
      // As deep below the project's folder as src/engine is, for the addon's sake.
      const file = resolve(import.meta.dirname, "../../build-bench", `starved-${process.pid}.mjs`);
      const socket = join(folder, "s");
      try {
        const entry = join(folder, "entry.ts");
        writeFileSync(entry, source(socket));
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
        const texts = await Promise.all(
          Array.from({ length: CLIENTS }, async () => {
            const client = new ClientConnection({ protocol: "fastcgi", address: { socket } });
            const text = await (await client.request()).text();
            client.destroy();
            return text;
          }),
        );
        expect(new Set(texts)).toEqual(new Set(["late"]));
        child.stdin.write("end");
        await once(child, "exit");
        expect(lines).toEqual(["ready", "ERR_NO_DESCRIPTOR"]);
      } finally {
        rmSync(folder, { recursive: true, force: true });
        rmSync(file, { force: true });
      }
    });
  },
);
