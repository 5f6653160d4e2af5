/**
 * One application behind node:http and behind postern: FastCGI, SCGI and AJP in each configuration, in this process.
 * It opens and closes servers and keeps what handlers mark on them; it asks and compares nothing.
 */
import { once } from "node:events";
import { createServer as createNodeServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ClientProtocol } from "../../src/client/client.ts";
import type { FetchApplication } from "../../src/serve/application.ts";
import { createServer as createPosternServer } from "../../src/serve/serve.ts";
import { type Configuration, CONFIGURATIONS, wayOf } from "../support/engines.ts";

/** Secret of the AJP servers. */
export const SECRET = "sixteen bytes and more";

/** What an application gets when it is made. */
export interface Stage {
  /** A folder with files to serve. */
  readonly folder: string;
  /** Address of an HTTP server to be a proxy for. */
  readonly upstream: string;
}

/** A started application. */
interface Running {
  readonly server: Server;
  /** Frameworks that listen by themselves. */
  listen?(): Promise<unknown>;
  close?(): Promise<unknown>;
}

/** One framework's application: see apps/*.mjs. */
export interface Framework {
  open(stage: Stage): Promise<{
    start(
      createServer: (application: RequestListener | FetchApplication) => Server,
      isNode: boolean,
    ): Promise<Running>;
  }>;
}

/** How a server is reached. */
export interface Way {
  readonly protocol: ClientProtocol | "http";
  /** "" for node:http. */
  readonly configuration: Configuration | "";
}

/** A listening server. */
export interface Served {
  readonly way: Way;
  readonly port: number;
  /** What handlers have marked since the last scenario. */
  readonly marks: string[];
  /** What postern's `onError` was given. */
  readonly errors: unknown[];
  /** Tells handlers that the client has read something. */
  tellRead(): void;
  /** Is no connection open? Then everything has happened. */
  isIdle(): Promise<boolean>;
  close(): Promise<void>;
}

const PROTOCOLS: readonly ClientProtocol[] = ["fastcgi", "scgi", "ajp"];

/** Every protocol in every configuration that can run here. */
export const WAYS: readonly Way[] = PROTOCOLS.flatMap((protocol) =>
  CONFIGURATIONS.filter(({ create }) => create !== undefined).map(({ name }) => ({
    protocol,
    configuration: name,
  })),
);

/** Configurations that cannot run here, and why. */
export const MISSING: readonly string[] = [
  ...CONFIGURATIONS.filter(({ create }) => create === undefined).map(
    ({ name, reason }) => `${name}: ${reason}`,
  ),
  ...(process.platform === "linux" ? [] : ["native transport: this is not Linux"]),
];

function makeServer(
  way: Way,
  application: RequestListener | FetchApplication,
  errors: unknown[],
): Server {
  const { protocol, configuration } = way;
  if (protocol === "http" || configuration === "")
    return createNodeServer(application as RequestListener);
  const onError = (error: unknown): void => void errors.push(error);
  const own = wayOf(configuration);
  const options = { protocol, ...own, onError, host: "127.0.0.1", port: 0 };
  const ajp = protocol === "ajp" ? { ajp: { secret: SECRET } } : {};
  return createPosternServer({ ...options, ...ajp }, application as RequestListener);
}

/** Starts the application behind one kind of server. */
export async function serveBy(
  way: Way,
  app: Awaited<ReturnType<Framework["open"]>>,
): Promise<Served> {
  const marks: string[] = [];
  const errors: unknown[] = [];
  const running = await app.start(
    (application) => makeServer(way, application, errors),
    way.protocol === "http",
  );
  const { server } = running;
  Object.assign(server, { mark: (text: string) => marks.push(text) });
  if (running.listen !== undefined) await running.listen();
  else {
    server.listen(0, "127.0.0.1");
    if (!server.listening) await once(server, "listening");
  }
  return {
    way,
    port: (server.address() as AddressInfo).port,
    marks,
    errors,
    tellRead: () => void server.emit("read"),
    isIdle: () =>
      new Promise((done, fail) =>
        server.getConnections((error, count) => (error ? fail(error) : done(count === 0))),
      ),
    async close() {
      server.closeAllConnections();
      if (running.close !== undefined) await running.close();
      else if (server.listening) await new Promise((done) => server.close(done));
    },
  };
}
