/**
 * One of several sites on one machine: each is a postern with a socket of its own, and nginx tells them apart by name.
 *
 *   postern sites/shop.mjs --socket /run/app/shop.sock
 */
export default (req, res) => res.end(`The shop, asked as ${req.headers.host}\n`);
