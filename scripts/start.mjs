/**
 * `npm start`: a fresh clone → the showcase in a browser, called over every protocol, and what to paste where.
 *
 * Makes the project ready first (setup.mjs), then serves HTTP, FastCGI, SCGI and AJP on one port of this machine.
 * PORT chooses another one. Everything it says goes to stdout and is short; Ctrl-C ends it.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isMain, root, say } from "./house.mjs";
import { setup } from "./setup.mjs";

const HOST = "127.0.0.1";
const PORT_DEFAULT = 8080;
/** Open responses (the clock) are waited for this long at the end, in milliseconds. */
const GOODBYE_MS = 1_000;
/** A protocol that does not answer is given up after this, in milliseconds. */
const CALL_MS = 5_000;

const CALLS = [
  { protocol: "fastcgi", name: "FastCGI" },
  { protocol: "scgi", name: "SCGI" },
  { protocol: "ajp", name: "AJP 1.3" },
];

const print = (text) => process.stdout.write(`${text}\n`);

/** A mistake of whoever started us, in one sentence. */
class Refusal extends Error {}

/** Reads PORT. */
function readPort() {
  const text = process.env.PORT ?? "";
  if (text === "") return PORT_DEFAULT;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new Refusal(
    `PORT is ${JSON.stringify(text)}; give a number from 0 to 65535, as in PORT=8081 npm start.`,
  );
}

/** A module of the project; imported late, since it may not be built before setup has run. */
const load = (path) => import(pathToFileURL(join(root, path)).href);

/** Starts the showcase on the port. */
async function startShowcase(port, secret) {
  const { serve } = await load("dist/index.mjs");
  const { default: showcase } = await load("examples/showcase.mjs");
  const server = serve(showcase, { protocol: "auto", host: HOST, port, ajp: { secret } });
  try {
    return await server.ready();
  } catch (error) {
    if (error.cause?.code !== "EADDRINUSE") throw error;
    const other = port === 65_535 ? PORT_DEFAULT : port + 1;
    throw new Refusal(
      `Port ${port} is in use by another program; choose another one: PORT=${other} npm start`,
    );
  }
}

/** Calls the showcase over one protocol; one line about what came back. */
async function call(request, { protocol, name }, port, secret) {
  const startMs = performance.now();
  const response = await request({
    protocol,
    address: { host: HOST, port },
    url: `/self-call?over=${protocol}`,
    headers: { Host: `${HOST}:${port}`, Accept: "application/json" },
    ...(protocol === "ajp" ? { secret } : {}),
    signal: AbortSignal.timeout(CALL_MS),
  });
  const text = await response.text();
  const tookMs = performance.now() - startMs;
  const facts = response.status === 200 ? JSON.parse(text) : { protocol: "an error" };
  if (facts.protocol !== protocol)
    throw new Error(`answered ${response.status} as ${facts.protocol}`);
  const came = `${facts.method} ${facts.url} came over ${facts.protocol}, ${facts.engine} engine`;
  const status = `${response.status} ${response.reason}`;
  return `  ${name.padEnd(9)}${status}  ${tookMs.toFixed(1).padStart(6)} ms   ${came}`;
}

/** Calls over every protocol; false when one of them failed. */
async function callAll(port, secret) {
  const { request } = await load("dist/client.mjs");
  let well = true;
  for (const each of CALLS) {
    try {
      print(await call(request, each, port, secret));
    } catch (error) {
      well = false;
      print(`  ${each.name.padEnd(9)}FAILED: ${error.message}`);
    }
  }
  return well;
}

/** What to write into the configuration of each web server. */
function recipes(port, secret) {
  const address = `${HOST}:${port}`;
  return `nginx, in a server block:

  location / {
    include fastcgi_params;
    fastcgi_param HTTP_PROXY "";
    fastcgi_pass ${address};
    fastcgi_request_buffering off;
    fastcgi_buffering off;
    client_max_body_size 100m;
  }
    or by SCGI:   include scgi_params;  scgi_pass ${address};  scgi_buffering off;

Apache, in a virtual host (a2enmod proxy proxy_fcgi proxy_scgi proxy_ajp), one of:

  ProxyPass / fcgi://${address}/ enablereuse=on flushpackets=on
  ProxyPass / scgi://${address}/
  ProxyPass / ajp://${address}/ secret=${secret} flushpackets=on

    and for FastCGI:   ProxyFCGIBackendType GENERIC

lighttpd, one of the two with this line:

  server.stream-response-body = 1

  server.modules += ( "mod_fastcgi" )
  fastcgi.server = ( "/" => (( "host" => "${HOST}", "port" => ${port}, "check-local" => "disable",
                               "fix-root-scriptname" => "enable" )) )

  server.modules += ( "mod_scgi" )
  scgi.server = ( "/" => (( "host" => "${HOST}", "port" => ${port}, "check-local" => "disable",
                            "fix-root-scriptname" => "enable" )) )
`;
}

/** Ends on Ctrl-C and SIGTERM: what runs is finished, the clock is cut off, a second signal ends at once. */
function endOnSignals(server, exitCode) {
  let ending = false;
  const end = (signal) => {
    if (ending) process.exit(1);
    ending = true;
    print(signal === "SIGINT" ? "\nGoodbye." : "Goodbye.");
    server.close(() => process.exit(exitCode));
    setTimeout(() => server.closeAllConnections(), GOODBYE_MS).unref();
    setTimeout(() => process.exit(exitCode), 2 * GOODBYE_MS).unref();
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
}

/** Everything, in order. */
async function start() {
  const wantedPort = readPort();
  await setup();
  const secret = randomBytes(16).toString("hex");
  const server = await startShowcase(wantedPort, secret);
  const { port } = server.address();
  const { name, reason } = server.engine;
  print(`
The showcase (examples/showcase.mjs) is running:

  http://${HOST}:${port}/

  Engine: ${name} (${reason})

The same port answers FastCGI, SCGI and AJP. Called once over each:
`);
  const well = await callAll(port, secret);
  print(`\nBehind a web server of your own, paste\n\n${recipes(port, secret)}\nCtrl-C ends it.`);
  endOnSignals(server, well ? 0 : 1);
}

if (isMain(import.meta.url)) {
  try {
    await start();
  } catch (error) {
    if (error instanceof Refusal) print(error.message);
    else say(error.message);
    process.exitCode = 1;
  }
}
