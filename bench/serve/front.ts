/**
 * Behind nginx: FastCGI on kept connections against proxy_pass on kept connections to node:http, by unix sockets.
 * nginx (one process) and wrk share core 1, the back end has core 0; without wrk the load generator takes its place.
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Address, addressText, type Contender, needs, which } from "./contender.ts";
import { runLoadgen, targetWords } from "./loadgen.ts";
import { cpuNanoseconds } from "./process-cpu.ts";
import type { ResultRow, ResultTable } from "./results.ts";
import { type Say, turns, warmUp } from "./rounds.ts";
import { ServerProcess } from "./server-process.ts";
import type { Settings } from "./settings.ts";
import { spreadOf } from "./statistics.ts";

const CONNECTIONS = 64;
const TASK = { handler: "hello", packetBytes: 8192, multiplex: false } as const;
/** nginx's own fastcgi_params without what needs a root; the file may be elsewhere or changed. */
const FASTCGI_PARAMS = [
  "QUERY_STRING $query_string",
  "REQUEST_METHOD $request_method",
  "CONTENT_TYPE $content_type",
  "CONTENT_LENGTH $content_length",
  "SCRIPT_NAME $fastcgi_script_name",
  "REQUEST_URI $request_uri",
  "DOCUMENT_URI $document_uri",
  "DOCUMENT_ROOT $document_root",
  "SERVER_PROTOCOL $server_protocol",
  "REQUEST_SCHEME $scheme",
  "GATEWAY_INTERFACE CGI/1.1",
  "SERVER_SOFTWARE nginx/$nginx_version",
  "REMOTE_ADDR $remote_addr",
  "REMOTE_PORT $remote_port",
  "SERVER_ADDR $server_addr",
  "SERVER_PORT $server_port",
  "SERVER_NAME $server_name",
];

function location(protocol: string): string {
  if (protocol === "http") {
    return `proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;`;
  }
  const params = FASTCGI_PARAMS.map((param) => `fastcgi_param ${param};`).join("\n      ");
  return `fastcgi_pass backend;\n      fastcgi_keep_conn on;\n      ${params}`;
}

/** nginx in front of a back end, as a server of the bench. */
function nginxBefore(protocol: string, backend: Address): Contender {
  return {
    name: "nginx",
    protocol: "http",
    handlers: ["hello"],
    overs: ["tcp"],
    missing: () => needs("nginx"),
    command: ({ address, folder }) => {
      const file = join(folder, "nginx.conf");
      const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((name) => `  ${name}_temp_path ${join(folder, name)};`)
        .join("\n");
      writeFileSync(
        file,
        `daemon off;
master_process off;
pid ${join(folder, "nginx.pid")};
error_log stderr error;
events { worker_connections 1024; }
http {
${paths}
  access_log off;
  keepalive_requests 1000000000;
  upstream backend {
    server ${addressText(backend)};
    keepalive ${CONNECTIONS};
    keepalive_requests 1000000000;
  }
  server {
    listen ${addressText(address)} backlog=511;
    location / {
      ${location(protocol)}
    }
  }
}
`,
      );
      return { program: which("nginx")!, parameters: ["-p", folder, "-c", file], says: false };
    },
  };
}

/** What a client saw. */
interface Seen {
  readonly requests: number;
  readonly wrong: number;
}

function runWrk(address: Address, seconds: number): Promise<Seen> {
  const url = `http://${addressText(address)}/`;
  // wrk counts whole seconds.
  const duration = `${Math.max(1, Math.round(seconds))}s`;
  const wrk = ["wrk", "-t1", `-c${CONNECTIONS}`, `-d${duration}`, url];
  const child = spawn("taskset", ["-c", "1", ...wrk], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? 0);
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", () => {
      const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(
        output,
      );
      const broken = (sockets?.slice(1) ?? []).reduce((sum, text) => sum + Number(text), 0);
      const wrong = number(/Non-2xx or 3xx responses: (\d+)/) + broken;
      done({ requests: number(/(\d+) requests in/), wrong });
    });
  });
}

async function runOwn(address: Address, seconds: number): Promise<Seen> {
  const words = ["--connections", String(CONNECTIONS), "--seconds", String(seconds)];
  const { requests, errors } = await runLoadgen([...targetWords("http", address), ...words]);
  return { requests, wrong: errors };
}

/** A back end with its nginx. */
interface Chain {
  readonly contender: Contender;
  readonly backend: ServerProcess;
  readonly front: ServerProcess;
}

async function startChain(contender: Contender): Promise<Chain> {
  const backend = await ServerProcess.start(contender, "unix", TASK);
  const nginx = nginxBefore(contender.protocol, backend.address);
  const front = await ServerProcess.start(nginx, "tcp", TASK, 1);
  return { contender, backend, front };
}

/** Measures the scenario `front`; undefined where it cannot be. */
export async function measureFront(
  contenders: readonly Contender[],
  settings: Settings,
  say: Say,
): Promise<ResultTable | undefined> {
  const missing = needs("nginx", "taskset");
  if (missing !== undefined) {
    say(`front skipped: ${missing}`);
    return undefined;
  }
  const drive = which("wrk") === undefined ? runOwn : runWrk;
  if (drive === runOwn) say("front: wrk not found, the load generator takes its place");
  const chosen = contenders.filter(
    ({ name, missing: lacks }) =>
      /^(postern fastcgi|node:http)/.test(name) && lacks("hello") === undefined,
  );
  const chains: Chain[] = [];
  const figures = new Map<
    Chain,
    { own: number[]; front: number[]; rate: number[]; wrong: number }
  >();
  try {
    for (const contender of chosen) {
      const chain = await startChain(contender);
      chains.push(chain);
      figures.set(chain, { own: [], front: [], rate: [], wrong: 0 });
      await warmUp(chain.backend.pid, settings, (seconds) => drive(chain.front.address, seconds));
    }
    for (let round = 0; round < settings.rounds; round++) {
      for (const chain of turns(chains, round)) {
        const pids = [chain.backend.pid, chain.front.pid];
        const before = pids.map(cpuNanoseconds);
        const began = performance.now();
        const { requests, wrong } = await drive(chain.front.address, settings.seconds);
        const seconds = (performance.now() - began) / 1_000;
        const [own, front] = pids.map(
          (pid, i) => (cpuNanoseconds(pid) - before[i]!) / 1e3 / requests,
        );
        const figure = figures.get(chain)!;
        figure.own.push(own!);
        figure.front.push(front!);
        figure.rate.push(requests / seconds);
        figure.wrong += wrong;
      }
    }
  } finally {
    for (const { front, backend } of chains) {
      await front.stop();
      await backend.stop();
    }
  }
  const base = chains.findIndex(({ contender }) => contender.name.startsWith("node:http"));
  const basis = base < 0 ? undefined : spreadOf(figures.get(chains[base]!)!.own).median;
  const rows = chains.map((chain): ResultRow => {
    const { own, front, rate, wrong } = figures.get(chain)!;
    const figure = spreadOf(own);
    return {
      name: chain.contender.name,
      over: "unix",
      says: chain.backend.says,
      figure,
      rounds: own,
      ratio: basis === undefined ? undefined : figure.median / basis,
      more: { "nginx CPU µs": spreadOf(front).median, "requests/s": spreadOf(rate).median },
      errors: wrong,
    };
  });
  const title = `behind nginx, kept connections on unix sockets, c=${CONNECTIONS}`;
  return { name: "front", title, unit: "CPU µs", base: "node:http", rows };
}
