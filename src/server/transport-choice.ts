/**
 * What the user wishes and what this listening server allows → the transport that moves its bytes, and why.
 * It opens nothing; the start line and `server.transport` show the reason.
 */
import cluster from "node:cluster";
import type { SelectedEngine } from "../engine/select.ts";
import { UsageError } from "../errors.ts";
import type { ProtocolName } from "../http/head.ts";
import { takeoverObstacle } from "./net-server.ts";
import type { Server } from "./server.ts";

/** The transports: sockets of node:net, or the addon's own. */
export type TransportName = "node" | "native";

/** What can be wished. */
export type TransportOption = TransportName | "auto";

/** Which transport runs, and why. */
export interface TransportChoice {
  readonly name: TransportName;
  /** One clause, such as "the engine is typescript". */
  readonly reason: string;
}

/** Why the native transport cannot run whatever the server listens on; undefined where it can. */
function standingObstacle(
  selected: SelectedEngine,
  protocols: readonly ProtocolName[],
): string | undefined {
  if (selected.choice.name !== "native") return `the engine is ${selected.choice.name}`;
  if (selected.openTransport === undefined) return "this is not Linux";
  if (protocols.every((name) => name === "http")) return "node serves HTTP by itself";
  return cluster.isWorker ? "node:cluster hands connections out by itself" : undefined;
}

/**
 * Chooses the transport of a server that listens.
 *
 * @throws UsageError when `native` is asked for and cannot run
 */
export function chooseTransport(
  wish: TransportOption,
  server: Server,
  selected: SelectedEngine,
  protocols: readonly ProtocolName[],
): TransportChoice {
  if (wish === "node") return { name: "node", reason: "option transport asks for it" };
  const obstacle = standingObstacle(selected, protocols) ?? takeoverObstacle(server);
  if (obstacle === undefined) {
    const reason =
      wish === "native" ? "option transport asks for it" : "Linux and the native engine";
    return { name: "native", reason };
  }
  if (wish === "auto") return { name: "node", reason: obstacle };
  throw new UsageError(
    `The native transport that option transport asks for cannot run because ${obstacle}; use "auto" or "node".`,
  );
}
