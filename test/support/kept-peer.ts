/**
 * A front server with one connection, which it keeps for ever: requests one after the other, at random moments.
 *
 * It tries nothing twice and connects once: whatever ends its connection, or answers it wrongly, is a failure. It speaks
 * FastCGI and AJP by bytes of its own.
 */
import { begin, forward, latin1, packet, params, stdin, u16 } from "./frames.ts";
import type { Random } from "./random.ts";
import { Wire } from "./scripted-peer.ts";

/** Protocols in which connections are kept. */
export type KeptProtocol = "fastcgi" | "ajp";

/** What an application answers to a {@link KeptPeer}: who it is, and how many bytes of a body it has read. */
export interface KeptAnswer {
  readonly worker: string;
  readonly bytes: number;
}

/** Source of such an application; `worker` is told by process and thread. */
export const KEPT_APP = `
const worker = process.pid + "." + process.env.POSTERN_WORKER;
module.exports = (req, res) => {
  let bytes = 0;
  req.on("data", (chunk) => (bytes += chunk.length));
  req.on("end", () => {
    const say = () => res.end(JSON.stringify({ worker, bytes }));
    if (req.url === "/slow") setTimeout(say, 20);
    else say();
  });
};
`;

const AJP_CHUNK = 8_186;
const AJP = { SEND_BODY: 3, END: 5, GET_BODY: 6 } as const;
const FASTCGI = { END_REQUEST: 3, STDOUT: 6 } as const;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** One such front server. */
export class KeptPeer {
  /** Workers that have answered it. */
  readonly workers: Set<string> = new Set();
  answers = 0;
  readonly #wire: Wire;
  readonly #protocol: KeptProtocol;
  readonly #random: Random;

  private constructor(wire: Wire, protocol: KeptProtocol, random: Random) {
    this.#wire = wire;
    this.#protocol = protocol;
    this.#random = random;
  }

  static async connect(
    protocol: KeptProtocol,
    address: { path: string } | { port: number },
    random: Random,
  ): Promise<KeptPeer> {
    return new KeptPeer(await Wire.connect(address), protocol, random);
  }

  /** Asks until `isOver`, then closes. Throws what went wrong. */
  async askUntil(isOver: () => boolean, pauseMs = 4): Promise<void> {
    while (!isOver()) {
      await this.ask();
      // Often at once: then the request is there in the moment in which the connection changes hands.
      if (this.#random.chance(40)) await pause(this.#random.below(pauseMs));
    }
    this.close();
  }

  /** Ends the connection, whatever became of it. */
  destroy(): void {
    this.#wire.socket.destroy();
  }

  /** Throws what broke the connection, if something did. */
  close(): void {
    if (this.#wire.failed !== undefined) throw this.#wire.failed;
    this.#wire.socket.destroy();
  }

  /** One request, a POST three times in ten. */
  async ask(): Promise<KeptAnswer> {
    const bytes = this.#random.chance(30) ? this.#random.pick([1, 500, 9_000, 40_000]) : 0;
    const url = this.#random.chance(5) ? "/slow" : "/";
    const text = await (this.#protocol === "ajp"
      ? this.#ajp(url, bytes)
      : this.#fastCgi(url, bytes));
    const answer = JSON.parse(text) as KeptAnswer;
    if (answer.bytes !== bytes) throw new Error(`${answer.bytes} of ${bytes} bytes arrived`);
    this.workers.add(answer.worker);
    this.answers++;
    return answer;
  }

  async #fastCgi(url: string, bytes: number): Promise<string> {
    const fields: [string, string][] = [
      ["REQUEST_METHOD", bytes > 0 ? "POST" : "GET"],
      ["REQUEST_URI", url],
      ["SCRIPT_NAME", url],
      ["CONTENT_LENGTH", bytes > 0 ? String(bytes) : ""],
    ];
    this.#wire.write(begin(1, 1, 1), params(1, fields));
    for (let sent = 0; sent < bytes; sent += 16_000) {
      if (this.#random.chance(20)) await pause(1);
      this.#wire.write(stdin(1, "x".repeat(Math.min(16_000, bytes - sent))));
    }
    this.#wire.write(stdin(1));
    let output = "";
    for (;;) {
      const { type, content } = await this.#wire.readRecord();
      if (type === FASTCGI.END_REQUEST) break;
      if (type === FASTCGI.STDOUT) output += content.toString("latin1");
    }
    return bodyOf(output);
  }

  async #ajp(url: string, bytes: number): Promise<string> {
    const headers: [number, string][] = bytes > 0 ? [[0xa008, String(bytes)]] : [];
    this.#wire.write(forward({ method: bytes > 0 ? 4 : 2, uri: url, headers }));
    let due = bytes;
    const chunk = (): void => {
      const length = Math.min(due, AJP_CHUNK);
      due -= length;
      const body = length === 0 ? "" : Buffer.concat([u16(length), latin1("x".repeat(length))]);
      this.#wire.write(packet(body));
    };
    if (bytes > 0) chunk();
    let output = "";
    for (;;) {
      const payload = await this.#wire.readPacket();
      const type = payload[0];
      if (type === AJP.GET_BODY) chunk();
      else if (type === AJP.SEND_BODY) {
        output += payload.subarray(3, 3 + payload.readUInt16BE(1)).toString("latin1");
      } else if (type === AJP.END) {
        if (payload[1] !== 1) throw new Error("the connection is not to be used again");
        return output;
      }
    }
  }
}

function bodyOf(output: string): string {
  const at = output.indexOf("\r\n\r\n");
  if (at < 0 || /^Status: [^2]/m.test(output)) throw new Error(`answered ${output}`);
  return output.slice(at + 4);
}
