/** A parsed body. */
export const config = { api: { bodyParser: { sizeLimit: "20kb" } } };

export default function handler(req, res) {
  res.json({ type: typeof req.body, body: req.body });
}
