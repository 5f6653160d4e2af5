/**
 * The same in Web style: an object with `fetch`, which takes a Request and gives a Response.
 *
 *   postern examples/fetch.mjs --protocol scgi --port 4000
 */
export default {
  async fetch(request, info) {
    const url = new URL(request.url);
    const received = (await request.arrayBuffer()).byteLength;
    return Response.json({
      method: request.method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      received,
      protocol: info.gateway.protocol,
    });
  },
};
