/**
 * A postern server of the bench: its parameter says protocol, address, engine and which dist/ it comes from.
 * The transport is chosen by POSTERN_TRANSPORT.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { listening, makeApplication, wanted } from "./handlers.mjs";

const { serve } = await import(pathToFileURL(join(wanted.dist, "index.mjs")).href);
const { application } = await makeApplication(wanted.handler);
const server = await serve(application, {
  protocol: wanted.protocol,
  ...wanted.address,
  engine: wanted.engine,
  multiplex: wanted.multiplex,
  limits: { connections: 20_000 },
  ...(wanted.metrics ? { statusPath: "/postern-status" } : {}),
  ...wanted.logs,
  ajp: { secret: wanted.secret, packetSize: wanted.packetBytes },
}).ready();
const transport = server.transport?.name ?? server.transport;
listening(`engine ${server.engine.name}${transport ? `, transport ${transport}` : ""}`);
