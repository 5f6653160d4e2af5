/**
 * Any peer and any handler on one connection: the invariants I-1 to I-5, I-7 and I-8 hold (reliability Z7, P-8), in all
 * configurations and protocols. `npm run fuzz -- connection --time T` goes on for longer; the seed is in the tests' names.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import type { Server } from "../../src/server/server.ts";
import { converse } from "../support/conversation.ts";
import { conversationHandler, type Ledger } from "../support/conversation-handler.ts";
import { conversationPlan } from "../support/conversation-plan.ts";
import { until } from "../support/front/ports.ts";
import { PROPERTY_SEED } from "../support/properties.ts";
import { ServerRoom } from "../support/server-room.ts";
import { eachEngine } from "../support/transcript.ts";

const isFull = process.env["POSTERN_TEST_FULL"] === "1";
const timeMs = Number(process.env["POSTERN_FUZZ_MS"] || 0);
/** Conversations of one protocol in one configuration. */
const RUNS = isFull ? 5_000 : 40;

eachEngine("conversations", (configuration) => {
  describe.each(["fastcgi", "scgi", "ajp"] as const)(`%s · ${configuration}`, (protocol) => {
    const room = new ServerRoom();
    const ledger: Ledger = new Map();
    const stray: unknown[] = [];
    const note = (error: unknown): void => void stray.push(error);
    let server: Server;
    let path: string;

    beforeAll(async () => {
      process.on("unhandledRejection", note);
      const options = { protocol, multiplex: true, onError: () => undefined };
      server = await room.open(configuration, "unix", conversationHandler(ledger), options);
      path = String(server.address());
    });
    afterAll(async () => {
      process.off("unhandledRejection", note);
      await room.clear();
      room.room.remove();
    });

    test(
      `any conversation keeps the invariants (POSTERN_SEED=${PROPERTY_SEED})`,
      async () => {
        let count = 0;
        const property = fc.asyncProperty(conversationPlan(protocol), async (plan) => {
          ledger.clear();
          await converse({ path }, plan, ledger, `q${count++}`);
        });
        const time =
          timeMs === 0 ? { numRuns: RUNS } : { numRuns: 1e9, interruptAfterTimeLimit: timeMs / 9 };
        await fc.assert(property, { ...time, seed: PROPERTY_SEED, endOnFailure: timeMs > 0 });
        const good = await request({
          protocol,
          address: { socket: path },
          url: "/good/r",
          method: "POST",
          body: "x",
        });
        expect([good.status, await good.text()]).toEqual([200, "good;"]);
        const connections = (): Promise<number> =>
          new Promise((done) => server.getConnections((_, open) => done(open)));
        // I-7; the good one may be kept.
        let open = 0;
        await until("connections are gone", async () => {
          open = await connections();
          return open <= 1;
        });
        expect(stray).toEqual([]);
        expect(count).toBeGreaterThan(10);
      },
      120_000 + timeMs,
    );
  });
});
