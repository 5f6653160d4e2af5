export async function POST(request) {
  const body = await request.text();
  const { pathname, search } = new URL(request.url);
  return Response.json({ body, pathname, search });
}
