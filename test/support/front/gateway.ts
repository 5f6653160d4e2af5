/**
 * A protocol, an address and a configuration → postern itself, as a separate process with the conformance application.
 *
 * Starts the built command line as an operator would and keeps its stderr. Judges nothing but that: what
 * lines are expected is the caller's to say.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { addonPaths, loadAddon } from "../../../src/engine/native.ts";
import { CONFIGURATIONS as ALL, type Configuration, wayOf } from "../engines.ts";
import { Child } from "./child.ts";
import { type Address, whenListening } from "./ports.ts";

export type GatewayProtocol = "fastcgi" | "scgi" | "ajp";

/** Every configuration, or those of the engine that POSTERN_ENGINE asks for, as `npm run test:typescript` does. */
export const CONFIGURATIONS: readonly Configuration[] = ALL.map(({ name }) => name).filter((name) =>
  [wayOf(name).engine, "auto", "", undefined].includes(process.env["POSTERN_ENGINE"]),
);

/** Absolute path of the project. */
export const projectRoot: string = resolve(import.meta.dirname, "../../..");

/** The application of all conformance tests. */
export const applicationPath: string = join(projectRoot, "test/conformance/app.mjs");

/** The secret of every AJP gateway here. */
export const AJP_SECRET = "conformance-secret-0123456789";

/** Whether heavy checks run at their full size. */
export const isFull: boolean = process.env["POSTERN_TEST_FULL"] === "1";

/**
 * Is this the configuration whose halves the others have in full, the addon's decoders and sockets of node:net? It does
 * all that they do, and heavy checks at a smaller size.
 */
export function isMiddle(configuration: Configuration): boolean {
  return configuration === "native" && !isFull;
}

/** A configuration's name in names of files. */
export function fileName(configuration: Configuration): string {
  return configuration.replace(" ", "-");
}

/** Whether what is missing is a failure. */
export const isStrict: boolean = process.env["CI"] === "true" || process.env["CI"] === "1";

/** Path of the built command line. */
export function commandPath(): string {
  const bin = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")).bin.postern;
  const path = join(projectRoot, bin);
  if (!existsSync(path)) throw new Error(`${bin} is not built; run "npm run build" first`);
  return path;
}

/** The line of a gateway that has begun to serve in this configuration. */
export function startLineOf(configuration: Configuration): RegExp {
  const { engine, transport } = wayOf(configuration);
  const way = `engine ${engine} \\(.*\\), transport ${transport} \\(.*\\)`;
  return new RegExp(`^postern \\d+\\.\\d+\\.\\d+: \\S+ on .*, ${way}, pid \\d+`);
}

/** Lines of gateways that are neither a start line, nor the word of one that is stopped, nor expected. */
export function unexpectedLines(
  lines: readonly string[],
  expected: readonly RegExp[],
  configurations: readonly Configuration[] = CONFIGURATIONS,
): string[] {
  const starts = configurations.map(startLineOf);
  const known = [...starts, /^postern: SIGTERM: finishing what runs$/, ...expected];
  return lines.filter((line) => !known.some((one) => one.test(line)));
}

/** What to start. */
export interface GatewayOptions {
  readonly protocol: GatewayProtocol;
  readonly address: Address;
  readonly configuration: Configuration;
  /** Folder where the application writes what its handlers saw. */
  readonly state: string;
  /** AJP: false where the front server cannot send the secret. */
  readonly secret?: boolean;
  /** Path of the application. @default {@link applicationPath} */
  readonly application?: string;
  /** Further words of the command line. */
  readonly words?: readonly string[];
}

/** Environment of a gateway, whoever starts it. */
export function gatewayEnvironment(
  configuration: Configuration,
  state: string,
): Record<string, string> {
  const { engine, transport } = wayOf(configuration);
  return {
    POSTERN_ENGINE: engine,
    POSTERN_TRANSPORT: transport,
    POSTERN_CONFORMANCE_STATE: state,
  };
}

/** A running gateway. */
export class Gateway {
  readonly child: Child;
  readonly options: GatewayOptions;

  private constructor(child: Child, options: GatewayOptions) {
    this.child = child;
    this.options = options;
  }

  /** Starts a gateway; resolves when it accepts. */
  static async start(options: GatewayOptions): Promise<Gateway> {
    const { address } = options;
    const where =
      "socket" in address
        ? ["--socket", address.socket, "--mode", "0666"]
        : ["--host", address.host, "--port", String(address.port)];
    const words = ["--protocol", options.protocol, ...where, ...(options.words ?? [])];
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      ...gatewayEnvironment(options.configuration, options.state),
    };
    // The test runner's own settings are no concern of the program under test.
    delete env["NODE_OPTIONS"];
    delete env["VITEST"];
    if (options.protocol === "ajp" && options.secret !== false) {
      env["POSTERN_AJP_SECRET"] = AJP_SECRET;
    }
    const child = new Child(
      process.execPath,
      [commandPath(), options.application ?? applicationPath, ...words],
      { env },
    );
    try {
      await whenListening(address, () => child.isAlive);
    } catch (error) {
      await child.stop();
      throw new Error(`the gateway did not start: ${child.lines.join(" | ")}`, { cause: error });
    }
    return new Gateway(child, options);
  }

  /** Lines of stderr that nobody expects. */
  unexpectedLines(expected: readonly RegExp[]): string[] {
    return unexpectedLines(this.child.lines, expected, [this.options.configuration]);
  }

  /** The most memory it ever held, in MiB (VmHWM). */
  peakMiB(): number {
    return peakMiB(this.child.pid);
  }

  /** Ends it as an operator would; resolves to the exit status. */
  stop(): Promise<string> {
    return this.child.stop("SIGTERM");
  }
}

/** The most resident memory a process ever held, in MiB. */
export function peakMiB(pid: number): number {
  const found = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (!found) throw new Error(`/proc/${pid}/status says nothing of VmHWM`);
  return Number(found[1]) / 1024;
}

const addon = loadAddon(addonPaths(`${process.platform}-${process.arch}`));

/** Why a configuration cannot be tested here, or undefined when it can. */
export function configurationObstacle(configuration: Configuration): string | undefined {
  const { engine } = wayOf(configuration);
  return engine === "native" && addon.addon === undefined ? addon.reason : undefined;
}
