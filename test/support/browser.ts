/**
 * One page in headless Chromium, asked by its DevTools protocol over two pipes: what it shows, and its picture.
 *
 * Opens no port and knows no page. Where no Chromium is installed, {@link findBrowser} says so.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { until } from "./behaviour.ts";
import { findProgram } from "./front/child.ts";

/** Without these Chromium asks its maker's hosts for updates while it shows our page. */
export const BROWSER_FLAGS: readonly string[] = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Path of a Chromium; undefined where there is none. */
export function findBrowser(): string | undefined {
  return findProgram("chromium") ?? findProgram("chromium-browser");
}

/** An answer of the protocol. */
interface Answer {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** One page of a browser of its own. */
export class BrowserPage {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #session: string | undefined;
  #lastId = 0;

  private constructor(program: string, width: number, height: number) {
    this.#folder = mkdtempSync(join(tmpdir(), "postern-chromium-"));
    this.#child = spawn(
      program,
      [
        ...BROWSER_FLAGS,
        "--remote-debugging-pipe",
        `--user-data-dir=${this.#folder}/profile`,
        `--window-size=${width},${height}`,
      ],
      // A group of its own: its other processes end with it, and write no more into the profile.
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"], detached: true },
    );
    let text = "";
    const output = this.#child.stdio[4] as Readable;
    output.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      const messages = text.split("\0");
      text = messages.pop() ?? "";
      for (const message of messages) this.#hear(JSON.parse(message) as Answer);
    });
  }

  /** Opens a page. */
  static async open(url: string, width = 1000, height = 900): Promise<BrowserPage> {
    const program = findBrowser();
    if (program === undefined) throw new Error("chromium is not installed");
    const page = new BrowserPage(program, width, height);
    const { targetId } = await page.#ask("Target.createTarget", { url: "about:blank" });
    const options = { targetId, flatten: true };
    const { sessionId } = await page.#ask("Target.attachToTarget", options);
    page.#session = sessionId as string;
    await page.#ask("Page.enable", {});
    await page.#ask("Page.navigate", { url });
    return page;
  }

  #hear({ id, ...answer }: Answer): void {
    const told = id === undefined ? undefined : this.#waiting.get(id);
    if (id !== undefined) this.#waiting.delete(id);
    told?.(answer);
  }

  #ask(method: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#lastId;
    const session = this.#session === undefined ? {} : { sessionId: this.#session };
    const input = this.#child.stdio[3] as Writable;
    return new Promise((done, fail) => {
      this.#waiting.set(id, ({ result, error }) =>
        error === undefined ? done(result ?? {}) : fail(new Error(error.message)),
      );
      input.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    });
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const options = { expression, returnByValue: true, awaitPromise: true };
    const { result } = await this.#ask("Runtime.evaluate", options);
    return (result as { value?: unknown }).value;
  }

  /** A PNG of what is seen. */
  async picture(): Promise<Buffer> {
    const { data } = await this.#ask("Page.captureScreenshot", { format: "png" });
    return Buffer.from(data as string, "base64");
  }

  /** Ends the browser. */
  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("close", resolve));
    process.kill(-this.#child.pid!, "SIGKILL");
    await gone;
    // A process of it may write into the profile a little longer, and rmSync looks into a folder once.
    await until(() => {
      try {
        rmSync(this.#folder, { recursive: true, force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
      }
      return !existsSync(this.#folder);
    });
  }
}
