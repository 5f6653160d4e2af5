/**
 * A unix socket between front server and gateway that passes every byte on and counts.
 *
 * It sees connections as the wire has them, whichever engine or transport the gateway uses. Changes nothing and
 * delays nothing but by its own hop.
 */
import { chmodSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";

/** A running relay. */
export class Relay {
  /** Connections accepted so far. */
  connectionCount = 0;
  /** Connections open now. */
  openCount = 0;
  /** Bytes that came from the front server, kept only when asked for. */
  readonly received: Buffer[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: string, keep: boolean, frontLeft?: () => void) {
    this.#server = createServer({ allowHalfOpen: true }, (front) => {
      this.connectionCount += 1;
      this.openCount += 1;
      const gateway = createConnection({ path: target, allowHalfOpen: true });
      if (keep) front.on("data", (chunk: Buffer) => this.received.push(chunk));
      front.once("close", () => {
        this.openCount -= 1;
      });
      if (frontLeft !== undefined) {
        for (const event of ["end", "error"]) {
          front.once(event, () => {
            frontLeft();
            gateway.destroy();
          });
        }
      }
      this.#join(front, gateway);
      this.#join(gateway, front);
    });
  }

  /**
   * Listens at `socket` and passes on to `target`.
   *
   * @param frontLeft hears of every end of the front server's side, which is then the end of the connection, as it is
   *                  with servers that never close one side alone
   */
  static async start(
    socket: string,
    target: string,
    keep = false,
    frontLeft?: () => void,
  ): Promise<Relay> {
    const relay = new Relay(target, keep, frontLeft);
    await new Promise<void>((done, fail) => {
      relay.#server.once("error", fail);
      relay.#server.listen(socket, done);
    });
    chmodSync(socket, 0o666);
    return relay;
  }

  /** Forgets what was counted. */
  reset(): void {
    this.connectionCount = 0;
    this.received.length = 0;
  }

  stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((done) => this.#server.close(() => done()));
  }

  /** Passes bytes, the end and the loss of one side on to the other. */
  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.once("close", () => {
      this.#sockets.delete(from);
      to.destroySoon();
    });
  }
}
