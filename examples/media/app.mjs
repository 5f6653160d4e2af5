/**
 * A page and its files: postern sends them where it is asked itself, and the web server does where it has the same words.
 *
 *   postern media/app.mjs --socket /run/app/app.sock --static /media/=media/files
 */
export default (_req, res) => {
  res.setHeader("Content-Type", "text/html; charset=utf-8");
  res.end('<!doctype html><title>Media</title><img src="/media/gate.svg" alt="A gate">\n');
};
