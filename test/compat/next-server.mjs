/**
 * A Next.js custom server as its documents write one, with postern's createServer in place of node:http's.
 *
 * Runs in the folder of the built site. Prints the start line's beginning, for who waits for it.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { createServer } from "../../dist/index.mjs";

const next = createRequire(join(process.cwd(), "package.json"))("next");
const app = next({ dev: false, hostname: "localhost", port: Number(process.env.PORT) });
const handle = app.getRequestHandler();
await app.prepare();

const server = createServer((req, res) => {
  if (req.socket.server !== server) throw new Error("another server");
  handle(req, res);
});
server.listen(() => {
  const { protocols, where, engine, transport } = server;
  console.log(
    `postern 0: ${protocols.join()} on ${where}, engine ${engine.name} (), transport ${transport.name} (`,
  );
});
process.on("SIGTERM", () => server.close(() => process.exit(0)));
