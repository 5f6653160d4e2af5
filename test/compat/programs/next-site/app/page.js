import { headers } from "next/headers";

export default async function Page() {
  const sent = await headers();
  return <p id="agent">Asked by {sent.get("user-agent")}</p>;
}
