/**
 * Next.js: a custom server without a server, for the folder of a site that `next build` has built.
 *
 *   postern next.mjs --socket /run/app/app.sock
 */
import next from "next";

const app = next({ dev: false });
const handle = app.getRequestHandler();
await app.prepare();

export default (req, res) => handle(req, res);
