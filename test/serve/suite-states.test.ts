/**
 * Values of req, res and their socket at a moment, each compared with node's own server in the same run.
 * One of the behaviour suites: over each protocol and engine. Orders of events are in suite-events.test.ts.
 */
import { once } from "node:events";
import { createServer, get, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect } from "vitest";

import { behaviour } from "../support/behaviour-suite.ts";
import { until } from "../support/behaviour.ts";

/** What a handler has said of one request to node's own server, and the answer's body. */
async function saidToNode(handler: RequestListener): Promise<string> {
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const [response] = await once(get({ port, host: "127.0.0.1", agent: false }), "response");
  let text = "";
  for await (const chunk of response) text += chunk;
  server.closeAllConnections();
  server.close();
  return text;
}

describe("as with node:http", () => {
  const timeout: RequestListener = (req, res) => {
    const values: unknown[] = [String(req.socket.timeout)];
    req.socket.setTimeout(50_000);
    values.push(req.socket.timeout);
    req.socket.setTimeout(0);
    values.push(req.socket.timeout);
    res.end(JSON.stringify(values));
  };
  behaviour("socket.timeout is undefined until it is set", timeout, async ({ text }) => {
    expect(await text()).toBe(await saidToNode(timeout));
  });

  const told: string[] = [];
  const finishing: RequestListener = (_req, res) => {
    for (const event of ["prefinish", "finish"]) {
      res.on(event, () => told.push(`${event} ${res.writableFinished} ${res.writableLength}`));
    }
    res.end("whole");
  };
  behaviour("a response is finished when it says so", finishing, async ({ text }) => {
    told.length = 0;
    await saidToNode(finishing);
    const expected = told.splice(0);
    await text();
    await until(() => told.length === expected.length);
    expect(told).toEqual(expected);
  });

  const errors: string[] = [];
  const cut: RequestListener = (req) => {
    req.socket.on("error", (error: NodeJS.ErrnoException) => errors.push(`error ${error.code}`));
    req.socket.on("close", () => errors.push("close"));
    req.on("data", () => errors.push("data"));
  };
  behaviour("a socket whose request is cut has an error", cut, async ({ request }) => {
    errors.length = 0;
    const controller = new AbortController();
    const body = async function* () {
      yield Buffer.from("half");
      await new Promise(() => undefined);
    };
    const headers = { "Content-Length": "100" };
    const answer = request({ method: "POST", headers, body: body(), signal: controller.signal });
    answer.catch(() => undefined);
    await until(() => errors.includes("data"));
    controller.abort();
    await until(() => errors.includes("close"));
    expect(errors).toEqual(["data", "error ECONNRESET", "close"]);
  });
});
