/**
 * `node --import postern/register server.js` (or `--require`) → a program that runs unmodified behind a web server.
 *
 * The entry alone, which ties takeover.ts to this process; POSTERN_* variables say what to speak and where. Exports
 * nothing, and does nothing until the program's first `http.Server` listens.
 */
import cluster from "node:cluster";
import { isMainThread } from "node:worker_threads";
import { takeOver } from "./takeover.ts";

// Threads run this as well, in the same process: their servers are later ones, and left alone.
if (isMainThread)
  takeOver({
    env: process.env,
    pid: process.pid,
    isClusterWorker: cluster.isWorker,
    say: (line) => process.stderr.write(`${line}\n`),
    exit: (status) => process.exit(status),
  });
