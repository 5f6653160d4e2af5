/**
 * What a server lets be seen of its numbers: counters, and what it carries now; and who looks at its requests first.
 *
 * Only shapes; acceptor.ts fills it, and observe/ makes metrics and a status of it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connection } from "../connection/connection.ts";
import type { Counters } from "../connection/counters.ts";
import type { Writer } from "../connection/writer.ts";
import type { Starvation } from "./starvation.ts";

/** Looks at a request before any listener; true: it has answered it. */
export type Entry = (req: IncomingMessage, res: ServerResponse) => boolean;

/** The numbers of one server. */
export interface Figures {
  readonly counters: Counters;
  readonly starvation: Pick<Starvation, "count">;
  readonly writer: Pick<Writer, "takenBytes">;
  /** Calls back for each connection of our protocols. */
  eachConnection(call: (connection: Connection) => void): void;
}
