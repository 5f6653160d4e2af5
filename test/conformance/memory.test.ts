/**
 * Large bodies with a slow other side: the gateway's memory stays flat (issue 2, acceptance 7).
 *
 * Driven straight over the socket by the client of src/client, so that no front server's buffers stand between.
 * Peak memory is VmHWM of the process: what it ever held. A tenth of the size unless POSTERN_TEST_FULL=1.
 */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import type { Configuration } from "../support/engines.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import {
  AJP_SECRET,
  CONFIGURATIONS,
  configurationObstacle,
  Gateway,
  type GatewayProtocol,
  isFull,
  isMiddle,
} from "../support/front/gateway.ts";
import { payload, payloadSha256 } from "../support/front/payload.mjs";
import { Room } from "../support/front/ports.ts";

const MIB = 1_048_576;
/** More than the memory that is allowed leaves room for, in every configuration. */
const bodyBytesOf = (configuration: Configuration): number =>
  (isFull ? 1024 : isMiddle(configuration) ? 80 : 104) * MIB;
const REST_MS = 50;
const REST_EVERY_BYTES = 8 * MIB;
const PEAK_MIB_MAX = 120;
/** A gibibyte in pieces of 8 KiB, as AJP asks for it, takes its time on a small machine. */
const TIMEOUT_MS = isFull ? 600_000 : 120_000;

const room = new Room("memory");
const state = room.folder("state", true);
afterAll(() => room.remove());

const PROTOCOLS: readonly GatewayProtocol[] = ["fastcgi", "scgi", "ajp"];

/** Runs a check against a gateway of its own, then looks at the memory that it took. */
async function within(
  protocol: GatewayProtocol,
  configuration: Configuration,
  check: (connection: {
    protocol: GatewayProtocol;
    address: { socket: string };
    secret?: string;
  }) => Promise<void>,
): Promise<void> {
  const address = { socket: room.file(`${protocol}.sock`) };
  const gateway = await Gateway.start({ protocol, address, configuration, state });
  try {
    const before = gateway.peakMiB();
    const secret = protocol === "ajp" ? { secret: AJP_SECRET } : {};
    await check({ protocol, address, ...secret });
    const peak = gateway.peakMiB();
    console.log(
      `${protocol} ${configuration}: peak ${peak.toFixed(1)} MiB, ${before.toFixed(1)} at start`,
    );
    expect(peak).toBeLessThan(PEAK_MIB_MAX);
    expect(gateway.child.isAlive).toBe(true);
    expect(gateway.unexpectedLines([])).toEqual([]);
  } finally {
    await gateway.stop();
  }
}

for (const configuration of CONFIGURATIONS) {
  const bodyBytes = bodyBytesOf(configuration);
  describe(`memory, ${configuration}, bodies of ${bodyBytes / MIB} MiB`, () => {
    const obstacle = configurationObstacle(configuration);

    test.for(PROTOCOLS)(
      "%s: an upload to a handler that rests",
      { timeout: TIMEOUT_MS },
      async (protocol, context) => {
        unlessObstacle(context, obstacle);
        await within(protocol, configuration, async (connection) => {
          const response = await request({
            ...connection,
            method: "POST",
            url: `/_upload?rest=${REST_MS}`,
            headers: { "Content-Length": String(bodyBytes) },
            // By these an AJP peer is taken for httpd, which is asked for several packets at once.
            params: { REMOTE_PORT: "51234", SERVER_ADDR: "192.0.2.1" },
            body: Readable.from(payload(bodyBytes)),
          });
          expect(response.status).toBe(200);
          expect(JSON.parse(await response.text())).toMatchObject({
            bytes: bodyBytes,
            sha256: payloadSha256(bodyBytes),
          });
        });
      },
    );

    test.for(PROTOCOLS)(
      "%s: a response to a client that rests",
      { timeout: TIMEOUT_MS },
      async (protocol, context) => {
        unlessObstacle(context, obstacle);
        await within(protocol, configuration, async (connection) => {
          const response = await request({
            ...connection,
            url: `/_download?bytes=${bodyBytes}&sha=0`,
          });
          expect(response.status).toBe(200);
          const hash = createHash("sha256");
          let bytes = 0;
          let untilRest = REST_EVERY_BYTES;
          for await (const chunk of response.body) {
            hash.update(chunk);
            bytes += chunk.length;
            untilRest -= chunk.length;
            if (untilRest > 0) continue;
            untilRest += REST_EVERY_BYTES;
            await sleep(REST_MS);
          }
          expect(bytes).toBe(bodyBytes);
          expect(hash.digest("hex")).toBe(payloadSha256(bodyBytes));
        });
      },
    );
  });
}
