/**
 * Bodies over limits.bodyBytes through every front server: a 413 arrives as 413, each time (issue 6, acceptance 7; X-2).
 *
 * What makes it hold is the lingering close: a gateway that closed with unread input would have its answer thrown away by
 * the reset. Uploads of 1 to 10 MiB, by length and chunked, with and without Expect. HAProxy answers a chunked one itself
 * and resets behind its 400, which is therefore lost to a client that is still writing.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unlessObstacle } from "../../support/front/front-server.ts";
import {
  CONFIGURATIONS,
  configurationObstacle,
  type Gateway,
  isFull,
} from "../../support/front/gateway.ts";
import { exchange, type Outcome } from "./client.ts";
import { Fronts, nameOf, type Way, WAYS, wayObstacle } from "./ways.ts";

const TRIES = isFull ? 50 : 6;
const MIB = 1_048_576;
const BLOCK = Buffer.alloc(65_536, "b");

/** In MiB, each for four kinds of tries in turn. nginx writes all of a buffered body before it looks at an answer. */
const SIZES = isFull ? [1, 2, 5, 10] : [1, 10];

/** What may be answered to a chunked upload, also where it is not the gateway that answers; 0: a reset. */
function chunkedAnswers({ server, protocol }: Way): readonly number[] {
  if (server === "haproxy") return [400, 0];
  return server === "apache" && protocol === "scgi" ? [411] : [413];
}

/** A refused request ends its connection, which a server that keeps it may take for the next request meanwhile. */
function mayMeetTheEnd({ server, protocol }: Way): boolean {
  return protocol === "fastcgi" && server !== "lighttpd";
}

/** A body within the limit; after 502 or 503 of a server that took a connection that was ending, once again. */
async function small(way: Way, port: number): Promise<number> {
  const first = await upload(port, BLOCK.length, false, false);
  if (first.status < 502 || !mayMeetTheEnd(way)) return first.status;
  return (await upload(port, BLOCK.length, false, false)).status;
}

function* blocks(bytes: number, chunked: boolean): Generator<string | Buffer> {
  for (let sent = 0; sent < bytes; sent += BLOCK.length) {
    if (chunked) yield `${BLOCK.length.toString(16)}\r\n`;
    yield BLOCK;
    if (chunked) yield "\r\n";
  }
  if (chunked) yield "0\r\n\r\n";
}

function upload(port: number, bytes: number, chunked: boolean, expects: boolean): Promise<Outcome> {
  const length = chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${bytes}`;
  const expect = expects ? "Expect: 100-continue\r\n" : "";
  return exchange(port, {
    head: `POST /_upload HTTP/1.1\r\nHost: h\r\n${length}\r\n${expect}\r\n`,
    body: blocks(bytes, chunked),
    waitMs: expects ? 1_000 : 0,
  });
}

let fronts: Fronts;
beforeAll(async () => {
  fronts = await Fronts.start("large");
});
afterAll(() => fronts.stop());

for (const configuration of CONFIGURATIONS) {
  describe(`bodies over the limit, ${configuration}`, () => {
    let gateways: Gateway[] = [];
    beforeAll(async () => {
      if (configurationObstacle(configuration) === undefined)
        gateways = await fronts.gateways(configuration);
    });
    afterAll(async () => {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
    });

    test.for(WAYS.map((way) => ({ name: nameOf(way), way })))(
      `$name: ${TRIES} of ${TRIES} get their 413, and what is small is served after them (X-2)`,
      async ({ way }, context) => {
        unlessObstacle(context, wayObstacle(way) ?? configurationObstacle(configuration));
        const port = fronts.portOf(way);
        const wrong: string[] = [];
        for (let i = 0; i < TRIES; i++) {
          const chunked = i % 2 === 1;
          const expects = i % 4 >= 2;
          const bytes = SIZES[(i >> 2) % SIZES.length]! * MIB;
          const { status, end, text } = await upload(port, bytes, chunked, expects);
          const wanted = chunked ? chunkedAnswers(way) : [413];
          if (!wanted.includes(status))
            wrong.push(
              `${i}: ${status} ${end} ${bytes} ${chunked} ${expects} ${text.slice(0, 60)}`,
            );
          const next = await small(way, port);
          if (next !== 200) wrong.push(`${i}: the small one ${next}`);
        }
        expect(wrong).toEqual([]);
      },
    );

    test("afterwards the gateways live and have said nothing unexpected", (context) => {
      unlessObstacle(context, configurationObstacle(configuration));
      expect(gateways.every(({ child }) => child.isAlive)).toBe(true);
      expect(gateways.flatMap((gateway) => gateway.unexpectedLines([]))).toEqual([]);
    });
  });
}
