/**
 * Mounted below a prefix: `scriptName` is where the application is, `pathInfo` what is asked of it, and links begin with the first.
 *
 *   postern prefix.mjs --socket /run/app/app.sock --script-name /shop
 */
export default (req, res) => {
  const { scriptName, pathInfo } = req.gateway;
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify({ scriptName, pathInfo, cart: `${scriptName}/cart` }));
};
