/**
 * A question to a server → everything a client sees of the answer, over a gateway's protocol or over plain HTTP.
 *
 * Leaves out what belongs to a connection and not to the answer, so that both can be compared. Judges nothing.
 */
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { RequestOptions } from "../../src/client/client.ts";
import type { Server } from "../../src/server/server.ts";
import type { Act } from "./behaviour-suite.ts";

/** What a client sees. */
export interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** Of the connection, and not of the answer. */
const HOP_BY_HOP = ["connection", "keep-alive", "date", "transfer-encoding"];

function withoutHops(headers: IncomingHttpHeaders): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name)));
}

/** Asks the server of plain HTTP. */
export async function askPlain(
  plain: Server,
  { method = "GET", url = "/", headers = {} }: RequestOptions,
): Promise<Seen> {
  const { port } = plain.address() as AddressInfo;
  return new Promise((done, fail) => {
    const given = headers as Record<string, string>;
    httpRequest({ port, method, path: url, headers: given, agent: false }, async (response) => {
      const pieces: Buffer[] = [];
      for await (const piece of response) pieces.push(piece as Buffer);
      const body = Buffer.concat(pieces);
      done({ status: response.statusCode ?? 0, headers: withoutHops(response.headers), body });
    })
      .on("error", fail)
      .end();
  });
}

/** Asks over the protocol of a behaviour. */
export async function see({ request }: Act, question: RequestOptions): Promise<Seen> {
  const response = await request(question);
  return { status: response.status, headers: response.headers, body: await response.buffer() };
}
