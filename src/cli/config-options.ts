/**
 * The options of `postern config` that are about the web server and not about the application.
 *
 * One row each, in the form of serve/option-table.ts. Everything else on that command line is read as when the
 * application is served, so that one set of words does for both.
 */
import type { OptionRow } from "../serve/option-table.ts";

const PORT_MAX = 65_535;
const KEEP_MAX = 10_000;
const SECONDS_MAX = 86_400;

/** Connections kept to each instance, unless told otherwise: as the documents' configurations have it. */
export const KEEP_DEFAULT = 16;
/** Longest silence of the application in seconds, unless told otherwise: as nginx has it. */
export const READ_SECONDS_DEFAULT = 60;

/** All of them. */
export const CONFIG_OPTIONS: readonly OptionRow[] = [
  {
    name: "serverName",
    takes: { type: "list" },
    help: "names of the site; without it every name is answered",
    sample: "NAME,…",
  },
  {
    name: "listenHost",
    takes: { type: "text" },
    help: "address the web server listens on; without it every one",
    sample: "ADDRESS",
  },
  {
    name: "listenPort",
    takes: { type: "integer", min: 1, max: PORT_MAX },
    help: "its port [80, with TLS 443]",
    sample: "PORT",
  },
  {
    name: "backend",
    takes: { type: "list" },
    help: "further instances of the application: paths or HOST:PORT",
    sample: "PLACE,…",
  },
  { name: "sticky", takes: { type: "boolean" }, help: "the same client, the same instance" },
  {
    name: "keep",
    takes: { type: "integer", min: 0, max: KEEP_MAX },
    default: KEEP_DEFAULT,
    help: "connections kept to each instance",
    sample: "N",
  },
  {
    name: "buffer",
    takes: { type: "boolean" },
    help: "let the web server collect bodies; otherwise they pass as they come",
  },
  {
    name: "readTimeout",
    takes: { type: "integer", min: 1, max: SECONDS_MAX },
    default: READ_SECONDS_DEFAULT,
    help: "longest silence of the application, in seconds",
    sample: "SECONDS",
  },
  {
    name: "websocket",
    takes: { type: "list" },
    help: "paths of WebSockets",
    sample: "PATH,…",
  },
  {
    name: "tlsCertificate",
    takes: { type: "text" },
    help: "certificate file; makes it TLS",
    sample: "FILE",
  },
  { name: "tlsKey", takes: { type: "text" }, help: "its key", sample: "FILE" },
  {
    name: "tlsClientCa",
    takes: { type: "text" },
    help: "what the clients' certificates are signed by; they need one then",
    sample: "FILE",
  },
  {
    name: "serverVersion",
    takes: { type: "text" },
    help: "version of the web server; otherwise the one that is installed here",
    sample: "VERSION",
  },
  {
    name: "out",
    takes: { type: "text" },
    help: "folder to write the files into; otherwise they are printed",
    sample: "DIR",
  },
];
