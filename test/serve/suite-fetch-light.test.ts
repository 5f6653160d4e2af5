/**
 * Light Responses, which a framework makes in place of native ones: sent as what they are made of, or refused.
 * One of the behaviour suites: over each protocol and engine.
 */
import { type PassThrough, Readable } from "node:stream";
import { describe, expect } from "vitest";
import type { FetchApplication } from "../../src/serve/application.ts";
import { behaviour } from "../support/behaviour-suite.ts";

const app = (fetch: FetchApplication["fetch"]): FetchApplication => ({ fetch });
const pathOf = (request: Request): string => new URL(request.url).pathname.slice(1);

/** Made as srvx makes its FastResponse, of which only the method counts. */
class Light {
  readonly status: number = 201;
  readonly headers: Headers = new Headers();
  readonly body: null = null;
  readonly bodyUsed: boolean = false;
  readonly #content: object;

  constructor(content: object) {
    this.#content = content;
  }

  _toNodeResponse(): object {
    const headers = ["x-a", "1", "set-cookie", "a=1", "set-cookie", "b=2"];
    return { status: 201, statusText: "Made", headers, ...this.#content };
  }
}

describe("a light Response", () => {
  const bodies: Readonly<Record<string, () => unknown>> = {
    text: () => "light",
    bytes: () => Buffer.from("light"),
    stream: () => new Response("light").body,
    node: () => Readable.from([Buffer.from("li"), Buffer.from("ght")]),
    pipeable: () => ({
      pipe(to: PassThrough): void {
        to.end("light");
      },
    }),
    none: () => undefined,
  };
  behaviour(
    "is sent as what it is made of",
    app((request) => new Light({ body: bodies[pathOf(request)]!() }) as unknown as Response),
    async ({ request }) => {
      for (const name of Object.keys(bodies)) {
        const { status, reason, headers, ...got } = await request({ url: `/${name}` }).then(
          async (one) => ({
            status: one.status,
            reason: one.reason,
            headers: one.headers,
            text: await one.text(),
          }),
        );
        expect([name, status, reason, headers["x-a"], headers["set-cookie"], got.text]).toEqual([
          name,
          201,
          "Made",
          "1",
          ["a=1", "b=2"],
          name === "none" ? "" : "light",
        ]);
      }
      const head = await request({ method: "HEAD", url: "/stream" });
      expect([head.status, await head.text()]).toEqual([201, ""]);
    },
  );

  behaviour(
    "of an unknown make is a 500, and onError hears why",
    app((request) => {
      const odd = pathOf(request) === "body" ? { body: 5 } : { headers: {} };
      return new Light(odd) as unknown as Response;
    }),
    async ({ request, stage }) => {
      expect((await request({ url: "/body" })).status).toBe(500);
      expect((await request({ url: "/headers" })).status).toBe(500);
      expect(stage.errors.map(String)).toEqual([
        "TypeError: The fetch handler returned a light Response whose body is of no known kind",
        "TypeError: The fetch handler returned a light Response without status and headers",
      ]);
    },
  );

  const STATUSES = [100, 101, 103, 199, 0, 1000, 200.5, Number.NaN, Number.POSITIVE_INFINITY];
  behaviour(
    "whose status is no final one is a whole 500, without req and res and with them",
    app((request) => {
      const status = STATUSES[Number(pathOf(request))];
      return new Light({ status, body: "x" }) as unknown as Response;
    }),
    async ({ request, stage }) => {
      const answers = async (): Promise<unknown[]> => {
        const got: unknown[] = [];
        for (let i = 0; i < STATUSES.length; i++) {
          const one = await request({ url: `/${i}` });
          got.push([one.status, await one.text()]);
        }
        return got;
      };
      const refused = STATUSES.map(() => [500, "500 Internal Server Error\n"]);
      expect(await answers()).toEqual(refused);
      stage.server.on("request", () => undefined);
      expect(await answers()).toEqual(refused);
      expect(stage.errors.map(String)).toEqual(
        [...STATUSES, ...STATUSES].map(
          (status) =>
            `RangeError: The fetch handler returned a light Response with status ${status}; use 200 to 599`,
        ),
      );
    },
  );
});
