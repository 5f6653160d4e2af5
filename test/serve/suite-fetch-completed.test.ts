/**
 * `info.completed` of a fetch handler, asked for early and late, and the async scope that each request has.
 * One of the behaviour suites: over each protocol and engine.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect } from "vitest";
import type { FetchInfo } from "../../src/handler/fetch/info.ts";
import type { FetchApplication } from "../../src/serve/application.ts";
import { until } from "../support/behaviour.ts";
import { behaviour } from "../support/behaviour-suite.ts";
import { transcript } from "../support/transcript.ts";
import { fastcgiRequest } from "../support/transcript-frames.ts";

const app = (fetch: FetchApplication["fetch"]): FetchApplication => ({ fetch });

describe("info.completed", () => {
  const told: string[] = [];
  const note = (name: string, info: FetchInfo): void => {
    const say = (how: string) => (): void => void told.push(`${name} ${how}`);
    info.completed.then(say("sent"), say("broken"));
  };
  const whole = (size: number): Response => new Response("x".repeat(size));
  const streamed = (): Response => {
    let left = 3;
    return new Response(
      new ReadableStream({
        async pull(controller) {
          await new Promise(setImmediate);
          if (left-- > 0) controller.enqueue(Buffer.from("piece"));
          else controller.close();
        },
      }),
    );
  };
  behaviour(
    "tells of every kind of answer, whenever it is asked for",
    {
      make: () => {
        told.length = 0;
        return app((request, info) => {
          const [, when, what] = new URL(request.url).pathname.split("/");
          if (when === "before") note("before", info);
          else setTimeout(note, 20, "after", info);
          return what === "stream" ? streamed() : whole(Number(what));
        });
      },
    },
    async ({ text }) => {
      let count = 0;
      for (const when of ["before", "after"]) {
        for (const what of ["5", "500000", "stream"]) {
          await text({ url: `/${when}/${what}` });
          await until(() => told.length === count + 1);
          expect([what, told[count++]]).toEqual([what, `${when} sent`]);
        }
      }
    },
  );

  behaviour(
    "rejects when the client goes away",
    {
      make: () => {
        told.length = 0;
        return app((_request, info) => {
          note("it", info);
          return new Response(
            new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(65_536)) }),
          );
        });
      },
    },
    async ({ request }) => {
      for await (const _piece of (await request()).body) break;
      await until(() => told.length === 1);
      expect(told).toEqual(["it broken"]);
    },
  );
});

describe("fetch handlers of one connection", () => {
  transcript(
    "do not see each other's AsyncLocalStorage, also of one read",
    () => {
      const storage = new AsyncLocalStorage<string>();
      return {
        multiplex: true,
        handler: app(async (request) => {
          const before = storage.getStore() ?? "nothing";
          const { pathname } = new URL(request.url);
          storage.enterWith(pathname);
          await new Promise(setImmediate);
          return new Response(`${before} ${storage.getStore()}`);
        }),
      };
    },
    async ({ peer }) => {
      const ask = (id: number): Buffer =>
        fastcgiRequest({ id, keep: true, params: { REQUEST_URI: `/${id}` } });
      peer.sends(ask(1), ask(2));
      expect((await peer.answer()).body).toBe("nothing /1");
      expect((await peer.answer()).body).toBe("nothing /2");
    },
  );
});
