/**
 * An exchange without a wire, for tests of the handler's objects: it takes everything at once and keeps what was sent.
 * What was written is told on the next tick, as a socket does.
 */
import { type IncomingMessage, Server, type ServerResponse } from "node:http";
import type { Carrier } from "../../../src/handler/carrier.ts";
import { Prototypes } from "../../../src/handler/node/prototypes.ts";
import { NodeRequest } from "../../../src/handler/node/request.ts";
import type { BodyPiece, RequestHead, ResponseHead } from "../../../src/http/head.ts";

const HEAD: RequestHead = {
  method: "GET",
  url: "/",
  httpVersion: "1.1",
  rawHeaders: ["Host", "example.test"],
  find: () => "",
  upgradeFields: [],
  scriptName: "",
  pathInfo: "/",
  params: {},
  attributes: {},
  remoteUser: "",
  authType: "",
  tls: undefined,
  remoteAddress: "192.0.2.1",
  remotePort: 50_000,
  localAddress: "2001:db8::1",
  localPort: 443,
};

/** What a handler sent. */
export class StubCarrier implements Carrier {
  readonly protocol = "fastcgi";
  readonly role = "responder";
  readonly peerAddress = "";
  readonly peerPort = 0;
  readonly queuedBytes = 0;
  readonly head: RequestHead = HEAD;
  readonly heads: ResponseHead[] = [];
  readonly pieces: BodyPiece[] = [];
  /** Set to have writes fail. */
  failure: Error | undefined = undefined;
  ends = 0;
  gaveUp = 0;

  send(
    head: ResponseHead | undefined,
    pieces: readonly BodyPiece[],
    end: boolean,
    written: ((error?: Error | null) => void) | undefined,
  ): boolean {
    if (head !== undefined) this.heads.push(head);
    this.pieces.push(...pieces);
    if (end) this.ends++;
    if (written !== undefined) process.nextTick(written, this.failure);
    return true;
  }
  stderr(): number {
    return 0;
  }
  want(): void {}
  giveUp(): void {
    this.gaveUp++;
  }
  endUpgraded(): boolean {
    return true;
  }
  destroyUpgraded(): void {}
  report(error: Error): void {
    throw error;
  }
}

/** What {@link requestOf} makes. */
interface StubRequest {
  readonly carrier: StubCarrier;
  readonly side: NodeRequest;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** One request over a {@link StubCarrier}. */
export function requestOf(server: Server = new Server()): StubRequest {
  const carrier = new StubCarrier();
  const side = new NodeRequest(carrier, server, new Prototypes());
  return { carrier, side, req: side.req, res: side.res };
}

/** Everything that was set going has happened. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 4; turns++) await new Promise((resolve) => setImmediate(resolve));
}
