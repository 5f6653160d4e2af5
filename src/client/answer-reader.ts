/**
 * Bytes of an application as they pass → how many answers have begun and ended, with which status, and what was asked for.
 *
 * It takes part in nothing and keeps no body: a recorder and a replay watch with it. A connection that carries requests side
 * by side (FastCGI multiplexing) is read too; statuses stand in the order in which the answers ended.
 */
import {
  HEADER_BYTES as PACKET_HEADER_BYTES,
  MAGIC_TO_SERVER,
  PACKET_BYTES_MAX,
  PacketType,
} from "../protocols/ajp/constants.ts";
import { HEADER_BYTES, RecordType } from "../protocols/fastcgi/constants.ts";
import { decodeHeaders, packetBytes } from "./ajp-packets.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { ResponseParser } from "./response-parser.ts";
import type { ClientProtocol } from "./session.ts";

/** Watches what comes from an application on one connection. */
export class AnswerReader {
  /** Status of each answer that has ended; 0 where no head came. */
  readonly statuses: number[] = [];
  /** Frames that a web server waits for before it goes on: ends of answers, and questions for more of a body. */
  turns = 0;
  readonly #protocol: ClientProtocol;
  readonly #frames: FrameBuffer | undefined;
  readonly #parsers = new Map<number, ResponseParser>();
  #status = 0;

  constructor(protocol: ClientProtocol) {
    this.#protocol = protocol;
    if (protocol === "fastcgi") {
      this.#frames = new FrameBuffer(
        HEADER_BYTES,
        (header) => HEADER_BYTES + header.readUInt16BE(4) + header[6]!,
      );
    } else if (protocol === "ajp") {
      this.#frames = new FrameBuffer(PACKET_HEADER_BYTES, (header) =>
        packetBytes(header, MAGIC_TO_SERVER, PACKET_BYTES_MAX),
      );
    }
  }

  /**
   * Takes the next bytes.
   *
   * @throws ClientError ERR_CLIENT_RESPONSE where they break the protocol
   */
  push(chunk: Buffer): void {
    if (this.#protocol === "scgi") return this.#readHead(0, chunk);
    this.#frames!.push(chunk, (frame) => {
      if (this.#protocol === "ajp") this.#readPacket(frame.subarray(PACKET_HEADER_BYTES));
      else this.#readRecord(frame);
    });
  }

  /** The connection has ended, which is how an answer of SCGI ends. */
  end(): void {
    if (this.#protocol === "scgi") this.#endAnswer(this.#parsers.get(0)?.head?.status ?? 0);
  }

  #endAnswer(status: number): void {
    this.statuses.push(status);
    this.turns += 1;
  }

  #readHead(id: number, bytes: Buffer): void {
    const parser = this.#parsers.get(id) ?? new ResponseParser();
    this.#parsers.set(id, parser);
    if (parser.head === undefined) parser.push(bytes);
  }

  #readRecord(record: Buffer): void {
    const id = record.readUInt16BE(2);
    const type = record[1];
    if (type === RecordType.STDOUT) {
      const content = record.subarray(HEADER_BYTES, HEADER_BYTES + record.readUInt16BE(4));
      if (content.length > 0) this.#readHead(id, content);
    } else if (type === RecordType.END_REQUEST) {
      this.#endAnswer(this.#parsers.get(id)?.head?.status ?? 0);
      this.#parsers.delete(id);
    } else if (type === RecordType.GET_VALUES_RESULT || type === RecordType.UNKNOWN_TYPE) {
      this.turns += 1;
    }
  }

  #readPacket(payload: Buffer): void {
    const type = payload[0];
    if (type === PacketType.SEND_HEADERS) this.#status = decodeHeaders(payload).status;
    if (type === PacketType.GET_BODY_CHUNK || type === PacketType.CPONG) this.turns += 1;
    if (type !== PacketType.END_RESPONSE) return;
    this.#endAnswer(this.#status);
    this.#status = 0;
  }
}
