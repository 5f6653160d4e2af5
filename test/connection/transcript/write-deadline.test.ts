/**
 * `timeouts.write`: a peer that takes nothing of its response, and one that takes a little now and then.
 * Deadlines of what a peer sends are in deadlines.test.ts.
 */
import { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, vi } from "vitest";
import { ERRORS } from "../../../src/errors.ts";
import { recordAddonCalls } from "../../support/addon-calls.ts";
import { connectionsOf, pause, until } from "../../support/behaviour.ts";
import { transcript } from "../../support/transcript.ts";
import { fastcgiRequest } from "../../support/transcript-frames.ts";

const calls = recordAddonCalls();

describe.concurrent("timeouts.write", () => {
  // A peer that does not read does not see the reset either: node reports what it finds later as an end.
  const resetPorts: (number | undefined)[] = [];

  beforeAll(() => {
    const { resetAndDestroy } = Socket.prototype;
    vi.spyOn(Socket.prototype, "resetAndDestroy").mockImplementation(function (this: Socket) {
      resetPorts.push(this.remotePort);
      return resetAndDestroy.call(this);
    });
  });

  afterAll(() => {
    vi.restoreAllMocks();
  });

  transcript(
    "breaks a response of which the peer takes nothing (ERR_TIMEOUT_WRITE, X-7)",
    () => {
      return {
        timeouts: { write: 300 },
        transport: "tcp" as const,
        handler: (_req, res) => void res.end(Buffer.alloc(20_000_000)),
      };
    },
    async ({ peer, server }) => {
      expect(ERRORS.TIMEOUT_WRITE.status).toBe(0);
      peer.socket.pause();
      peer.sends(fastcgiRequest());
      if (server.transport?.name === "native") {
        await until(async () => (await connectionsOf(server)) === 0, 3_000);
        // By a reset, as the call says: a peer may be shown an end where data and reset meet.
        expect(calls.some(({ name, given }) => name === "closeNow" && given[1] === true)).toBe(
          true,
        );
      } else await until(() => resetPorts.includes(peer.socket.localPort), 3_000);
    },
  );

  transcript(
    "leaves a slow reader of a closing connection alone that takes a little now and then",
    {
      timeouts: { write: 1_200 },
      handler: (_req, res) => void res.end(Buffer.alloc(8_000_000)),
    },
    async ({ peer }) => {
      peer.socket.pause();
      peer.sends(fastcgiRequest());
      // Longer than the linger, which must not begin before the last byte has left.
      for (let i = 0; i < 6; i++) {
        await pause(500);
        peer.socket.resume();
        await pause(1);
        peer.socket.pause();
      }
      peer.socket.resume();
      expect((await peer.answer()).body.length).toBe(8_000_000);
    },
  );
});
