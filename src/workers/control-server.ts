/**
 * A unix socket of mode 0600 → requests for the primary, one line of JSON each, and the answers to them.
 *
 * It lives where no application runs, so it answers while every worker is busy or blocked. Its file obeys the rules of
 * server/socket-file.ts. It does nothing itself: {@link ControlActions} does. Garbage costs its sender the connection.
 */
import { createServer, type Server, type Socket } from "node:net";
import { UsageError } from "../errors.ts";
import { bind, pathBinder } from "../server/binding.ts";
import { processFacts } from "../server/listen.ts";
import {
  type FileIdentity,
  openSocketFile,
  type SocketFile,
  takeSocketFile,
} from "../server/socket-file.ts";
import {
  CLIENTS_MAX,
  type ControlAnswer,
  type ControlRequest,
  readRequest,
  type Refusal,
  REQUEST_BYTES_MAX,
} from "./control-messages.ts";

/** Only its owner. */
const MODE = 0o600;
const BACKLOG = 64;
/** A client that asks nothing for so long is sent away, in milliseconds. */
const IDLE_MS = 30_000;

/** A refused client has so long to read why, in milliseconds. */
const REFUSED_MS = 1_000;

/** Who does what is asked. */
export interface ControlActions {
  /** Resolves with the result; rejects with a {@link Refusal}. */
  obey(request: ControlRequest): Promise<Readonly<Record<string, unknown>>>;
}

/** What another process needs to go on with a control socket. */
export interface ControlHandle {
  readonly path: string;
  /** The listening descriptor, in this process. */
  readonly fd: number;
  readonly identity: FileIdentity | undefined;
}

function refusalOf(error: unknown): Refusal {
  const { sentence, detail } = (error ?? {}) as Partial<Refusal>;
  if (typeof sentence === "string") return { sentence, detail: detail ?? "" };
  return { sentence: error instanceof Error ? error.message : String(error), detail: "" };
}

/** One client: its lines, one after the other. */
class Client {
  readonly #socket: Socket;
  readonly #actions: ControlActions;
  #text = "";
  #isBusy = false;
  #isRefused = false;

  constructor(socket: Socket, actions: ControlActions) {
    this.#socket = socket;
    this.#actions = actions;
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      if (this.#isRefused) return;
      this.#text += text;
      this.#next();
    });
    socket.on("error", () => socket.destroy());
    socket.setTimeout(IDLE_MS, () => {
      // One that waits for an answer, or for our end, may take its time.
      if (!this.#isBusy) socket.destroy();
    });
  }

  #next(): void {
    if (this.#isBusy || this.#isRefused) return;
    const end = this.#text.indexOf("\n");
    const line = end < 0 ? this.#text : this.#text.slice(0, end);
    if (line.length > REQUEST_BYTES_MAX) {
      this.#refuse(`A request is a line of at most ${REQUEST_BYTES_MAX} bytes.`);
    } else if (end >= 0) {
      this.#text = this.#text.slice(end + 1);
      void this.#serve(line);
    }
  }

  async #serve(line: string): Promise<void> {
    const request = readRequest(line);
    if (typeof request === "string") return this.#refuse(request);
    this.#isBusy = true;
    this.#socket.pause();
    let answer: ControlAnswer;
    try {
      answer = { ok: true, result: await this.#actions.obey(request) };
    } catch (error) {
      answer = { ok: false, ...refusalOf(error) };
    }
    const isTaken = this.#socket.write(`${JSON.stringify(answer)}\n`);
    // Who asked for the end waits for it: the end of this process closes the connection.
    if (request.verb === "stop" && answer.ok) return;
    this.#isBusy = false;
    // Who asks without reading answers waits, and is sent away if it goes on: nothing is piled up for it.
    if (isTaken) this.#goOn();
    else this.#socket.once("drain", () => this.#goOn());
  }

  #goOn(): void {
    this.#socket.resume();
    this.#next();
  }

  #refuse(sentence: string): void {
    this.#isRefused = true;
    this.#text = "";
    this.#socket.end(`${JSON.stringify({ ok: false, sentence, detail: "" })}\n`);
    // What still comes is thrown away for a moment: a close with bytes unread would take the answer with it.
    setTimeout(() => this.#socket.destroy(), REFUSED_MS).unref();
  }
}

/** A control socket that is open. */
export class ControlServer {
  readonly path: string;
  readonly #server: Server;
  readonly #file: SocketFile;

  private constructor(path: string, server: Server, file: SocketFile) {
    this.path = path;
    this.#server = server;
    this.#file = file;
    process.once("exit", this.close);
  }

  /**
   * Opens one.
   *
   * @throws UsageError when the path cannot be had
   */
  static async open(path: string, actions: ControlActions): Promise<ControlServer> {
    const server = serverFor(actions);
    const settings = {
      kind: "unix",
      path,
      mode: MODE,
      owner: undefined,
      group: undefined,
    } as const;
    try {
      const file = await openSocketFile(pathBinder(server, BACKLOG), settings, processFacts);
      return new ControlServer(path, server, file);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      const sentence = error.message.replace(/^socket /, "It ");
      throw new UsageError(`The control socket cannot be made. ${sentence}`, error.code);
    }
  }

  /** Goes on with one that another process gave to us. */
  static async adopt(handle: ControlHandle, actions: ControlActions): Promise<ControlServer> {
    const server = serverFor(actions);
    await bind(server, { fd: handle.fd });
    return new ControlServer(handle.path, server, takeSocketFile(handle.path, handle.identity));
  }

  /** For another process. */
  get handle(): ControlHandle {
    // The only way to a listening descriptor; child_process passes handles by the same field.
    const { fd } = (this.#server as unknown as { _handle: { fd: number } })._handle;
    return { path: this.path, fd, identity: this.#file.identity };
  }

  /** Takes no further client, and removes the file if it is still ours; those that wait for an answer get it. */
  readonly close: () => void = () => {
    this.#file.remove();
    this.abandon();
  };

  /** Takes no further client, and leaves the file to the process that goes on with it. */
  abandon(): void {
    process.removeListener("exit", this.close);
    this.#server.close();
  }
}

function serverFor(actions: ControlActions): Server {
  const server = createServer((socket) => void new Client(socket, actions));
  server.maxConnections = CLIENTS_MAX;
  server.on("error", () => undefined);
  // Whether the process goes on is not for the control socket to say.
  server.unref();
  return server;
}
