/**
 * One cell of the grid: a front server, a protocol, an address and a configuration, and what the server does in its own way.
 *
 * Types alone. The tests of a cell are in behaviours.ts, the cells in the file of their server.
 */
import type { Configuration } from "../support/engines.ts";
import type { FrontServer } from "../support/front/front-server.ts";
import type { GatewayOptions, GatewayProtocol } from "../support/front/gateway.ts";

/** What a front server does in its own way. */
export interface Traits {
  /** A chunked upload: passed on, or answered with a status by the server itself when larger than so much. */
  readonly chunked: "forwarded" | { readonly status: number; readonly overBytes: number };
  /** Two Cookie lines as the application sees them. */
  readonly cookie: string;
  /** Does the server pass repeated response fields on line by line, or joined by a comma? */
  readonly repeatedResponse: "lines" | "joined";
  /** Does a handler that merely waits see that its client is gone: always, while its upload runs, never? */
  readonly abortWhileWaiting: "always" | "while uploading" | "never";
  /** What `/a%20b/%E3%81%82/c%2Bd?q=1&r=%C3%A9` becomes in req.url, where that is not the same. */
  readonly url?: string;
  /** Does text on FastCGI's error stream reach the server's log? */
  readonly stderrLogged: boolean;
  /** Lines of the server's log that these tests provoke. */
  readonly expectedLog?: readonly RegExp[];
}

/** One cell of the grid. */
export interface Cell {
  readonly title: string;
  readonly protocol: GatewayProtocol;
  readonly configuration: Configuration;
  readonly traits: Traits;
  readonly front: () => FrontServer;
  readonly port: () => number;
  /** Folder for what handlers saw. */
  readonly state: () => string;
  /** How to start the gateway; undefined where the front server starts it. */
  readonly gateway: (() => Pick<GatewayOptions, "address" | "words" | "secret">) | undefined;
  /** Why the cell cannot run; its tests are skipped by name then. */
  readonly obstacle: string | undefined;
}
