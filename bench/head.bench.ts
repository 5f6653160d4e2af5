/**
 * What it costs to read a request's head, from field rows to what a handler asks of it: a table on standard output.
 * Nanoseconds and allocated bytes by protocol and request; each column includes those before it. It decodes nothing
 * while the clock runs and makes no node objects. What is read is checked before anything is timed.
 */
import { headCase, READINGS } from "./head-cases.ts";
import { measure, print, whole } from "./measured.ts";
import { type DecodedProtocol, REQUESTS } from "./streams.ts";

const protocols: readonly DecodedProtocol[] = ["fastcgi", "scgi", "ajp"];
const titles = ["small GET", "browser GET"];
const readings = Object.keys(READINGS);

const runs = new Map<string, () => unknown>();
for (const protocol of protocols) {
  for (const title of titles) {
    const one = headCase(protocol, REQUESTS[title]!);
    one.check();
    for (const reading of readings) {
      runs.set(`${protocol} ${title} ${reading}`, () => one.read(reading));
    }
  }
}
const costs = await measure(runs);
print(
  [
    ["protocol", "request", ...readings.map((reading) => `${reading} ns`), "bytes"],
    ...protocols.flatMap((protocol) =>
      titles.map((title) => {
        const cells = readings.map((reading) => costs.get(`${protocol} ${title} ${reading}`)!);
        const bytes = cells.map((cost) => whole(cost.bytes)).join(" / ");
        return [protocol, title, ...cells.map((cost) => whole(cost.ns)), bytes];
      }),
    ),
  ],
  2,
);
