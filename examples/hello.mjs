/**
 * The smallest application: a plain Node.js handler, exactly as `http.createServer` takes it.
 *
 *   postern examples/hello.mjs --protocol fastcgi --port 9000
 */
export default function hello(req, res) {
  const via = req.gateway?.protocol ?? "http";
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  res.end(`Hello from Node.js ${process.version}: ${req.method} ${req.url} over ${via}\n`);
}
