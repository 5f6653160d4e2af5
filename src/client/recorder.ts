/**
 * A proxy between a web server and an application → every connection's bytes to the application, as lines of a recording.
 *
 * It changes no byte and knows no request: it notes what was sent, how far the answers had come before, and their statuses.
 * One line of JSON for each connection, written when that has ended.
 */
import { connect, createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { AnswerReader } from "./answer-reader.ts";
import type { ClientAddress, ClientProtocol } from "./session.ts";

/** A piece that a web server sent. */
export interface RecordedPiece {
  /** Turns of the application that were there before it was sent. */
  readonly after: number;
  /** The bytes, in base64. */
  readonly bytes: string;
}

/** One connection, a line of a recording. */
export interface RecordedConnection {
  readonly protocol: ClientProtocol;
  /** When it was opened, as ISO 8601. */
  readonly at: string;
  readonly pieces: readonly RecordedPiece[];
  readonly statuses: readonly number[];
}

/** What a recorder is told. */
export interface RecorderOptions {
  readonly protocol: ClientProtocol;
  readonly address: ClientAddress;
  readonly listen: ListenOptions;
  /** Called with each connection that has ended. */
  readonly onRecorded: (connection: RecordedConnection) => void;
  /** Called when an application cannot be reached, or breaks its protocol. */
  readonly onError: (error: Error) => void;
}

/** The options of node:net for an address. */
function optionsOf(address: ClientAddress): { path: string } | { host: string; port: number } {
  if ("socket" in address) return { path: address.socket };
  return { host: address.host ?? "127.0.0.1", port: address.port };
}

/** Carries one connection; resolves when it is recorded. */
function carry(front: Socket, options: RecorderOptions): Promise<void> {
  const { protocol, onRecorded, onError } = options;
  const at = new Date().toISOString();
  const pieces: { after: number; bytes: Buffer }[] = [];
  const reader = new AnswerReader(protocol);
  const back = connect({ ...optionsOf(options.address), allowHalfOpen: true });
  let isReadable = true;
  front.on("data", (chunk: Buffer) => pieces.push({ after: reader.turns, bytes: chunk }));
  back.on("data", (chunk: Buffer) => {
    if (!isReadable) return;
    try {
      reader.push(chunk);
    } catch (error) {
      // The bytes pass all the same: whether they are good is for the web server to say.
      isReadable = false;
      onError(error as Error);
    }
  });
  front.pipe(back);
  back.pipe(front);
  front.on("error", () => back.destroy());
  back.on("error", (error) => {
    onError(error);
    front.destroy();
  });
  front.on("close", () => back.destroySoon());
  return new Promise((done) => {
    back.on("close", () => {
      front.end();
      if (isReadable) reader.end();
      const written = pieces.map(({ after, bytes }) => ({
        after,
        bytes: bytes.toString("base64"),
      }));
      if (pieces.length > 0) {
        onRecorded({ protocol, at, pieces: written, statuses: reader.statuses });
      }
      done();
    });
  });
}

/** A recorder that listens. */
export interface Recorder {
  /** Ends it and every connection; resolves when what came on them is recorded. */
  stop(): Promise<void>;
}

/**
 * Begins to listen.
 *
 * @throws the system's error where it cannot listen
 */
export function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const open = new Set<Promise<void>>();
  const fronts = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (front) => {
    fronts.add(front);
    const ended = carry(front, options).then(() => {
      fronts.delete(front);
      open.delete(ended);
    });
    open.add(ended);
  });
  const stop = async (): Promise<void> => {
    server.close();
    for (const front of fronts) front.destroy();
    await Promise.all(open);
  };
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.listen, () => {
      server.off("error", reject).on("error", options.onError);
      resolve({ stop });
    });
  });
}
