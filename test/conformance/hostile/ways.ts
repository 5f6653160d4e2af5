/**
 * Every way to the application that hostile requests take: a front server, its protocol, a unix socket or TCP → a port.
 *
 * Starts the front servers, once for a file, and the gateways of one configuration behind them. Sends no request and
 * judges nothing (reliability Z9).
 */
import { join } from "node:path";
import type { Configuration } from "../../support/engines.ts";
import { apacheName, apacheTarget, startApache } from "../../support/front/apache.ts";
import { type FrontServer, serverObstacle } from "../../support/front/front-server.ts";
import { AJP_SECRET, Gateway, type GatewayProtocol } from "../../support/front/gateway.ts";
import { startHaproxy } from "../../support/front/haproxy.ts";
import { lighttpdTarget, startLighttpd } from "../../support/front/lighttpd.ts";
import { startNginx } from "../../support/front/nginx.ts";
import { type Address, freePorts, Room } from "../../support/front/ports.ts";

/** The servers, by the names that docs use. */
export type ServerName = "nginx" | "apache" | "lighttpd" | "haproxy";

/** One way. */
export interface Way {
  readonly server: ServerName;
  readonly protocol: GatewayProtocol;
  readonly transport: "unix" | "tcp";
  /** Does the server pass a body on while it comes? nginx alone can do either. */
  readonly unbuffered: boolean;
  /** AJP without a secret and with bodies of no inner length, as lighttpd speaks it. */
  readonly raw: boolean;
}

const way = (
  server: ServerName,
  protocol: GatewayProtocol,
  transport: Way["transport"],
  unbuffered = false,
): Way => ({
  server,
  protocol,
  transport,
  unbuffered,
  raw: server === "lighttpd" && protocol === "ajp",
});

/** All of them. lighttpd cannot send AJP's secret, without which the gateway serves no AJP over TCP. */
export const WAYS: readonly Way[] = (["unix", "tcp"] as const).flatMap((transport) => [
  way("nginx", "fastcgi", transport),
  way("nginx", "fastcgi", transport, true),
  way("nginx", "scgi", transport),
  way("apache", "fastcgi", transport),
  way("apache", "scgi", transport),
  way("apache", "ajp", transport),
  way("lighttpd", "fastcgi", transport),
  way("lighttpd", "scgi", transport),
  ...(transport === "unix" ? [way("lighttpd", "ajp", transport)] : []),
  way("haproxy", "fastcgi", transport),
]);

/** A way's name in names of tests. */
export function nameOf({ server, protocol, transport, unbuffered }: Way): string {
  return `${server} ${protocol} ${transport}${unbuffered ? " unbuffered" : ""}`;
}

/** Why a way cannot be tested here, or undefined when it can. */
export function wayObstacle({ server }: Way): string | undefined {
  return serverObstacle(server === "apache" ? apacheName() : server);
}

/** The largest body that the gateways here take. */
export const BODY_BYTES = 65_536;

/** The front servers of one test file. */
export class Fronts {
  readonly room: Room;
  readonly #ports: readonly number[];
  readonly #gatewayPorts: ReadonlyMap<string, number>;
  readonly servers: FrontServer[] = [];

  private constructor(name: string, ports: readonly number[]) {
    this.room = new Room(name);
    this.#ports = ports;
    const protocols = ["fastcgi", "scgi", "ajp"];
    this.#gatewayPorts = new Map(
      protocols.map((protocol, i) => [protocol, ports[WAYS.length + i]!]),
    );
  }

  /** Starts those that are installed. */
  static async start(name: string): Promise<Fronts> {
    const fronts = new Fronts(name, await freePorts(WAYS.length + 3));
    const { room } = fronts;
    const of = (server: ServerName): Way[] =>
      WAYS.filter((one) => one.server === server && wayObstacle(one) === undefined);
    const nginx = of("nginx").map((one) => fronts.#nginxSite(one));
    const apache = of("apache").map((one, index) => fronts.#apacheSite(one, index));
    const lighttpd = of("lighttpd").map((one) => fronts.#lighttpdSite(one));
    const haproxy = of("haproxy").map((one) => ({
      port: fronts.portOf(one),
      address: fronts.addressOf(one),
      application: ["option keep-conn"],
      backend: ["http-reuse always", "retries 0"],
    }));
    if (nginx.length > 0) fronts.servers.push(await startNginx(room, nginx));
    if (apache.length > 0) fronts.servers.push(await startApache(room, apache));
    if (lighttpd.length > 0) fronts.servers.push(await startLighttpd(room, lighttpd));
    if (haproxy.length > 0) fronts.servers.push(await startHaproxy(room, haproxy));
    return fronts;
  }

  /** Where a way is asked. */
  portOf(one: Way): number {
    return this.#ports[WAYS.indexOf(one)]!;
  }

  /** Where its gateway listens. */
  addressOf({ protocol, transport, raw }: Way): Address {
    if (transport === "tcp") return { host: "127.0.0.1", port: this.#gatewayPorts.get(protocol)! };
    return { socket: this.room.file(`${raw ? "raw" : protocol}.sock`) };
  }

  /** Starts one gateway for each address, all of one configuration. */
  async gateways(configuration: Configuration): Promise<Gateway[]> {
    const places = new Map(WAYS.map((one) => [JSON.stringify(this.addressOf(one)), one]));
    const state = this.room.path;
    const application = join(import.meta.dirname, "app.mjs");
    return await Promise.all(
      [...places.values()].map((one) =>
        Gateway.start({
          protocol: one.protocol,
          address: this.addressOf(one),
          configuration,
          state,
          application,
          secret: !one.raw,
          words: [
            "--limits.body-bytes",
            String(BODY_BYTES),
            ...(one.raw ? ["--ajp.raw-body"] : []),
          ],
        }),
      ),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    this.room.remove();
  }

  #nginxSite(one: Way): Parameters<typeof startNginx>[1][number] {
    const protocol = one.protocol === "scgi" ? "scgi" : "fastcgi";
    const kept = protocol === "fastcgi";
    return {
      port: this.portOf(one),
      protocol,
      address: this.addressOf(one),
      directives: [
        ...(one.unbuffered ? [`${protocol}_request_buffering off`] : []),
        ...(kept ? ["fastcgi_keep_conn on"] : []),
      ],
      ...(kept ? { keepalive: 4 } : {}),
    };
  }

  #apacheSite(one: Way, index: number): Parameters<typeof startApache>[1][number] {
    const scheme = one.protocol === "fastcgi" ? "fcgi" : one.protocol;
    const target = apacheTarget(scheme, this.addressOf(one), `way${index}`);
    const more =
      scheme === "ajp" ? `secret=${AJP_SECRET}` : scheme === "fcgi" ? "enablereuse=on" : "";
    return {
      port: this.portOf(one),
      directives: [`ProxyPass / "${target}" retry=0 ${more}`],
    };
  }

  #lighttpdSite(one: Way): Parameters<typeof startLighttpd>[1][number] {
    const target = lighttpdTarget(this.addressOf(one));
    const lines =
      one.protocol === "ajp"
        ? [`ajp13.server = ( "" => (( ${target} )) )`]
        : [
            `${one.protocol}.server = ( "/" => (( ${target}, "check-local" => "disable", "fix-root-scriptname" => "enable" )) )`,
          ];
    return { port: this.portOf(one), lines };
  }
}
