/**
 * An application behind each protocol in every configuration, for the verbs of the client that are run against it.
 *
 * The served program and the client are the same bundle, each in a process of its own. Expects nothing.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientProtocol } from "../../src/client/client.ts";
import { type Configuration, CONFIGURATIONS } from "../support/engines.ts";
import { makeProgram, type Program } from "./program.ts";

/** Long enough for AJP, and nothing that may ever be printed. */
export const SECRET = "never-printed-0123456789";

/** Protocols of the client. */
export const SPOKEN: readonly ClientProtocol[] = ["fastcgi", "scgi", "ajp"];

/** Configurations that can run here. */
export const RUNNABLE: readonly Configuration[] = CONFIGURATIONS.filter(
  ({ create }) => create !== undefined,
).map(({ name }) => name);

const APP = `export default async function app(req, res) {
  const { pathname } = new URL(req.url, "http://localhost");
  if (pathname === "/said") req.gateway.errors.write("one\\ntwo\\u001b[2J");
  if (pathname === "/silent") return;
  if (pathname === "/missing") res.statusCode = 404;
  const pieces = [];
  for await (const piece of req) pieces.push(piece);
  const body = Buffer.concat(pieces);
  res.setHeader("Content-Type", "application/json");
  res.setHeader("X-Method", req.method);
  res.end(JSON.stringify({
    url: req.url,
    method: req.method,
    headers: req.headers,
    bytes: body.length,
    body: body.subarray(0, 100).toString(),
    user: req.gateway.remoteUser,
  }) + "\\n");
}
`;

/** What is served, and the client. */
export interface ClientScene {
  readonly program: Program;
  /** Address of the application over a protocol, with a path. */
  place(protocol: ClientProtocol, url?: string): string;
  /** Words that the client needs beside the address. */
  words(protocol: ClientProtocol): string[];
  /** A file of the scene. */
  file(name: string, text?: string | Uint8Array): string;
  clear(): Promise<void>;
}

/** Starts the application over all three protocols. */
export async function openClientScene(configuration: Configuration): Promise<ClientScene> {
  const program = await makeProgram(configuration);
  const file = (name: string, text?: string | Uint8Array): string => {
    const path = join(program.folder, name);
    if (text !== undefined) writeFileSync(path, text);
    return path;
  };
  file("app.mjs", APP);
  const secretFile = file("secret", `${SECRET}\n`);
  const socket = (protocol: ClientProtocol): string => file(`${protocol}.sock`);
  const started = SPOKEN.map((protocol) => {
    const secret = protocol === "ajp" ? ["--ajp.secret-file", secretFile] : [];
    const words = ["./app.mjs", "--protocol", protocol, "--socket", socket(protocol), ...secret];
    return program.start(words, { longestMs: 120_000 }).started;
  });
  await Promise.all(started);
  return {
    program,
    file,
    place: (protocol, url) =>
      `${protocol}+unix:${socket(protocol)}${url === undefined ? "" : `:${url}`}`,
    words: (protocol) => (protocol === "ajp" ? ["--ajp.secret-file", secretFile] : []),
    clear: () => program.clear(),
  };
}
