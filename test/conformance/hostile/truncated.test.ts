/**
 * Answers that break off through every front server: where it can be told, no client takes one for complete.
 *
 * What a server can tell was measured: a promised Content-Length always, without one a reset or FastCGI's invalid record
 * at nginx and Apache, a reset at HAProxy; lighttpd tells neither, and over unix sockets SCGI has no way to say it.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unlessObstacle } from "../../support/front/front-server.ts";
import {
  CONFIGURATIONS,
  configurationObstacle,
  type Gateway,
} from "../../support/front/gateway.ts";
import { exchange } from "./client.ts";
import { Fronts, nameOf, WAYS, type Way, wayObstacle } from "./ways.ts";

/** Can a client behind this way learn that an answer broke off? */
function canTell({ server, protocol, transport }: Way, length: boolean): boolean {
  if (server === "lighttpd") return length;
  if (protocol !== "scgi" || transport === "tcp") return true;
  return length && server !== "apache";
}

let fronts: Fronts;
beforeAll(async () => {
  fronts = await Fronts.start("truncated");
});
afterAll(() => fronts.stop());

for (const configuration of CONFIGURATIONS) {
  describe(`answers that break off, ${configuration}`, () => {
    let gateways: Gateway[] = [];
    beforeAll(async () => {
      if (configurationObstacle(configuration) === undefined)
        gateways = await fronts.gateways(configuration);
    });
    afterAll(async () => {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
    });

    for (const length of [true, false]) {
      test.for(
        WAYS.filter((way) => canTell(way, length)).map((way) => ({ name: nameOf(way), way })),
      )(
        `$name: ${length ? "with" : "without"} Content-Length, half an answer is never a whole one (R-6)`,
        async ({ way }, context) => {
          unlessObstacle(context, wayObstacle(way) ?? configurationObstacle(configuration));
          const port = fronts.portOf(way);
          for (const how of ["throw", "destroy"]) {
            const head = `GET /_half?how=${how}&length=${length ? 1 : 0} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`;
            const outcome = await exchange(port, { head, quietMs: 3_000 });
            // A server that had not sent the head yet may answer for itself: 502 or 503, which is no 200 either.
            const shown = outcome.status === 200 && outcome.isWhole;
            expect({ how, shown, end: outcome.end }).toEqual({
              how,
              shown: false,
              end: expect.stringMatching(/^(closed|reset)$/),
            });
          }
          expect(
            (await exchange(port, { head: "GET /_echo HTTP/1.1\r\nHost: h\r\n\r\n" })).status,
          ).toBe(200);
        },
      );
    }

    test("afterwards the gateways live", (context) => {
      unlessObstacle(context, configurationObstacle(configuration));
      expect(gateways.every(({ child }) => child.isAlive)).toBe(true);
    });
  });
}
