/**
 * A command that asks for workers → a process that holds the address, and workers that serve it.
 *
 * It never loads the application and never accepts a connection. When and how many is workers/pool.ts's; this file puts
 * address, workers and operations together, also where it takes another primary's place.
 */
import type { SocketHandle } from "../connection/passed-socket.ts";
import { type HeldListener, holdListener, inheritListener } from "../server/held-listener.ts";
import { ERR_NOT_LISTENING } from "../server/listen-failure.ts";
import type { ResolvedOptions } from "../server/settings.ts";
import { whileInUse } from "../serve/address-retry.ts";
import { normalizeOptions } from "../serve/options.ts";
import { openStatus } from "../serve/status-endpoint.ts";
import { readVersion } from "../serve/version.ts";
import { ControlServer } from "../workers/control-server.ts";
import { adoptParcel } from "../workers/heir.ts";
import { OwnPidfile } from "../workers/pidfile.ts";
import { PoolStatus } from "../workers/pool-status.ts";
import { meetPredecessor, type Predecessor } from "../workers/predecessor.ts";
import type { Failure } from "../workers/reload-queue.ts";
import { datagrams, Service } from "../workers/service.ts";
import type { StartFacts } from "../workers/start-place.ts";
import { CONTROL_FD, LISTENER_FD } from "../workers/upgrade-messages.ts";
import type { Parcel } from "../workers/worker.ts";
import type { ServeCommand } from "./arguments.ts";
import { controlPlace, openControl } from "./control-place.ts";
import { Estate } from "./estate.ts";
import { graceOf } from "./grace.ts";
import { Operations } from "./operations.ts";
import { output, withStatus } from "./output.ts";
import { obeySignals, watchFiles } from "./primary-signals.ts";
import { disarmDebugger } from "./signals.ts";
import { isSpawned, say } from "./start.ts";
import type { WorkerMethod } from "./worker-launch.ts";
import { READY_MS, type Workforce, workforceOf } from "./workforce.ts";

/** Exit status of what another setting would mend. */
const STATUS_USAGE = 2;

/** A primary that is about to serve. */
interface Primary {
  readonly command: ServeCommand;
  readonly resolved: ResolvedOptions;
  readonly estate: Estate;
  readonly workforce: Workforce;
  readonly operations: Operations;
  /** Whose place it takes; undefined: nobody's. */
  readonly predecessor: Predecessor | undefined;
}

function estateOf(
  held: HeldListener,
  isOurs: boolean,
  { processes: { pidfile } }: ServeCommand,
  { status }: ResolvedOptions,
  workforce: () => Workforce,
): Estate {
  const open = (text: string): (() => ReturnType<typeof openStatus>) => {
    let source: PoolStatus | undefined;
    return () => {
      const { pool, method } = workforce();
      source ??= new PoolStatus(pool, {
        version: readVersion(),
        method: nameOf(method),
        address: held.text,
        fd: held.fd,
      });
      return openStatus(text, source.read.bind(source));
    };
  };
  const openIt = status === undefined ? undefined : open(status);
  return new Estate(held, isOurs, new OwnPidfile(pidfile), openIt);
}

const nameOf = ({ isThreaded }: WorkerMethod): string => (isThreaded ? "threaded" : "prefork");

function operationsOf(
  estate: Estate,
  { pool, steering, method }: Workforce,
  predecessor: Predecessor | undefined,
  start: StartFacts,
): Operations {
  return new Operations({
    pool,
    steering,
    estate,
    service: new Service(process.env, datagrams, predecessor !== undefined),
    start,
    method: nameOf(method),
    readyMs: READY_MS,
    before: predecessor?.legacy ?? { reloads: 0, upgrades: 0, fixed: 0 },
    say,
    reopen(): void {
      output.reopen();
      for (const { channel } of pool.workers.values()) channel.send({ kind: "reopen" });
    },
    end: (status) => void output.end(status),
  });
}

/** Workers could not begin: says why, and ends the process. */
async function giveUp(
  { sentence, code, detail, status }: Failure,
  { held }: Estate,
  predecessor: Predecessor | undefined,
): Promise<never> {
  const said = code === ERR_NOT_LISTENING ? held.refused().message : sentence;
  if (predecessor !== undefined && process.connected) {
    // The old primary says it.
    await predecessor.fail({ sentence: said, detail });
    return output.end(status);
  }
  held.close();
  say(said);
  if (detail !== "") output.print(detail);
  return output.end(status);
}

/** A connection of the predecessor's, as the channels of these workers send it. */
function parcelOf(handle: SocketHandle, { isThreaded }: WorkerMethod): Parcel {
  return { passed: isThreaded ? { fd: handle.fd } : { handle }, close: () => handle.close() };
}

/** Takes what the predecessor has given up; nothing of it is removed while that could still go on. */
async function inherit(
  { legacy }: Predecessor,
  operations: Operations,
  estate: Estate,
): Promise<void> {
  estate.claim();
  await estate.show();
  if (legacy.control === undefined || operations.isStopping) return;
  const handle = { ...legacy.control, fd: CONTROL_FD };
  operations.control = await ControlServer.adopt(handle, operations);
}

/** Waits until everything is ours, and takes it. */
async function takeOver(primary: Primary, predecessor: Predecessor): Promise<void> {
  const { operations, estate, workforce } = primary;
  const { pool, method } = workforce;
  predecessor.receive((handle) => adoptParcel(parcelOf(handle, method), pool.handover));
  const { again } = await predecessor.succeed();
  try {
    await inherit(predecessor, operations, estate);
  } catch (error) {
    const { message } = error as Error;
    if (process.connected) {
      pool.kill();
      await predecessor.fail({ sentence: message, detail: "" });
      return output.end(STATUS_USAGE);
    }
    // Nobody else would serve.
    say(message);
  }
  if (operations.isStopping) {
    // The old one goes on, if it is there.
    operations.control?.abandon();
    operations.control = undefined;
    return;
  }
  estate.isOurs = true;
  predecessor.taken();
  if (again) operations.upgrade("SIGUSR2 again").catch(() => undefined);
}

/** Takes what an operator asks for by; leaves where that cannot be had. */
async function openDoors({
  command: { processes },
  resolved,
  operations,
  estate,
  workforce,
}: Primary): Promise<void> {
  try {
    const place = controlPlace(processes.control, resolved.listen, processes.pidfile);
    operations.control = await openControl(place, operations, say);
    estate.claim();
  } catch (error) {
    estate.held.close();
    workforce.pool.kill();
    throw error;
  }
}

/** Starts the workers, and tells everybody. */
async function begin(primary: Primary): Promise<void> {
  const { operations, estate, workforce, predecessor } = primary;
  const { pool, steering } = workforce;
  try {
    await pool.start();
  } catch (failure) {
    // A stop that came meanwhile has its own end.
    if (operations.isStopping) return;
    await giveUp(failure as Failure, estate, predecessor);
  }
  watchFiles(operations, primary.command, isSpawned(primary.resolved.listen));
  const line = workforce.line();
  await steering.start();
  if (operations.isStopping) return steering.stop();
  if (predecessor === undefined) await openDoors(primary);
  else await takeOver(primary, predecessor);
  if (!operations.serving()) return;
  output.ready(withStatus(line, estate.shownAt));
}

/**
 * Serves by workers, until a signal.
 *
 * @param start how this process was started
 * @throws UsageError when the address cannot be had
 * @returns once it serves, or when it is about to end
 */
export async function startPrimary(command: ServeCommand, start: StartFacts): Promise<void> {
  disarmDebugger();
  const resolved = normalizeOptions(command.options, process.env);
  const predecessor = meetPredecessor();
  const isFirst = predecessor === undefined;
  const held = isFirst
    ? await whileInUse(() => holdListener(resolved, process.env))
    : inheritListener(LISTENER_FD, predecessor.legacy.listener);
  const spawned = isSpawned(resolved.listen);
  const grace = graceOf(resolved.timeouts, spawned);
  const estate = estateOf(held, isFirst, command, resolved, () => workforce);
  const fixed = predecessor?.legacy.fixed ?? 0;
  const workforce: Workforce = workforceOf(
    command,
    { held, grace, spawned, fixed },
    {
      ready: () => held.place(),
      gaveUp(sentence): void {
        say(sentence);
        void estate.release();
        void output.end(1);
      },
    },
  );
  const operations = operationsOf(estate, workforce, predecessor, start);
  obeySignals(operations, spawned);
  // A predecessor's status is its own until it gives that up.
  if (isFirst) await estate.show();
  await begin({ command, resolved, estate, workforce, operations, predecessor });
}
