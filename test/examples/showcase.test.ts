/** The page of `npm start` on node's own server: facts, escaping, the posted file, the clock. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

type Handler = (req: IncomingMessage, res: ServerResponse) => unknown;

let server: Server;
let origin: string;

beforeAll(async () => {
  const path = "../../examples/showcase.mjs";
  const { default: showcase } = (await import(path)) as { default: Handler };
  server = createServer((req, res) => showcase(req, res));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Posts `pieces` as they are, each in a write of its own; the page. */
async function post(pieces: readonly Uint8Array[], type: string): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "connect");
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  socket.write(
    `POST /?upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`,
  );
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  let text = "";
  for await (const chunk of socket) text += chunk;
  return text;
}

/** Cells of the table that answers an upload. */
function received(page: string): string[] {
  const table = /<table id="received">(.*?)<\/table>/s.exec(page)?.[1] ?? "";
  return [...table.matchAll(/<td>(.*?)<\/td>/g)].map((match) => match[1]!);
}

describe("the showcase page", () => {
  test("shows what arrived, with every value escaped", async () => {
    const response = await fetch(`${origin}/a/b?<x>`, {
      headers: { "X-Evil": `"><script>alert('1')</script>&` },
    });
    const page = await response.text();
    expect(response.status).toBe(200);
    expect(page).toContain('<strong id="protocol">HTTP</strong>');
    expect(page).toContain("<th>Request</th><td>GET /a/b?%3Cx%3E</td>");
    expect(page).toContain("&#34;&#62;&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;&#38;");
    expect(page).not.toContain("<script>");
  });

  test("names no address of its own, so that it works below any mount prefix", async () => {
    const page = await (await fetch(origin)).text();
    const links = [...page.matchAll(/(?:href|src|action)="([^"]*)"|EventSource\("([^"]*)"/g)];
    expect(links.map((match) => match[1] ?? match[2])).toEqual(["?upload", "?clock"]);
  });

  test("lets nothing run that is not its own", async () => {
    const response = await fetch(origin);
    const policy = response.headers.get("content-security-policy") ?? "";
    const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1];
    const page = await response.text();
    expect(policy).toMatch(/^default-src 'none'/);
    expect(page.match(/<(?:script|style) nonce="([^"]+)">/g)).toEqual([
      `<style nonce="${nonce}">`,
      `<script nonce="${nonce}">`,
    ]);
  });

  test("is JSON for who asks for it, nothing for HEAD, 405 and 404 where it should be", async () => {
    const headers = { Accept: "application/json" };
    expect(await (await fetch(`${origin}/p?q`, { headers })).json()).toMatchObject({
      protocol: "http",
      engine: "none",
      method: "GET",
      url: "/p?q",
    });
    const head = await fetch(origin, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const put = await fetch(origin, { method: "PUT", body: "x" });
    expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
    expect((await fetch(`${origin}/favicon.ico`)).status).toBe(404);
  });

  test("streams the time, one event after the other", async () => {
    const controller = new AbortController();
    const response = await fetch(`${origin}/?clock`, { signal: controller.signal });
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(response.headers.get("x-accel-buffering")).toBe("no");
    const events: string[] = [];
    for await (const chunk of response.body!) {
      events.push(Buffer.from(chunk).toString());
      if (events.length === 2) break;
    }
    const times = events.map((event) => Date.parse(/^data: (\S+)\n\n$/.exec(event)![1]!));
    expect(times[1]! - times[0]!).toBeGreaterThan(500);
    controller.abort();
  });
});

describe("a posted file", () => {
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

  test("is answered with name, size and SHA-256, as a browser sends it", async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) & 255));
    const form = new FormData();
    form.set("note", "a field before the file");
    form.set("file", new File([bytes], `<b>"caf\u00e9".bin`));
    form.set("second", new File(["ignored"], "second.txt"));
    const page = await (await fetch(`${origin}/?upload`, { method: "POST", body: form })).text();
    expect(received(page)).toEqual([
      "&#60;b&#62;&#34;caf\u00e9&#34;.bin",
      "300,000 bytes",
      sha256(bytes),
    ]);
  });

  test("is the same in pieces of any size, with near-boundaries in it", async () => {
    const content = Buffer.from(
      "\r\n--B\r\r\n--\r\n-\r\n--b0undar\r\n\r\n--b0undary".replace(
        "\r\n--b0undary",
        "\r\n--b0undarx",
      ),
    );
    const body = Buffer.concat([
      Buffer.from('preamble\r\n--b0undary\r\nContent-Disposition: form-data; name="a"\r\n\r\n1'),
      Buffer.from(
        '\r\n--b0undary\r\ncontent-disposition: form-data; name="f"; filename="f.txt"\r\n\r\n',
      ),
      content,
      Buffer.from("\r\n--b0undary--\r\nepilogue"),
    ]);
    for (const size of [1, 2, 3, 7, 11, 64, body.length]) {
      const pieces = [];
      for (let i = 0; i < body.length; i += size) pieces.push(body.subarray(i, i + size));
      const page = await post(pieces, "multipart/form-data; boundary=b0undary");
      expect(received(page)).toEqual(["f.txt", `${content.length} bytes`, sha256(content)]);
    }
  });

  test("may be empty", async () => {
    const body =
      '--b\r\nContent-Disposition: form-data; name="f"; filename="e"\r\n\r\n\r\n--b--\r\n';
    const page = await post([Buffer.from(body)], 'multipart/form-data; boundary="b"');
    expect(received(page)).toEqual(["e", "0 bytes", sha256(Buffer.alloc(0))]);
  });

  test.each([
    ["Send the file as multipart/form-data with a boundary.", "text/plain", "x"],
    ["The form holds no file.", "multipart/form-data; boundary=b", "--b\r\n\r\nx\r\n--b--"],
    ["The form ends before its last boundary.", "multipart/form-data; boundary=b", "--b\r\n\r\nx"],
    [
      "A part of the form has too many headers.",
      "multipart/form-data; boundary=b",
      `--b\r\n${"x".repeat(17_000)}`,
    ],
  ])("that is none gets 400: %s", async (sentence, type, body) => {
    const page = await post([Buffer.from(body)], type);
    expect(page).toMatch(/^HTTP\/1.1 400 /);
    expect(page).toContain(`<p class="bad">${sentence}</p>`);
  });
});
