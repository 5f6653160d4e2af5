/** Node's own req and res, as API routes have them: the handlers of apps/raw-*.mjs. */
export const config = { api: { bodyParser: false, externalResolver: true, responseLimit: false } };

export default function handler(req, res) {
  return globalThis.posternRaw(req, res);
}
