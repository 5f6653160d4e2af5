/**
 * One behaviour, shown over each protocol and each engine by our own client: what a handler does and what comes of it.
 * It holds no rule itself; test/serve/suite-*.test.ts does. Transcripts (transcript.ts) are for what bytes say.
 */
import { test } from "vitest";
import {
  ClientConnection,
  type ClientResponse,
  type RequestOptions,
} from "../../src/client/client.ts";
import type { Application } from "../../src/serve/application.ts";
import type { ServeOptions } from "../../src/serve/options.ts";
import { eachEngine, type FramedProtocol, play, type Stage } from "./transcript.ts";

/** A server with the handler, and a client of it. */
export interface Act {
  readonly protocol: FramedProtocol;
  readonly stage: Stage;
  /** Sends a request over the one connection, kept where the protocol can. */
  request(options?: RequestOptions): Promise<ClientResponse>;
  /** The same, and the body as text. */
  text(options?: RequestOptions): Promise<string>;
}

/** Options of a behaviour. */
export interface Setting extends Omit<ServeOptions, "protocol" | "transport"> {
  /** @default all three */
  readonly only?: readonly FramedProtocol[];
  /** @default "unix" */
  readonly transport?: "unix" | "tcp";
}

const ALL: readonly FramedProtocol[] = ["fastcgi", "scgi", "ajp"];

/**
 * Shows a behaviour, once for each protocol and engine.
 *
 * @param handler an application, or a function that makes one for each run (where it keeps state)
 */
export function behaviour(
  rule: string,
  handler: Application | { readonly make: () => Application },
  script: (act: Act) => Promise<void>,
  setting: Setting = {},
): void {
  const { only = ALL, ...options } = setting;
  for (const protocol of only) {
    const title = `${rule} · ${protocol}`;
    eachEngine(title, (engine) => {
      test(`${title} · ${engine}`, async () => {
        const application =
          typeof handler === "object" && "make" in handler ? handler.make() : handler;
        await play({ ...options, protocol, handler: application }, engine, async (stage) => {
          const client = new ClientConnection({ protocol, address: stage.address });
          const request = (one?: RequestOptions): Promise<ClientResponse> => client.request(one);
          const text = async (one?: RequestOptions): Promise<string> => (await request(one)).text();
          try {
            await script({ protocol, stage, request, text });
          } finally {
            client.destroy();
          }
        });
      });
    });
  }
}
