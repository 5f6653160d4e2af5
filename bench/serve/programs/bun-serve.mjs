/**
 * Hello by Bun.serve. Runs under Bun only.
 */
import { listening, makeApplication, wanted } from "./handlers.mjs";

const { application } = await makeApplication(wanted.handler);
const { socket, host, port } = wanted.address;
const where = socket ? { unix: socket } : { hostname: host, port };
globalThis.Bun.serve({ ...where, fetch: (request) => application.fetch(request) });
listening("Bun.serve");
