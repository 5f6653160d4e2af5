/**
 * What one line of the access log costs: a table on standard output.
 * Nanoseconds by protocol, format and writer, beside those of reading the head, which each column includes. It writes no
 * file. A usual line has to be one that the addon takes.
 */
import { Account } from "../src/connection/account.ts";
import { loadAddon, addonPaths } from "../src/engine/native.ts";
import type { RequestHead } from "../src/http/head.ts";
import { compileFormat } from "../src/observe/access-format.ts";
import { PlainLines } from "../src/observe/plain-lines.ts";
import { headCase } from "./head-cases.ts";
import { measure, print, whole } from "./measured.ts";
import { type DecodedProtocol, REQUESTS } from "./streams.ts";

const protocols: readonly DecodedProtocol[] = ["fastcgi", "scgi", "ajp"];
const formats = ["combined", "json"];
const PLACE = { pid: process.pid, worker: 0 };
const PIECE_BYTES = 262_144;

const { addon } = loadAddon(addonPaths(`${process.platform}-${process.arch}`));

function accountOf(protocol: DecodedProtocol, head: RequestHead): Account {
  const account = new Account({ protocol, peerAddress: "" }, 1);
  account.knows(head, false);
  account.endedMs = 1.25;
  account.status = 200;
  account.responseBytes = 12;
  return account;
}

const runs = new Map<string, () => unknown>();
for (const protocol of protocols) {
  const { head } = headCase(protocol, REQUESTS["browser GET"]!);
  runs.set(`${protocol} head`, () => accountOf(protocol, head()));
  for (const written of formats) {
    const format = compileFormat(written);
    const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    let at = 0;
    runs.set(`${protocol} ${written} TypeScript`, () => {
      const line = format.line(accountOf(protocol, head()), PLACE);
      if (at + line.length > PIECE_BYTES) at = 0;
      at += piece.write(line, at, "latin1");
    });
    if (addon === undefined) continue;
    const plain = new PlainLines(format, PLACE, addon.createLines, [piece]);
    plain.write(accountOf(protocol, head()), 0, 0);
    const account = accountOf(protocol, head());
    const end = plain.write(account, 0, 0);
    if (end === 0) throw new Error("a usual line is left to the specification");
    runs.set(`${protocol} ${written} addon`, () => {
      at = plain.write(accountOf(protocol, head()), 0, at);
    });
  }
}
const costs = await measure(runs);
const cell = (name: string): string => {
  const cost = costs.get(name);
  return cost === undefined ? "" : whole(cost.ns);
};
print(
  [
    ["protocol", "head ns", ...formats.flatMap((one) => [`${one}, TypeScript`, `${one}, addon`])],
    ...protocols.map((protocol) => [
      protocol,
      cell(`${protocol} head`),
      ...formats.flatMap((one) => [
        cell(`${protocol} ${one} TypeScript`),
        cell(`${protocol} ${one} addon`),
      ]),
    ]),
  ],
  1,
);
