/**
 * No framework: a function `(req, res)`, which is what every framework becomes in the end.
 */
import { raw } from "./raw-bodies.mjs";

export const plainApp = {
  open: async () => ({ start: async (createServer) => ({ server: createServer(raw) }) }),
};
