/**
 * The other end of a connection, played by a test: reads exact bytes, writes given ones, ends as it is told.
 * It knows no protocol beyond cutting frames. `listenScripted` plays an application for our client, `Wire.connect` a
 * web server for our gateway.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Bytes from hex text; `61*8186` is a byte many times, blanks and line ends mean nothing. */
export function hex(text: string): Buffer {
  const pieces = text
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => {
      const [byte, count] = word.split("*");
      return count === undefined
        ? Buffer.from(word, "hex")
        : Buffer.alloc(Number(count), Number.parseInt(byte!, 16));
    });
  return Buffer.concat(pieces);
}

/** One end of a connection. */
export class Wire {
  readonly socket: Socket;
  #held: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#held = Buffer.concat([this.#held, chunk]);
      this.#wake?.();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on("end", end).on("close", end);
    // A reset is an end; a test that cares looks at `failed`.
    socket.on("error", (error) => {
      this.failed = error;
      end();
    });
  }

  /** What broke the connection, if something did. */
  failed: Error | undefined;

  /** Connects to a listening gateway. */
  static async connect(address: { path: string } | { port: number }): Promise<Wire> {
    const socket = connect({ host: "127.0.0.1", ...address, allowHalfOpen: true });
    await once(socket, "connect");
    return new Wire(socket);
  }

  /** The next `count` bytes; an error when the connection ends before them. */
  async read(count: number): Promise<Buffer> {
    while (this.#held.length < count) {
      if (this.#ended) throw new Error(`${this.#held.length} of ${count} bytes, then the end`);
      await this.#more();
    }
    const bytes = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return bytes;
  }

  /** Everything up to the end of the connection. */
  async readToEnd(): Promise<Buffer> {
    while (!this.#ended) await this.#more();
    return this.read(this.#held.length);
  }

  /** Whatever is there, waiting for at least one byte. */
  async readSome(): Promise<Buffer> {
    while (this.#held.length === 0 && !this.#ended) await this.#more();
    return this.read(this.#held.length);
  }

  /** One FastCGI record, its padding dropped. */
  async readRecord(): Promise<{ type: number; id: number; content: Buffer }> {
    const header = await this.read(8);
    const rest = await this.read(header.readUInt16BE(4) + header[6]!);
    return {
      type: header[1]!,
      id: header.readUInt16BE(2),
      content: rest.subarray(0, header.readUInt16BE(4)),
    };
  }

  /** All FastCGI records up to and with the first of this type that is empty. */
  async readStream(type: number): Promise<{ type: number; id: number; content: Buffer }[]> {
    const records = [];
    for (;;) {
      const record = await this.readRecord();
      records.push(record);
      if (record.type === type && record.content.length === 0) return records;
    }
  }

  /** One AJP packet's payload. */
  async readPacket(): Promise<Buffer> {
    const header = await this.read(4);
    return this.read(header.readUInt16BE(2));
  }

  /** One netstring's content; the comma is read and checked. */
  async readNetstring(): Promise<Buffer> {
    let digits = "";
    for (;;) {
      const byte = (await this.read(1)).toString("latin1");
      if (byte === ":") break;
      digits += byte;
    }
    const content = await this.read(Number(digits));
    const comma = (await this.read(1)).toString("latin1");
    if (comma !== ",") throw new Error(`netstring ends with ${comma}`);
    return content;
  }

  /** Writes bytes. */
  write(...pieces: readonly (Uint8Array | string)[]): void {
    for (const piece of pieces) this.socket.write(piece);
  }

  /** Writes bytes one at a time, each in a write and a turn of its own. */
  async writeBytewise(bytes: Uint8Array): Promise<void> {
    for (let i = 0; i < bytes.length; i++) {
      this.socket.write(bytes.subarray(i, i + 1));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Ends the connection with FIN. */
  end(): void {
    this.socket.end();
  }

  /** Ends the connection with RST (TCP). */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

/** A listening peer. */
export interface ScriptedPeer {
  readonly address: { socket: string } | { host: string; port: number };
  /** Connections accepted so far. */
  readonly connectionCount: number;
  /** Stops listening, ends all connections; throws what a script threw. */
  close(): Promise<void>;
}

/**
 * Listens and plays `script` on each connection.
 *
 * @param script gets the connection and its index, from 0; what it throws comes out of `close`
 * @param transport unix unless the test needs a reset
 */
export async function listenScripted(
  script: (wire: Wire, index: number) => Promise<void>,
  transport: "unix" | "tcp" = "unix",
): Promise<ScriptedPeer> {
  const directory = mkdtempSync(join(tmpdir(), "postern-peer-"));
  const sockets = new Set<Socket>();
  const scripts: Promise<void>[] = [];
  const failures: unknown[] = [];
  let connectionCount = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    const run = script(new Wire(socket), connectionCount++);
    scripts.push(
      run.catch((error: unknown) => {
        failures.push(error);
        socket.destroy();
      }),
    );
  });
  const path = join(directory, "s");
  server.listen(transport === "unix" ? { path } : { host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const address =
    transport === "unix"
      ? { socket: path }
      : { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  return {
    address,
    get connectionCount() {
      return connectionCount;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await Promise.all(scripts);
      await closed;
      rmSync(directory, { recursive: true, force: true });
      if (failures.length > 0) throw failures[0];
    },
  };
}
