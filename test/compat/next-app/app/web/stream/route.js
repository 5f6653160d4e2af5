/** A stream in pieces. */
export const dynamic = "force-dynamic";

export function GET() {
  const words = ["one ", "two ", "three"];
  const body = new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 4));
      const word = words.shift();
      if (word === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(word));
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/plain" } });
}
