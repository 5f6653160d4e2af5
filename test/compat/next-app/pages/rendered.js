/** A page rendered on the server for each request, with headers of its own. */
export function getServerSideProps({ req, res, query }) {
  res.setHeader("X-Rendered", "1");
  res.setHeader("Set-Cookie", ["a=1; Path=/", "b=2"]);
  res.setHeader("Cache-Control", "private, max-age=5");
  return { props: { query, url: req.url, cookies: req.cookies } };
}

export default function Rendered(props) {
  return JSON.stringify(props);
}
