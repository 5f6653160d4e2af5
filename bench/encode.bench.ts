/**
 * What it costs to encode a whole response, head, body and end, in each protocol: a table on standard output.
 * Nanoseconds, allocated bytes and pieces handed to the output. Text is laid into one buffer, as a transport does; nothing is written to a socket.
 * What is encoded is checked before anything is timed.
 */
import { encodeCase, RESPONSES } from "./encode-cases.ts";
import { measure, print, whole } from "./measured.ts";
import type { DecodedProtocol } from "./streams.ts";

const protocols: readonly DecodedProtocol[] = ["fastcgi", "scgi", "ajp"];
const runs = new Map<string, () => unknown>();
const pieces = new Map<string, string>();
for (const protocol of protocols) {
  for (const [title, response] of Object.entries(RESPONSES)) {
    const one = encodeCase(protocol, response);
    one.check();
    pieces.set(`${protocol} ${title}`, whole(one.size().pieces));
    runs.set(`${protocol} ${title}`, one.encode);
  }
}
const costs = await measure(runs);
print(
  [
    ["protocol", "response", "ns", "bytes", "pieces"],
    ...protocols.flatMap((protocol) =>
      Object.keys(RESPONSES).map((title) => {
        const key = `${protocol} ${title}`;
        const { ns, bytes } = costs.get(key)!;
        return [protocol, title, whole(ns), whole(bytes), pieces.get(key)!];
      }),
    ),
  ],
  2,
);
