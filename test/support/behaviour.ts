/**
 * Handlers that many tests use, and small words for what a handler sees.
 * They behave as applications do; what has to come of it is said by the tests.
 */
import { once } from "node:events";
import type { Server, ServerResponse } from "node:http";
import type { GatewayRequest } from "../../src/handler/node/request.ts";
import type { NodeHandler } from "../../src/serve/application.ts";

/** What {@link echo} answers, as JSON. */
export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly data: string;
  readonly scriptName: string;
  readonly pathInfo: string;
  readonly role: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Reads a whole stream as latin1. */
export async function readAll(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

/** Answers what it was asked, once the whole request is there. */
export const echo: NodeHandler = async (req: GatewayRequest, res: ServerResponse) => {
  const body = await readAll(req);
  const { scriptName, pathInfo, role, attributes, data } = req.gateway;
  const said: Echo = {
    method: req.method ?? "",
    url: req.url ?? "",
    headers: req.headers as Echo["headers"],
    rawHeaders: req.rawHeaders,
    body,
    data: data === undefined ? "" : await readAll(data),
    scriptName,
    pathInfo,
    role,
    attributes,
  };
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify(said));
};

/** What an {@link echo} answered. */
export function echoed(answer: { readonly body: string }): Echo {
  return JSON.parse(answer.body) as Echo;
}

/** Answers at once, whatever the body. */
export const hello: NodeHandler = (_req, res) => {
  res.end("hi");
};

/** A promise that somebody else settles. */
export class Latch<T = void> {
  readonly opened: Promise<T>;
  open!: (value: T) => void;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

/** Waits until a condition holds; fails when it never does. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  ms = 5_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error("it never came to be");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** How many connections a server has. */
export function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Sends a body as fast as it is taken, and says how often it had to wait. */
export async function sendSlowly(
  res: ServerResponse,
  chunk: Uint8Array,
  count: number,
): Promise<number> {
  let waits = 0;
  for (let i = 0; i < count; i++) {
    if (res.write(chunk)) continue;
    waits++;
    await once(res, "drain");
  }
  res.end();
  return waits;
}
