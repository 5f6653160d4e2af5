/**
 * A request's options → BEGIN_REQUEST, PARAMS, STDIN and DATA records (FastCGI 1.0 §3 to §6, RFC 3875 §4.1).
 * What the application answers is fastcgi-answer.test.ts.
 */
import { describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { decodePairs } from "../../src/client/fastcgi-records.ts";
import { F01, PARAMS, readHead, readRequest } from "../support/fastcgi-application.ts";
import { scriptedApplication } from "../support/scripted-application.ts";
import { hex } from "../support/scripted-peer.ts";

const DATA = 8;

const application = scriptedApplication("fastcgi");

describe("a FastCGI request", () => {
  test("goes out as BEGIN_REQUEST, PARAMS and STDIN with their ends (FastCGI §5, §6.2)", async () => {
    let sent: Buffer = Buffer.alloc(0);
    const to = await application.listen(async (wire) => {
      sent = await wire.read(24);
      wire.write(F01);
      sent = Buffer.concat([sent, await wire.readToEnd()]);
    });
    const response = await request({ ...to, url: "/a?x=1" });
    expect([response.status, await response.text()]).toEqual([200, "hi"]);
    await application.close();
    expect(sent.subarray(0, 16)).toEqual(hex("01 01 00 01 00 08 00 00 00 01 00 00 00 00 00 00"));
    expect(sent.subarray(16, 20)).toEqual(hex("01 04 00 01"));
    // End of PARAMS, then the empty STDIN, and nothing behind it.
    expect(sent.subarray(-16)).toEqual(hex("01 04 00 01 00 00 00 00 01 05 00 01 00 00 00 00"));
    expect(sent[16 + 6]).toBe(0);
  });

  test("carries the variables of RFC 3875 §4.1", async () => {
    let pairs: [string, string][] = [];
    const to = await application.listen(async (wire) => {
      ({ pairs } = await readRequest(wire));
      wire.write(F01);
    });
    await request({
      ...to,
      method: "POST",
      url: "/caf%C3%A9/b%20c?q=%41&r",
      headers: [
        ["Host", "example.test:8182"],
        ["X-Dup", "1"],
        ["cookie", "a=1"],
        ["x-dup", "2"],
        ["Cookie", "b=2"],
        ["Content-Type", "text/x"],
      ],
      params: { REMOTE_USER: "bob", SERVER_SOFTWARE: undefined },
      body: "hello",
    });
    expect(Object.fromEntries(pairs)).toEqual({
      CONTENT_LENGTH: "5",
      CONTENT_TYPE: "text/x",
      REQUEST_METHOD: "POST",
      REQUEST_URI: "/caf%C3%A9/b%20c?q=%41&r",
      QUERY_STRING: "q=%41&r",
      SCRIPT_NAME: "",
      PATH_INFO: "/caf\u00c3\u00a9/b c",
      SERVER_PROTOCOL: "HTTP/1.1",
      GATEWAY_INTERFACE: "CGI/1.1",
      SERVER_NAME: "example.test",
      SERVER_PORT: "8182",
      REMOTE_ADDR: "127.0.0.1",
      REMOTE_USER: "bob",
      HTTP_HOST: "example.test:8182",
      HTTP_X_DUP: "1, 2",
      HTTP_COOKIE: "a=1; b=2",
    });
    expect(new Set(pairs.map(([name]) => name)).size).toBe(pairs.length);
  });

  test("writes lengths in one byte up to 127 and in four above (FastCGI §3.4, B-76)", async () => {
    let params: Buffer = Buffer.alloc(0);
    const to = await application.listen(async (wire) => {
      const records = await wire.readStream(PARAMS);
      params = Buffer.concat(records.slice(1).map(({ content }) => content));
      wire.write(F01);
    });
    const value = (length: number): string => "v".repeat(length);
    const lengths = [0, 127, 128, 65_535, 65_536, 200_000];
    const names = Object.fromEntries(lengths.map((length) => [`P${length}`, value(length)]));
    await request({ ...to, params: names });
    const decoded = Object.fromEntries(decodePairs(params));
    for (const length of lengths) expect(decoded[`P${length}`]?.length).toBe(length);
    const prefix = (name: string): string =>
      params.subarray(params.indexOf(name) - 5, params.indexOf(name)).toString("hex");
    expect(prefix("P127").endsWith("047f")).toBe(true);
    expect(prefix("P128v")).toBe("0480000080");
    expect(prefix("P65536")).toBe("0680010000");
  });

  test("sends bytes, text and streams as STDIN, a stream without CONTENT_LENGTH", async () => {
    const seen: [string | undefined, string][] = [];
    const to = await application.listen(async (wire) => {
      const { variables, body } = await readRequest(wire);
      seen.push([variables.CONTENT_LENGTH, body.toString()]);
      wire.write(F01);
    });
    const stream = async function* () {
      yield Buffer.from("one ");
      yield Buffer.alloc(0);
      yield Buffer.from("two");
    };
    await request({ ...to, method: "POST", body: Buffer.from("bytes") });
    await request({ ...to, method: "POST", body: "t\u00e9xt" });
    await request({ ...to, method: "POST", body: stream() });
    await request({ ...to, method: "POST", body: stream(), headers: { "content-length": "7" } });
    await request({ ...to, method: "POST" });
    await request({ ...to, method: "GET" });
    expect(seen).toEqual([
      ["5", "bytes"],
      ["5", "t\u00e9xt"],
      [undefined, "one two"],
      ["7", "one two"],
      ["0", ""],
      [undefined, ""],
    ]);
  });

  test("of an Authorizer has no STDIN and no length, path or script (FastCGI §6.3)", async () => {
    let head: Awaited<ReturnType<typeof readHead>> | undefined;
    let rest: Buffer | undefined;
    const to = await application.listen(async (wire) => {
      head = await readHead(wire);
      wire.write(
        hex(`01 06 00 01 00 2c 00 00 53 74 61 74 75 73 3a 20 32 30 30 20 4f 4b 0d 0a 56 61 72 69 61 62 6c 65
        2d 41 55 54 48 5f 4d 45 54 48 4f 44 3a 20 64 62 0d 0a 0d 0a 01 06 00 01 00 00 00 00 01 03 00 01
        00 08 00 00 00 00 00 00 00 00 00 00`),
      );
      rest = await wire.readToEnd();
    });
    const response = await request({ ...to, role: "authorizer", method: "POST" });
    expect(response.headers["variable-auth_method"]).toBe("db");
    await response.buffer();
    await application.close();
    expect(head!.begin).toEqual(hex("00 02 00 00 00 00 00 00"));
    const absent = ["CONTENT_LENGTH", "PATH_INFO", "SCRIPT_NAME"];
    expect(absent.filter((name) => name in head!.variables)).toEqual([]);
    expect(rest).toEqual(Buffer.alloc(0));
  });

  test("of a Filter sends the file as DATA after STDIN (FastCGI §6.4)", async () => {
    let data = "";
    let variables: Record<string, string> = {};
    const to = await application.listen(async (wire) => {
      ({ variables } = await readRequest(wire));
      const records = await wire.readStream(DATA);
      data = records.map(({ type, content }) => `${type}:${content}`).join(" ");
      wire.write(F01);
    });
    await request({
      ...to,
      role: "filter",
      data: "file",
      params: { FCGI_DATA_LAST_MOD: "1700000000" },
    });
    expect(data).toBe("8:file 8:");
    expect([variables.FCGI_DATA_LENGTH, variables.FCGI_DATA_LAST_MOD]).toEqual(["4", "1700000000"]);
  });
});
