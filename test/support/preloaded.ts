/**
 * A program's text and POSTERN_* variables → that program, run by Node with `postern/register` in front of it.
 *
 * The entry is bundled anew for each test file, so that no test passes on yesterday's dist/. Judges nothing.
 */
import { copyFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { type ClientProtocol, request } from "../../src/client/client.ts";
import { bundle } from "../cli/program.ts";
import { projectRoot } from "./documents.ts";
import { Child } from "./front/child.ts";
import { Room, until } from "./front/ports.ts";

/** The secret of AJP on TCP here. */
export const SECRET = "0123456789abcdef";

/** How a program is started. */
export interface PreloadOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Node's words before the program; `--import` of the entry where nothing is said. */
  readonly words?: readonly string[];
}

/** Programs of one test file, in a folder of their own. */
export class PreloadRoom {
  readonly room: Room;
  /** Path of the bundled entry. */
  readonly entry: string;
  readonly #children: Child[] = [];
  #count = 0;

  private constructor(room: Room) {
    this.room = room;
    this.entry = room.file("register.cjs");
  }

  /** Makes the folder, with the entry in it. */
  static async open(): Promise<PreloadRoom> {
    const made = new PreloadRoom(new Room("register"));
    // The start line's version is there.
    copyFileSync(join(projectRoot, "package.json"), made.room.file("package.json"));
    await bundle("serve/register.ts", made.entry);
    return made;
  }

  /** A path for a socket that no other test has. */
  socket(): string {
    this.#count += 1;
    return this.room.file(`${this.#count}.sock`);
  }

  /** Writes a program, CommonJS or ESM by its name's ending, and starts it. */
  start(name: string, text: string, options: PreloadOptions = {}): Child {
    writeFileSync(this.room.file(name), text);
    const env: NodeJS.ProcessEnv = {
      PATH: process.env["PATH"],
      POSTERN_ENGINE: process.env["POSTERN_ENGINE"] ?? "typescript",
      ...options.env,
    };
    const words = [...(options.words ?? ["--import", this.entry]), this.room.file(name)];
    const child = new Child(process.execPath, words, { cwd: this.room.path, env });
    this.#children.push(child);
    return child;
  }

  /** Starts a program and resolves once its start line is there. */
  async serve(name: string, text: string, options: PreloadOptions = {}): Promise<Child> {
    const child = this.start(name, text, options);
    await saying(child, /^postern \d/);
    return child;
  }

  /** Ends everything and removes the folder. */
  async clear(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop("SIGKILL")));
    this.room.remove();
  }
}

/** Waits for a line of a child; resolves to it. */
export async function saying(child: Child, line: RegExp): Promise<string> {
  const find = (): string | undefined => child.lines.find((one) => line.test(one));
  await until(
    `a line ${line} of ${JSON.stringify(child.lines)}`,
    () => {
      if (find() === undefined && !child.isAlive)
        throw new Error(`it ended: ${child.lines.join(" | ")}`);
      return find() !== undefined;
    },
    30_000,
  );
  return find()!;
}

/** What a gateway answers to a GET. */
export async function answerAt(
  protocol: ClientProtocol,
  address: { readonly socket: string } | { readonly host: string; readonly port: number },
  url = "/",
): Promise<string> {
  const response = await request({ protocol, address, url, secret: SECRET });
  return `${response.status} ${await response.text()}`;
}

/** What plain HTTP answers at a port; the system's code when nobody does. */
export function overHttp(port: number): Promise<string> {
  return new Promise((done) => {
    get({ port, host: "127.0.0.1", agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => done(`${response.statusCode} ${text}`));
    }).on("error", (error: NodeJS.ErrnoException) => done(error.code ?? ""));
  });
}
