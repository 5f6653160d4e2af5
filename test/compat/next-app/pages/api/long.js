/** A text that is worth compressing. */
export default function handler(_req, res) {
  res.setHeader("Content-Type", "text/plain");
  res.send("All work and no play makes Jack a dull boy.\n".repeat(300));
}
