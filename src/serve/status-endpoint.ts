/**
 * The option `status` → a server of HTTP of its own, on a unix socket or a port of this machine, that shows a status.
 *
 * It shares nothing with the server that it is about but the process: neither its limits nor its connections. Its socket
 * file is handled as every other.
 */
import { selectEngine } from "../engine/select.ts";
import { answerStatus } from "../observe/status-answer.ts";
import type { Status } from "../observe/status.ts";
import { Server } from "../server/server.ts";
import { normalizeOptions } from "./options.ts";
import { readStatusAddress } from "./status-address.ts";

/**
 * Serves a status.
 *
 * @param text as for readStatusAddress
 * @param read makes the status, for each question
 * @throws UsageError when the address cannot be had
 */
export function openStatus(text: string, read: () => Status): Promise<Server> {
  const options = normalizeOptions({ protocol: "http", ...readStatusAddress(text) }, {});
  const server = new Server(options, selectEngine("typescript"));
  server.on("request", (req, res) => answerStatus(req, res, read));
  server.listen();
  return server.ready();
}
