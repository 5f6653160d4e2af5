/**
 * What a scripted FastCGI application says and what it reads of a request; F01 is the `<` side of the test vector.
 * Cutting records is scripted-peer.ts, listening scripted-application.ts; which answer is right is the tests' to say.
 */
import { decodePairs } from "../../src/client/fastcgi-records.ts";
import { hex, type Wire } from "./scripted-peer.ts";

/** Record types of streams, which end with an empty record (FastCGI 1.0 §8). */
export const PARAMS = 4;
export const STDIN = 5;

/** Vector F01: head and body, end of STDOUT, END_REQUEST. */
export const F01: Buffer =
  hex(`01 06 00 01 00 2e 00 00 53 74 61 74 75 73 3a 20 32 30 30 20 4f 4b 0d 0a 43 6f 6e 74 65 6e 74 2d
  54 79 70 65 3a 20 74 65 78 74 2f 70 6c 61 69 6e 0d 0a 0d 0a 68 69
  01 06 00 01 00 00 00 00 01 03 00 01 00 08 00 00 00 00 00 00 00 00 00 00`);

/** END_REQUEST. */
export const end = (id: number, protocolStatus = 0, appStatus = 0): Buffer =>
  Buffer.from([1, 3, id >> 8, id & 255, 0, 8, 0, 0, 0, 0, 0, appStatus, protocolStatus, 0, 0, 0]);

/** A STDOUT, STDERR or any other record. */
export const record = (type: number, id: number, content: string | Uint8Array = ""): Buffer => {
  const bytes = Buffer.from(content as string);
  const header = [1, type, id >> 8, id & 255, bytes.length >> 8, bytes.length & 255, 0, 0];
  return Buffer.concat([Buffer.from(header), bytes]);
};

/** A whole answer: 200 and a text. */
export const answer = (id: number, text: string): Buffer =>
  Buffer.concat([record(6, id, `Status: 200 OK\r\n\r\n${text}`), record(6, id), end(id)]);

/** A request up to the end of PARAMS. */
export interface RequestHead {
  readonly id: number;
  /** Content of BEGIN_REQUEST. */
  readonly begin: Buffer;
  readonly variables: Record<string, string>;
  /** The variables in their order. */
  readonly pairs: [string, string][];
}

/** Reads one request to the end of PARAMS. */
export async function readHead(wire: Wire): Promise<RequestHead> {
  const [begin, ...params] = await wire.readStream(PARAMS);
  const pairs = decodePairs(Buffer.concat(params.map(({ content }) => content)));
  return { id: begin!.id, begin: begin!.content, variables: Object.fromEntries(pairs), pairs };
}

/** Reads one request to the end of STDIN. */
export async function readRequest(wire: Wire): Promise<RequestHead & { readonly body: Buffer }> {
  const head = await readHead(wire);
  const stdin = await wire.readStream(STDIN);
  return { ...head, body: Buffer.concat(stdin.map(({ content }) => content)) };
}
