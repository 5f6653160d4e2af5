/**
 * What requests write beside their answers: many lines that fill a record exactly, and standard streams that somebody made
 * non-blocking (reliability B-95, B-96).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { CONFIGURATIONS, wayOf } from "../support/engines.ts";
import { commandPath } from "../support/front/gateway.ts";
import { Room, whenListening } from "../support/front/ports.ts";
import { transcript } from "../support/transcript.ts";
import { fastcgiRequest, Type } from "../support/transcript-frames.ts";

const LINES = 167;
const RECORD_BYTES = 8_192;

for (const size of [64, 49, 128, 256]) {
  transcript(
    `${LINES} lines of ${size} bytes from one request: all of them, and no empty record between (B-96, X-8)`,
    {
      handler: async (req, res) => {
        for (let i = 0; i < LINES; i++) {
          req.gateway.errors.write(`${String(i).padStart(size - 1, ".")}\n`);
          if (i % 32 === 31) await new Promise(setImmediate);
        }
        res.end("done");
      },
    },
    async ({ peer }) => {
      peer.sends(fastcgiRequest());
      const pieces: Buffer[] = [];
      for (;;) {
        const { type, content } = await peer.readRecord();
        if (type === Type.END) break;
        if (type === Type.STDERR) pieces.push(content);
      }
      expect(pieces.findIndex((piece) => piece.length === 0)).toBe(pieces.length - 1);
      expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(RECORD_BYTES);
      const lines = Buffer.concat(pieces).toString("latin1").split("\n");
      expect(lines.map((line) => Number(line.replaceAll(".", "")))).toEqual([
        ...Array.from({ length: LINES }, (_, i) => i),
        0,
      ]);
    },
  );
}

describe("a request that makes the standard streams non-blocking (B-95)", () => {
  const room = new Room("streams");
  afterAll(() => room.remove());
  const application = room.file("app.cjs");
  writeFileSync(
    application,
    `module.exports = (req, res) => {
      for (const stream of [process.stdin, process.stdout, process.stderr])
        stream._handle?.setBlocking?.(false);
      for (let i = 0; i < 400; i++) console.log(req.url + " " + "x".repeat(500));
      res.end("answered " + req.url);
    };`,
  );

  for (const { name, create, reason } of CONFIGURATIONS) {
    test.skipIf(create === undefined)(
      `does not change what later ones get and write · ${name}${reason === "" ? "" : ` (${reason})`}`,
      async () => {
        const socket = room.file(`${name.replace(" ", "-")}.s`);
        const { engine, transport } = wayOf(name);
        const words = ["--socket", socket, "--engine", engine, "--transport", transport];
        const child = spawn(process.execPath, [commandPath(), application, ...words], {
          stdio: ["pipe", "pipe", "ignore"],
        });
        let text = "";
        child.stdout.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
        try {
          await whenListening({ socket }, () => child.exitCode === null);
          for (let i = 0; i < 5; i++) {
            const answer = await request({
              protocol: "fastcgi",
              address: { socket },
              url: `/${i}`,
            });
            expect(await answer.text()).toBe(`answered /${i}`);
          }
        } finally {
          child.kill("SIGTERM");
          if (child.exitCode === null) await once(child, "close");
        }
        expect(text.split("\n").filter((line) => /^\/\d x{500}$/.test(line))).toHaveLength(2_000);
      },
    );
  }
});
