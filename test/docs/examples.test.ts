/**
 * Every program and command in README and docs, run as it stands there.
 *
 * The mark above a block says how (test/support/documents.ts). Configurations of front servers are for
 * configurations.test.ts; prose is for nobody but its reader.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ClientProtocol, request } from "../../src/client/client.ts";
import { packagesObstacle } from "../support/compat-packages.ts";
import { DocumentRoom, type Running } from "../support/document-room.ts";
import {
  type Block,
  blocksOf,
  documents,
  KINDS,
  placeOf,
  PROVED,
  projectRoot,
  textOf,
} from "../support/documents.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import type { Address } from "../support/front/ports.ts";

/** The secret in the file that documents call /etc/app/ajp-secret. */
const SECRET = "0123456789abcdef0123456789abcdef";

/** The module that documents about NestJS call theirs, as TypeScript compiles its decorators. */
const NEST_MODULE = `
require("reflect-metadata");
const { Controller, Get, Module } = require("@nestjs/common");
class Hello { hello() { return "Hello from NestJS\\n"; } }
Get("*path")(Hello.prototype, "hello", Object.getOwnPropertyDescriptor(Hello.prototype, "hello"));
Controller()(Hello);
class AppModule {}
Module({ controllers: [Hello] })(AppModule);
exports.AppModule = AppModule;
`;

/** Why a block cannot run here: the packages that it imports and nobody has installed. */
function obstacleOf({ text }: Block): string | undefined {
  const names = [...text.matchAll(/\bfrom "((?:@[\w-]+\/)?[\w-]+)"/g)].map((match) => match[1]!);
  // What our own development uses is copied to the room.
  const isOurs = (name: string): boolean => existsSync(join(projectRoot, "node_modules", name));
  return packagesObstacle(...names.filter((name) => name !== "postern" && !isOurs(name)));
}

const all = documents.flatMap(blocksOf);
const blocks = new Map(documents.map((document) => [document, blocksOf(document)]));

test("every block in a language that can be run has a mark, and every mark a meaning", () => {
  const unmarked = all.filter(({ language, kind }) => PROVED.includes(language) && kind === "");
  expect(unmarked.map(placeOf)).toEqual([]);
  const unknown = all.filter(({ kind }) => kind !== "" && !KINDS.includes(kind));
  expect(unknown.map(placeOf)).toEqual([]);
  const languages = all.filter(({ language }) => ![...PROVED, "text"].includes(language));
  expect(languages.map(placeOf)).toEqual([]);
});

test("every command of this project in a document is a script of package.json", () => {
  const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
  const lines = all
    .filter(({ kind }) => kind === "scripts")
    .flatMap(({ text }) => text.split("\n"));
  const commands = lines.map((line) => line.replace(/\s+#.*$/, "")).filter((line) => line !== "");
  expect(commands).not.toEqual([]);
  const wrong = commands.filter((command) => {
    const name = /^npm (?:run )?(\S+)( -- .*)?$/.exec(command)?.[1];
    return name === undefined || scripts[name] === undefined;
  });
  expect(wrong).toEqual([]);
});

/** Asks over a protocol, or over plain HTTP; status and text. */
async function ask(
  protocol: string,
  address: Address,
  url: string,
): Promise<{ status: number; text: string }> {
  if (protocol === "http") {
    if ("socket" in address) throw new Error("HTTP examples listen on ports");
    const response = await fetch(`http://${address.host}:${address.port}${url}`);
    return { status: response.status, text: await response.text() };
  }
  const secret = protocol === "ajp" ? { secret: SECRET } : {};
  const response = await request({ protocol: protocol as ClientProtocol, address, url, ...secret });
  return { status: response.status, text: await response.text() };
}

for (const [document, own] of blocks) {
  const runnable = own.filter(({ kind }) => kind === "run" || kind === "serves");
  if (runnable.length === 0) continue;
  describe(document, { timeout: 60_000 }, () => {
    let room: DocumentRoom;
    let running: Running | undefined;
    beforeAll(async () => {
      room = await DocumentRoom.open();
      room.write("ajp-secret", `${SECRET}\n`);
      room.write("app.mjs", "export default (req, res) => res.end(req.url);\n");
      room.write("app.module.js", NEST_MODULE);
      for (const { kind, words, text } of own) if (kind === "file") room.write(words[0]!, text);
    });
    afterAll(async () => {
      await running?.stop();
      room?.remove();
    });
    /** The block of text that says what the program above it prints. */
    const printedBy = (block: Block): Block | undefined => {
      const next = own[own.indexOf(block) + 1];
      return next?.kind === "prints" ? next : undefined;
    };
    for (const block of runnable) {
      const title = `${placeOf(block)} ${block.text.split("\n", 1)[0]}`;
      if (block.kind === "run") {
        test(`${title}: runs to its end`, async (context) => {
          unlessObstacle(context, obstacleOf(block));
          running = room.start(block);
          const status = await running.ended;
          expect({ status, said: running.said() }).toMatchObject({ status: 0 });
          const printed = printedBy(block);
          if (printed !== undefined) expect(running.said()).toBe(room.localize(printed.text));
        });
        continue;
      }
      test(`${title}: serves`, async (context) => {
        unlessObstacle(context, obstacleOf(block));
        const [protocol = "", written = "", ...words] = block.words;
        const address = room.address(written);
        running = await room.serve(block, address);
        const { status, text } = await ask(protocol, address, "/some/path");
        await running.stop();
        expect({ status, said: running.said() }).toMatchObject({ status: 200 });
        expect(text).toContain(words.join(" "));
      });
    }
  });
}
