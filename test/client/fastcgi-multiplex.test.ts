/**
 * Management records (FastCGI 1.0 §4) and several requests on one connection, which GET_VALUES decides about.
 * What a single request and its answer look like is not asked here.
 */
import { describe, expect, test } from "vitest";
import { ClientConnection } from "../../src/client/client.ts";
import { answer, end, readHead, readRequest, record } from "../support/fastcgi-application.ts";
import { scriptedApplication } from "../support/scripted-application.ts";
import { hex } from "../support/scripted-peer.ts";

/** Vector F07: MAX_CONNS 64, MAX_REQS 1024, MPXS_CONNS 1. */
const F07 =
  hex(`01 0a 00 00 00 37 01 00 0e 02 46 43 47 49 5f 4d 41 58 5f 43 4f 4e 4e 53 36 34 0d 04 46 43 47 49
  5f 4d 41 58 5f 52 45 51 53 31 30 32 34 0f 01 46 43 47 49 5f 4d 50 58 53 5f 43 4f 4e 4e 53 31 00`);
/** Vector F08: UNKNOWN_TYPE. */
const F08 = hex("01 0b 00 00 00 08 00 00 20 00 00 00 00 00 00 00");

const application = scriptedApplication("fastcgi");

describe("management and multiplexing", () => {
  test("GET_VALUES brings the values that are known (FastCGI §4.1)", async () => {
    let asked: Buffer = Buffer.alloc(0);
    const to = await application.listen(async (wire) => {
      asked = await wire.read(56);
      await wire.writeBytewise(F07);
    });
    const connection = new ClientConnection(to);
    const values = await connection.getValues();
    expect(values).toEqual({
      FCGI_MAX_CONNS: "64",
      FCGI_MAX_REQS: "1024",
      FCGI_MPXS_CONNS: "1",
    });
    expect(asked.subarray(0, 8)).toEqual(hex("01 09 00 00 00 30 00 00"));
    connection.close();
  });

  test("GET_VALUES fails on UNKNOWN_TYPE, silence and another protocol", async () => {
    const to = await application.listen(async (wire, index) => {
      await wire.readRecord();
      if (index === 0) wire.write(F08);
    });
    const unknown = new ClientConnection(to);
    await expect(unknown.getValues()).rejects.toMatchObject({ code: "ERR_CLIENT_RESPONSE" });
    const silent = new ClientConnection(to);
    await expect(silent.getValues(undefined, 30)).rejects.toMatchObject({
      code: "ERR_CLIENT_TIMEOUT",
    });
    const scgi = new ClientConnection({ ...to, protocol: "scgi" });
    await expect(scgi.getValues()).rejects.toThrow("fastcgi only");
    unknown.close();
    silent.close();
  });

  test("several requests share a connection, answered in any order and mixed (vector F09)", async () => {
    const to = await application.listen(async (wire) => {
      await wire.readRecord();
      wire.write(F07);
      const urls: Record<string, number> = {};
      for (let i = 0; i < 3; i++) {
        const { id, variables } = await readHead(wire);
        urls[variables.REQUEST_URI!] = id;
        if (variables.REQUEST_METHOD === "GET") await wire.readRecord();
      }
      expect(Object.values(urls).sort()).toEqual([1, 2, 3]);
      wire.write(answer(urls["/c"]!, "see"), record(6, urls["/a"]!, "A: b\r\n"));
      wire.write(record(7, urls["/a"]!, "note\n"), answer(urls["/b"]!, "bee"));
      // The body of /a goes on while the others are over.
      let body = "";
      for (;;) {
        const { id, content } = await wire.readRecord();
        expect(id).toBe(urls["/a"]);
        if (content.length === 0) break;
        body += content;
      }
      wire.write(record(6, urls["/a"]!, `\r\n${body}`), end(urls["/a"]!));
    });
    const connection = new ClientConnection({ ...to, multiplex: true });
    let release: () => void = () => undefined;
    const others = new Promise<void>((resolve) => {
      release = resolve;
    });
    const body = async function* () {
      yield Buffer.from("hel");
      await others;
      yield Buffer.from("lo");
    };
    const a = connection.request({ url: "/a", method: "POST", body: body() });
    const b = connection.request({ url: "/b" });
    const c = connection.request({ url: "/c" });
    expect([await (await c).text(), await (await b).text()]).toEqual(["see", "bee"]);
    expect(connection.active).toBe(1);
    release();
    const late = await a;
    expect([await late.text(), late.stderr]).toEqual(["hello", "note\n"]);
    expect(application.connectionCount).toBe(1);
    connection.close();
  });

  test("an application that does not multiplex gets one request at a time", async () => {
    const to = await application.listen(async (wire) => {
      await wire.readRecord();
      wire.write(record(10, 0, "\x0f\x01FCGI_MPXS_CONNS0"));
      for (const text of ["one", "two"]) {
        await readRequest(wire);
        // The second must not be here before the first is answered.
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(wire.socket.readableLength).toBe(0);
        wire.write(answer(1, text));
      }
    });
    const connection = new ClientConnection({ ...to, multiplex: true });
    const texts = [connection.request(), connection.request()].map(async (r) => (await r).text());
    expect(await Promise.all(texts)).toEqual(["one", "two"]);
    connection.close();
  });

  test("a refused second request leaves the first alone (vector F11)", async () => {
    const to = await application.listen(async (wire) => {
      await readRequest(wire);
      await readRequest(wire);
      wire.write(hex("01 03 00 02 00 08 00 00 00 00 00 00 01 00 00 00"), answer(1, "first"));
    });
    const connection = new ClientConnection({ ...to, multiplex: "force" });
    const first = connection.request();
    await expect(connection.request()).rejects.toMatchObject({ code: "ERR_CLIENT_CANT_MPX" });
    expect(await (await first).text()).toBe("first");
    connection.close();
  });

  test("an abort on a shared connection leaves the others alone", async () => {
    const to = await application.listen(async (wire) => {
      const ids: Record<string, number> = {};
      for (let i = 0; i < 2; i++) {
        const { id, variables } = await readRequest(wire);
        ids[variables.REQUEST_URI!] = id;
      }
      const { type, id } = await wire.readRecord();
      expect([type, id]).toEqual([2, ids["/first"]]);
      wire.write(end(id), answer(ids["/second"]!, "second"));
    });
    const connection = new ClientConnection({ ...to, multiplex: "force" });
    const controller = new AbortController();
    const first = connection.request({ url: "/first", signal: controller.signal });
    const second = connection.request({ url: "/second" });
    await expect.poll(() => connection.active).toBe(2);
    controller.abort(new Error("only this one"));
    await expect(first).rejects.toThrow("only this one");
    expect(await (await second).text()).toBe("second");
    connection.close();
  });
});
