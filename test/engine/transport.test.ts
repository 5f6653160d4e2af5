/**
 * The addon's transport in the main thread and in workers at once, and workers that end while their connections work
 * (reliability N-4, N-5). The sanitizer test runs this file once more with the sanitizers preloaded.
 * What single requests come to is test/serve and test/connection.
 */
import { once } from "node:events";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClientProtocol } from "../../src/client/client.ts";
import { bundleApart } from "../support/apart.ts";
import { CONFIGURATIONS } from "../support/engines.ts";
import { Room, until } from "../support/front/ports.ts";
import { descriptorCount } from "../support/server-room.ts";
import { expectedOf, load, type Ports, SERVERS } from "../support/transport-load.ts";

const PROTOCOLS: readonly ClientProtocol[] = ["fastcgi", "scgi", "ajp"];
const isFull = process.env["POSTERN_TEST_FULL"] === "1";
const native = CONFIGURATIONS.find(({ name }) => name === "native transport");
const missing = native === undefined ? "this is not Linux" : native.reason;
const because = missing === "" ? "" : ` (skipped: ${missing})`;

test("the native transport can run where CI asks for it", () => {
  if (process.env["CI"] === "true") expect(missing).toBe("");
});

describe.skipIf(missing !== "")(`the native transport in threads${because}`, () => {
  let room: Room;
  let file: string;
  beforeAll(async () => {
    room = new Room("transport");
    file = await bundleApart(room.path, "servers.cjs", SERVERS);
  });
  afterAll(() => room.remove());

  const startWorker = async (): Promise<{ worker: Worker; ports: Ports }> => {
    const worker = new Worker(file);
    const [ports] = await once(worker, "message");
    return { worker, ports };
  };
  const loadAll = (ports: Ports): Promise<unknown>[] =>
    PROTOCOLS.map((protocol) => load(protocol, ports[protocol]));

  test("serves in the main thread and in two workers at once, and leaves no descriptor (N-4)", async () => {
    const before = descriptorCount();
    const { open } = createRequire(import.meta.url)(file);
    const own: { ports: Ports; close(): Promise<void> } = await open();
    const workers = await Promise.all([startWorker(), startWorker()]);
    for (let round = 0; round < (isFull ? 10 : 2); round++) {
      const all = [own, ...workers].flatMap(({ ports }) => loadAll(ports));
      const expected = [1, 2, 3].flatMap(() => PROTOCOLS.map(expectedOf));
      expect(await Promise.all(all)).toEqual(expected);
    }
    await own.close();
    for (const { worker } of workers) {
      worker.postMessage("close");
      expect(await once(worker, "exit")).toEqual([0]);
    }
    await until("descriptors are closed", () => descriptorCount() <= before);
  });

  test("survives workers that are terminated in the middle, and leaves no descriptor (N-4, N-5)", async () => {
    const before = descriptorCount();
    const { worker, ports } = await startWorker();
    for (let i = 0; i < (isFull ? 50 : 5); i++) {
      const doomed = await startWorker();
      const loads = loadAll(doomed.ports).map((one) => one.catch(() => "lost"));
      await new Promise((done) => setTimeout(done, 20 + Math.random() * 80));
      await doomed.worker.terminate();
      await Promise.all(loads);
    }
    expect(await Promise.all(loadAll(ports))).toEqual(PROTOCOLS.map(expectedOf));
    await worker.terminate();
    await until("descriptors are closed", () => descriptorCount() <= before);
  });
});
