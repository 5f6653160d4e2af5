/**
 * Clients that go away: what the handler hears of it, and what the operator does not.
 * One of the behaviour suites: over each protocol and engine.
 */
import { pipeline } from "node:stream/promises";
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { Latch, pause, until } from "../support/behaviour.ts";
import { behaviour } from "../support/behaviour-suite.ts";

describe("a client that goes away (X-9)", () => {
  /** Writes down what a handler sees of it. */
  function watching(): { make: () => NodeHandler; seen: string[]; began: Latch } {
    const seen: string[] = [];
    const began = new Latch();
    const handler: NodeHandler = (req, res) => {
      req.on("aborted", () => seen.push("req aborted")).on("close", () => seen.push("req close"));
      req.on("error", (error: NodeJS.ErrnoException) => seen.push(`req error ${error.code}`));
      res.on("close", () => seen.push(`res close ${res.writableFinished}`));
      req.gateway.signal.addEventListener("abort", () => seen.push("signal"));
      res.write("begun");
      began.open();
    };
    return {
      make: () => {
        seen.length = 0;
        return handler;
      },
      seen,
      began,
    };
  }

  for (const [what, body] of [
    ["answer", undefined],
    ["upload", "half"],
  ] as const) {
    const { make, seen } = watching();
    behaviour(
      `in the middle of its ${what} is seen by the handler`,
      { make },
      async ({ request }) => {
        const controller = new AbortController();
        const upload = (async function* () {
          yield Buffer.from("half");
          await new Promise(() => undefined);
        })();
        const sent =
          body === undefined
            ? {}
            : { method: "POST", headers: { "Content-Length": "100" }, body: upload };
        const response = await request({ ...sent, signal: controller.signal });
        const read = response.text();
        read.catch(() => undefined);
        await pause(20);
        controller.abort();
        await until(() => seen.includes("req close"));
        // Unread in both cases; test/serve/suite-events.test.ts compares with node's own server.
        const order = [
          "signal",
          "req aborted",
          "res close false",
          "req error ECONNRESET",
          "req close",
        ];
        expect(seen).toEqual(order);
      },
    );
  }

  behaviour(
    "is no error of a handler that is caught reading or writing (onError)",
    {
      make: () => async (req, res) => {
        if (req.url === "/read") for await (const _chunk of req);
        else
          await pipeline(async function* () {
            for (;;) {
              yield Buffer.alloc(1_000);
              await pause(5);
            }
          }, res);
      },
    },
    async ({ request, stage }) => {
      const controller = new AbortController();
      const { signal } = controller;
      const endless = (async function* () {
        for (;;) {
          yield Buffer.alloc(1_000);
          await pause(5);
        }
      })();
      const reading = request({
        method: "PUT",
        url: "/read",
        body: endless,
        headers: { "Content-Length": "1000000" },
        signal,
      });
      reading.catch(() => undefined);
      await pause(40);
      controller.abort();
      await expect(reading).rejects.toBeDefined();
      for await (const _piece of (await request({ url: "/write" })).body) break;
      await pause(60);
      expect(stage.errors).toEqual([]);
    },
  );
});
