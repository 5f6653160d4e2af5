/**
 * A configuration, a protocol and an address → a gateway inside of the test's own process, with what its handler saw.
 *
 * For behaviours that a test has to see from both sides. Starts no front server and judges nothing.
 */
import type { GatewayRequest } from "../../../src/handler/node/request.ts";
import type { NodeHandler } from "../../../src/serve/application.ts";
import type { ServeOptions } from "../../../src/serve/options.ts";
import { serve } from "../../../src/serve/serve.ts";
import type { Server } from "../../../src/server/server.ts";
import { type Configuration, wayOf } from "../engines.ts";
import type { GatewayProtocol } from "./gateway.ts";
import type { Address } from "./ports.ts";

/** What became of one request. */
export interface Visit {
  readonly url: string;
  readonly headers: GatewayRequest["headers"];
  readonly params: GatewayRequest["gateway"]["params"];
  readonly role: string;
  /** The body as it came, latin1. */
  body: string;
  /** Reading it: going on, its end, or its error. */
  state: "reading" | "ended" | "failed";
  /** Is its response over, sent or not? */
  closed: boolean;
}

/** A gateway inside of this process. */
export class Inside {
  readonly server: Server;
  readonly visits: Visit[] = [];
  readonly errors: unknown[] = [];

  private constructor(
    protocol: GatewayProtocol,
    configuration: Configuration,
    address: Address,
    more: object,
  ) {
    const where = "socket" in address ? { ...address, mode: 0o666 } : address;
    const options = { protocol, ...wayOf(configuration), ...where, ...more } as ServeOptions;
    this.server = serve(this.#handle, {
      onError: (error) => void this.errors.push(error),
      ...options,
    });
  }

  /** Starts it; resolves when it listens. */
  static async start(
    protocol: GatewayProtocol,
    configuration: Configuration,
    address: Address,
    more: object = {},
  ): Promise<Inside> {
    const inside = new Inside(protocol, configuration, address, more);
    await inside.server.ready();
    return inside;
  }

  /** The last visit of a path. */
  visit(path: string): Visit | undefined {
    return this.visits.findLast(({ url }) => url.split("?")[0] === path);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await this.server.shutdown();
  }

  readonly #handle: NodeHandler = (req, res) => {
    const { params, role } = req.gateway;
    const url = req.url ?? "";
    const visit: Visit = {
      url,
      headers: req.headers,
      params,
      role,
      body: "",
      state: "reading",
      closed: false,
    };
    this.visits.push(visit);
    res.on("close", () => (visit.closed = true));
    const answer = ANSWERS[url.split("?")[0]!] ?? ANSWERS["/echo"]!;
    if (answer.early) answer.run(req, res, visit, this.visits.length);
    req.on("data", (chunk: Buffer) => (visit.body += chunk.toString("latin1")));
    req.on("error", () => (visit.state = "failed"));
    req.on("end", () => {
      visit.state = "ended";
      if (!answer.early) answer.run(req, res, visit, this.visits.length);
    });
  };
}

interface Answering {
  /** Before the body has been read. */
  readonly early: boolean;
  run(
    req: Parameters<NodeHandler>[0],
    res: Parameters<NodeHandler>[1],
    visit: Visit,
    count: number,
  ): void;
}

const late = (run: Answering["run"]): Answering => ({ early: false, run });
const early = (run: Answering["run"]): Answering => ({ early: true, run });

/** What is answered, by path. */
const ANSWERS: Readonly<Record<string, Answering>> = {
  "/echo": late((_req, res, { url, headers, params, body }) =>
    res.end(JSON.stringify({ url, headers, params, body })),
  ),
  "/back": late((_req, res, { body }) => res.end(body, "latin1")),
  "/count": late((_req, res, _visit, count) => res.end(String(count))),
  "/found": late((_req, res) => {
    res.writeHead(302, { Location: "http://b.test/elsewhere" });
    res.end();
  }),
  "/stderr": late((req, res) => {
    req.gateway.errors.write(`${"e".repeat(9_215)}\n`);
    res.end("intact");
  }),
  "/missing": early((_req, res) => {
    res.statusCode = 404;
    res.end("no such page");
  }),
  "/pieces": late((_req, res) => {
    for (let i = 0; i < 3; i++) res.write(`piece ${i} ${"p".repeat(3_000)}\n`);
    res.end();
  }),
  "/large-head": late((_req, res) => {
    res.setHeader("X-Large", "l".repeat(70_000));
    res.end("head");
  }),
  "/never": early(() => undefined),
  "/deny": early((_req, res) => {
    res.statusCode = 403;
    res.end("denied");
  }),
  "/allow": early((_req, res) => {
    res.setHeader("Variable-USER-ID", "42");
    res.end();
  }),
};
