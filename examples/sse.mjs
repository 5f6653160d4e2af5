/**
 * Server-sent events: the time once a second, until the browser goes away. `X-Accel-Buffering` has nginx pass it on at once,
 * whatever its configuration says.
 *
 *   postern sse.mjs --socket /run/app/app.sock
 */
export default (_req, res) => {
  res.writeHead(200, {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
  });
  const tell = () => res.write(`data: ${new Date().toISOString()}\n\n`);
  tell();
  const timer = setInterval(tell, 1_000);
  res.once("close", () => clearInterval(timer));
};
