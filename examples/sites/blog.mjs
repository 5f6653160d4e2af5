/**
 * One of several sites on one machine: each is a postern with a socket of its own, and nginx tells them apart by name.
 *
 *   postern sites/blog.mjs --socket /run/app/blog.sock
 */
export default (req, res) => res.end(`The blog, asked as ${req.headers.host}\n`);
