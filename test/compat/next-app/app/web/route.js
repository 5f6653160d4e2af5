/** A route handler of the app folder: a Request, a Response. */
import { cookies, headers } from "next/headers";

export async function GET(request) {
  const { pathname, search } = new URL(request.url);
  const jar = await cookies();
  jar.set("c", "3", { path: "/" });
  return Response.json([pathname, search, (await headers()).get("x-key"), jar.get("a")], {
    headers: { "X-Web": "1" },
  });
}

export async function POST(request) {
  const said = [...(await request.formData())].map(([name, value]) =>
    typeof value === "string" ? [name, value] : [name, value.name, value.size],
  );
  return Response.json(said);
}
