/**
 * The events of req, res and their socket, written down in their order, and node's own server to compare with.
 * It judges nothing. A script says what the client does; the same one runs against node:http and against us.
 */
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";

/** A handler that both servers can run. */
export type PlainHandler = (req: IncomingMessage, res: ServerResponse) => unknown;

/** What the client does. */
export interface ClientScript {
  readonly method?: string;
  /** Announced length of the body; what is sent of it is `body`. */
  readonly length?: number;
  readonly body?: string;
  /** Milliseconds after which the client goes away; undefined: it waits for the answer. */
  readonly leavesAfterMs?: number;
}

/** Wraps a handler so that events are pushed to `log`. */
export function recorded(handler: PlainHandler, log: string[]): PlainHandler {
  return (req, res) => {
    const { socket } = req;
    for (const name of ["aborted", "end", "close"]) req.on(name, () => log.push(`req ${name}`));
    req.on("error", (error: NodeJS.ErrnoException) => log.push(`req error ${error.code}`));
    for (const name of ["prefinish", "finish", "close"])
      res.on(name, () => log.push(`res ${name}`));
    res.on("error", (error: NodeJS.ErrnoException) => log.push(`res error ${error.code}`));
    // After a finished response node's socket lives on for the next request, ours does not.
    socket.on("close", () => {
      if (!res.writableFinished) log.push("socket close");
    });
    return handler(req, res);
  };
}

/** Facts that have to be the same once everything is over. */
export function aftermath(req: IncomingMessage, res: ServerResponse): string {
  return JSON.stringify({
    // Of a request that was destroyed while its end was being read, node says yes and we no.
    complete: req.complete || req.aborted,
    aborted: req.aborted,
    reqDestroyed: req.destroyed,
    readableEnded: req.readableEnded,
    writableEnded: res.writableEnded,
    writableFinished: res.writableFinished,
    resDestroyed: res.destroyed,
    headersSent: res.headersSent,
    socket: res.socket === null,
  });
}

/** Events, and facts at the end, of node's own server. */
export async function eventsOfNode(handler: PlainHandler, script: ClientScript): Promise<string[]> {
  const log: string[] = [];
  let last: [IncomingMessage, ServerResponse] | undefined;
  const server = createServer((req, res) => {
    last = [req, res];
    return recorded(handler, log)(req, res);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { method = "GET", length = 0, body = "", leavesAfterMs } = script;
  const socket = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  socket.resume();
  socket.write(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`);
  await settled(log, leavesAfterMs, () => socket.destroy());
  server.closeAllConnections();
  server.close();
  if (last !== undefined) log.push(aftermath(...last));
  return log;
}

/** Lets the client leave in time, and waits until nothing happens any more. */
export async function settled(
  log: string[],
  leavesAfterMs: number | undefined,
  leave: () => void,
): Promise<void> {
  if (leavesAfterMs !== undefined) setTimeout(leave, leavesAfterMs);
  let length = -1;
  do {
    length = log.length;
    await new Promise((resolve) => setTimeout(resolve, 60 + (leavesAfterMs ?? 0)));
  } while (log.length !== length || log.length === 0);
}
