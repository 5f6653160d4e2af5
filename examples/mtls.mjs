/**
 * Who is there: the web server asks for a client's certificate, and the application sees it as if TLS ended here.
 *
 *   postern mtls.mjs --socket /run/app/app.sock
 */
export default (req, res) => {
  const { authorized } = req.socket;
  const subject = req.socket.getPeerCertificate?.().subject;
  res.statusCode = authorized ? 200 : 403;
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify({ authorized: authorized === true, subject }));
};
