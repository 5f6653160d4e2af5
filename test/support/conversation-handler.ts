/**
 * The handler of conversations: does what the plan in its URL says, letter by letter, and writes down what it was given.
 * Letters are those of conversation-plan.ts; it judges nothing.
 */
import type { ServerResponse } from "node:http";
import type { GatewayRequest } from "../../src/handler/node/request.ts";
import type { NodeHandler } from "../../src/serve/application.ts";

/** What came of one request, as its handler saw it. */
export interface Heard {
  calls: number;
  /** The last of the request's fields: it is there when all of them were. */
  last: string;
  readonly chunks: Buffer[];
  isWhole: boolean;
}

/** Everything that handlers heard, by the request's name. */
export type Ledger = Map<string, Heard>;

/** Where a request with this name and plan is sent to. */
export function urlOf(name: string, plan: string): string {
  return `/${name}/${plan === "" ? "-" : plan}`;
}

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

/** Waits for an event, or for the end of the response. */
function drained(res: ServerResponse): Promise<void> {
  if (!res.writableNeedDrain) return turn();
  return new Promise((done) => {
    res.once("drain", done).once("close", done);
  });
}

async function read(req: GatewayRequest, heard: Heard): Promise<void> {
  for await (const chunk of req) heard.chunks.push(chunk as Buffer);
  heard.isWhole = true;
}

/** Makes the handler. */
export function conversationHandler(ledger: Ledger): NodeHandler {
  return async (req: GatewayRequest, res: ServerResponse) => {
    const [, name = "", plan = ""] = (req.url ?? "").split("/");
    const heard = ledger.get(name) ?? { calls: 0, last: "", chunks: [], isWhole: false };
    heard.calls++;
    heard.last = String(req.headers["x-last"]);
    ledger.set(name, heard);
    // What breaks the request breaks reading; there is nothing to do about it.
    req.on("error", () => undefined);
    for (const letter of plan) {
      if (res.destroyed || res.writableEnded) break;
      if (letter === "r" && !heard.isWhole && !req.destroyed) {
        await read(req, heard).catch(() => undefined);
      } else if (letter === "h" && !res.headersSent) {
        res.writeHead(200, { "X-Name": name });
        res.flushHeaders();
      } else if (letter === "w") res.write(`${name};`);
      else if (letter === "n") await turn();
      else if (letter === "d") await drained(res);
      else if (letter === "e") res.end(`${name};`);
      else if (letter === "t" || letter === "j") throw new Error(`planned, of ${name}`);
      else if (letter === "x") res.destroy();
    }
    if (!res.destroyed && !res.writableEnded) res.end(`${name};`);
  };
}
