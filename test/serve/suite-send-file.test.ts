/**
 * `sendFile` of a handler, and the option `sendfile` by which a web server sends the file itself.
 * One of the behaviour suites: over each protocol and engine. What real web servers make of the headers is in
 * test/conformance/files.test.ts.
 */
import { createServer, IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answerFailure } from "../../src/handler/files/file-answer.ts";
import { sendFile } from "../../src/handler/files/send-file.ts";
import type { NodeHandler } from "../../src/serve/application.ts";
import { serve } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import { hello, until } from "../support/behaviour.ts";
import { behaviour } from "../support/behaviour-suite.ts";
import { FileRoom, HIDDEN, TRAVERSALS } from "../support/file-room.ts";
import { askPlain, type Seen, see } from "../support/seen.ts";

const room = new FileRoom();
let plain: Server;
beforeAll(async () => {
  const options = { static: { "/media": room.files } };
  plain = await serve(hello, { protocol: "http", port: 0, ...options }).ready();
});
afterAll(async () => {
  await plain.shutdown();
  room.remove();
});

/** Sends the file that the query names, below the folder. */
const sender: NodeHandler = async (req, res) => {
  const { searchParams } = new URL(req.url ?? "", "http://x");
  const status = searchParams.get("status");
  const type = searchParams.get("type");
  if (status !== null) res.statusCode = Number(status);
  if (type !== null) res.setHeader("Content-Type", type);
  await sendFile(req, res, searchParams.get("file") ?? "", { root: room.files });
};

const ACCEL = ["x-accel-redirect", "x-sendfile"];
const handedOver = (seen: Seen): unknown =>
  ACCEL.map((name) => seen.headers[name]).find((value) => value !== undefined);

describe("sendFile", () => {
  behaviour("sends a file with its type, ranges and conditions", sender, async (act) => {
    const whole = await see(act, { url: "/?file=hello.txt" });
    expect([whole.status, whole.body.toString()]).toEqual([200, "hello, file\n"]);
    const { headers } = await askPlain(plain, { url: "/media/hello.txt" });
    expect(whole.headers).toEqual(headers);
    const range = await see(act, { url: "/?file=big.bin", headers: { Range: "bytes=0-4" } });
    expect([range.status, range.body.length]).toEqual([206, 5]);
    const condition = { "If-None-Match": String(headers["etag"]) };
    expect((await see(act, { url: "/?file=hello.txt", headers: condition })).status).toBe(304);
  });

  behaviour("keeps the handler's type, and its status with the whole file", sender, async (act) => {
    const headers = { Range: "bytes=0-1", "If-None-Match": "*" };
    const seen = await see(act, { url: "/?file=hello.txt&status=410&type=text/x-gone", headers });
    expect([seen.status, seen.headers["content-type"], seen.body.toString()]).toEqual([
      410,
      "text/x-gone",
      "hello, file\n",
    ]);
  });

  behaviour("answers 404 for what is not below its root", sender, async (act) => {
    for (const path of ["none.txt", "docs", "", "/", ...TRAVERSALS.map(decodeLoosely)]) {
      if (path === "/hello.txt") continue;
      const seen = await see(act, { url: `/?file=${encodeURIComponent(path)}` });
      expect({ path, status: seen.status, body: seen.body.toString() }).toEqual({
        path,
        status: 404,
        body: "404 Not Found\n",
      });
    }
  });

  behaviour(
    "of an absolute path sends any file, a hidden one too, and refuses a relative path",
    async (req, res) => {
      const path = req.url === "/" ? "hello.txt" : join(room.files, ".hidden.txt");
      res.setHeader("X-Found", String(await sendFile(req, res, path).catch(String)));
      if (!res.headersSent) res.end(String(res.getHeader("X-Found")));
    },
    async ({ text }) => {
      expect(await text({ url: "/hidden" })).toBe(HIDDEN);
      expect(await text()).toMatch(/sendFile\(\) was given "hello.txt"; give an absolute path/);
    },
  );

  behaviour(
    "lets go of a file whose answer was given up before it was open",
    {
      make: (): NodeHandler => {
        let opened: Promise<boolean> | undefined;
        return async (req, res) => {
          if (req.url === "/") {
            opened = sendFile(req, res, "big.bin", { root: room.files });
            res.destroy();
          } else res.end(String(await opened));
        };
      },
    },
    async ({ request, text, stage }) => {
      await expect(request().then((response) => response.buffer())).rejects.toThrow();
      expect(await text({ url: "/opened" })).toBe("true");
      await until(() => room.openFiles().length === 0);
      expect(stage.errors).toEqual([]);
    },
  );

  behaviour(
    "works from a fetch handler through node's objects",
    {
      fetch: async (_request, { node: { req, res } }) => {
        await sendFile(req, res, "hello.txt", { root: room.files });
        return new Response(null);
      },
    },
    async ({ text }) => {
      expect(await text()).toBe("hello, file\n");
    },
  );
});

/** Escapes as a handler would have them decoded; those that are no UTF-8 stay. */
function decodeLoosely(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

describe("sendFile with the option sendfile", () => {
  const sendfile = { "/internal/": room.files };
  const SERVERS = [
    ["nginx/1.22.1", "/internal/hello.txt", "/internal/docs/index.html"],
    ["lighttpd/1.4.69", `${room.files}/hello.txt`, `${room.files}/docs/index.html`],
    ["Cherokee/1.2.104 (Linux)", `${room.files}/hello.txt`, `${room.files}/docs/index.html`],
  ] as const;
  for (const [software, first, second] of SERVERS) {
    behaviour(
      `hands over to ${software}`,
      sender,
      async (act) => {
        const params = { SERVER_SOFTWARE: software };
        for (const [file, value] of [
          ["hello.txt", first],
          ["docs/index.html", second],
          ["link-in.txt", first],
        ] as const) {
          const seen = await see(act, { url: `/?file=${file}`, params });
          expect(handedOver(seen)).toBe(value);
          expect([seen.status, seen.body.length]).toEqual([200, 0]);
          expect(seen.headers["content-type"]).toMatch(/^text\//);
        }
      },
      { sendfile, only: ["fastcgi", "scgi"] },
    );
  }

  behaviour(
    "hands over to Apache's mod_proxy_scgi, plain requests with validators, and over FastCGI never",
    sender,
    async (act) => {
      const params = { SERVER_SOFTWARE: "Apache/2.4.71 (Debian)" };
      const seen = await see(act, { url: "/?file=hello.txt", params });
      const plainHeaders = (await askPlain(plain, { url: "/media/hello.txt" })).headers;
      expect(seen.headers["etag"]).toBe(plainHeaders["etag"]);
      expect(seen.headers["last-modified"]).toBe(plainHeaders["last-modified"]);
      const isScgi = act.protocol === "scgi";
      expect(handedOver(seen)).toBe(isScgi ? `${room.files}/hello.txt` : undefined);
      for (const question of [
        { headers: { Range: "bytes=0-1" } },
        { headers: { "If-None-Match": '"x"' } },
        { method: "HEAD" },
      ]) {
        const own = await see(act, { url: "/?file=hello.txt", params, ...question });
        expect(handedOver(own)).toBeUndefined();
      }
    },
    { sendfile, only: ["fastcgi", "scgi"] },
  );

  behaviour(
    "writes names percent-encoded for nginx and lighttpd, and streams them for others",
    sender,
    async (act) => {
      const url = `/?file=${encodeURIComponent("grün & 100%?.html")}`;
      const encoded = "gr%C3%BCn%20%26%20100%25%3F.html";
      const by = async (software: string): Promise<unknown> =>
        handedOver(await see(act, { url, params: { SERVER_SOFTWARE: software } }));
      expect(await by("nginx/1")).toBe(`/internal/${encoded}`);
      expect(await by("lighttpd/1")).toBe(`${room.files}/${encoded}`);
      expect(await by("Cherokee/1")).toBeUndefined();
    },
    { sendfile, only: ["fastcgi", "scgi"] },
  );

  behaviour(
    "streams to every other server, and what a request header says changes nothing",
    sender,
    async (act) => {
      const headers = {
        "Server-Software": "nginx/1",
        "X-Sendfile-Type": "X-Accel-Redirect",
        "X-Accel-Mapping": "/=/internal/",
      };
      for (const software of [
        "Caddy",
        "HAProxy 2.6",
        "h2o/2.2",
        "Microsoft-IIS/10.0",
        "mynginx",
        "",
        undefined,
      ]) {
        const params = act.protocol === "ajp" ? {} : { SERVER_SOFTWARE: software };
        const seen = await see(act, { url: "/?file=hello.txt", headers, params });
        expect(handedOver(seen)).toBeUndefined();
        expect(seen.body.toString()).toBe("hello, file\n");
      }
    },
    { sendfile },
  );

  behaviour(
    "streams files outside its folders, and answers with another status",
    sender,
    async (act) => {
      const params = { SERVER_SOFTWARE: "nginx/1" };
      for (const url of ["/?file=hello.txt", "/?file=docs/index.html&status=410"]) {
        const seen = await see(act, { url, params });
        expect(handedOver(seen)).toBeUndefined();
        expect(seen.body.length).toBeGreaterThan(0);
      }
    },
    { sendfile: { "/internal/": join(room.files, "docs") }, only: ["fastcgi", "scgi"] },
  );

  behaviour(
    "is off by default",
    sender,
    async (act) => {
      const params = { SERVER_SOFTWARE: "nginx/1" };
      expect(handedOver(await see(act, { url: "/?file=hello.txt", params }))).toBeUndefined();
    },
    { only: ["fastcgi", "scgi"] },
  );
});

test.each([
  ["ENOENT", 404],
  ["ENOTDIR", 404],
  ["EACCES", 403],
  ["EPERM", 403],
  ["EIO", undefined],
] as const)("a file that fails with %s is %s; what is nobody's doing is thrown", (code, status) => {
  const res = new ServerResponse(new IncomingMessage(new Socket()));
  const error = Object.assign(new Error("on purpose"), { code });
  if (status === undefined) expect(() => answerFailure(res, error)).toThrow(error);
  else {
    answerFailure(res, error);
    expect(res.statusCode).toBe(status);
  }
});

test("sendFile works with a server that is not postern's", async () => {
  const server = createServer((req, res) => void sender(req as never, res)).listen(0);
  try {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/?file=hello.txt`);
    expect(await response.text()).toBe("hello, file\n");
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
