/**
 * An accepted socket of node:net ↔ its transport: listeners that are the same functions for every socket, and reads
 * whose bytes the kernel puts where they are decoded.
 * The second rests on what `onread` of `net.connect` does, which node offers no accepted socket: only this file knows
 * those private members, and where one is missing "data" is listened for instead.
 */
import type { Socket } from "node:net";

/** What a socket's events are told to. */
export interface SocketOwner {
  received(chunk: Buffer): void;
  receivedInPlace(length: number): void;
  ended(): void;
  drained(): void;
  closed(): void;
}

/** Where a socket has its transport. */
const kOwner: unique symbol = Symbol("postern.owner");

/** A handle of libuv's, as far as it is used. */
interface Handle {
  readonly getpeername?: unknown;
  readonly useUserBuffer?: (view: Uint8Array) => void;
}

interface OwnSocket extends Socket {
  [kOwner]: SocketOwner;
  [symbol: symbol]: unknown;
  _handle?: Handle | null;
}

/** Node's symbols for memory to read into: the memory, whom to call, and who makes more of it. */
interface ReadSymbols {
  readonly kBuffer: symbol;
  readonly kBufferCb: symbol;
  readonly kBufferGen: symbol;
}

/** Of the first socket; null where this Node has them not. */
let readSymbols: ReadSymbols | null | undefined;

function findReadSymbols(socket: Socket): ReadSymbols | null {
  const symbols = Object.getOwnPropertySymbols(socket);
  const find = (name: string): symbol | undefined =>
    symbols.find(({ description }) => description === name);
  const [kBuffer, kBufferCb, kBufferGen] = ["kBuffer", "kBufferCb", "kBufferGen"].map(find);
  if (kBuffer === undefined || kBufferCb === undefined || kBufferGen === undefined) return null;
  return { kBuffer, kBufferCb, kBufferGen };
}

/** Does the socket's peer come by a unix socket? */
export function isUnixSocket(socket: Socket): boolean {
  const { _handle: handle } = socket as OwnSocket;
  // Pipes have no peer name; asking TCP for one is a system call.
  if (handle != null) return handle.getpeername === undefined;
  return socket.remoteAddress === undefined;
}

/**
 * Has `owner` told of what happens to a socket.
 *
 * @param view where the kernel may write what a read brings, to be told by `receivedInPlace`; undefined, and where this
 *   Node or this socket has no such thing: chunks come by `received`
 */
export function own(socket: Socket, owner: SocketOwner, view: Uint8Array | undefined): void {
  const owned = socket as OwnSocket;
  owned[kOwner] = owner;
  if (view === undefined || !readInto(owned, view)) owned.on("data", dataCame);
  owned.on("end", inputEnded);
  owned.on("drain", queueDrained);
  // What broke it is told by "close", which follows.
  owned.on("error", ignore);
  owned.on("close", wasClosed);
}

/** From now on reads go into `view`. Never of sockets that hold bytes already, nor of TLS. */
function readInto(socket: OwnSocket, view: Uint8Array): boolean {
  readSymbols ??= findReadSymbols(socket);
  const handle = socket._handle;
  if (readSymbols === null || typeof handle?.useUserBuffer !== "function") return false;
  if (socket.readableLength > 0 || "encrypted" in socket) return false;
  socket[readSymbols.kBuffer] = view;
  socket[readSymbols.kBufferCb] = bytesCame;
  socket[readSymbols.kBufferGen] = null;
  handle.useUserBuffer(view);
  return true;
}

function bytesCame(this: OwnSocket, length: number): boolean {
  this[kOwner].receivedInPlace(length);
  return true;
}

function dataCame(this: Socket, chunk: Buffer): void {
  (this as OwnSocket)[kOwner].received(chunk);
}

function inputEnded(this: Socket): void {
  (this as OwnSocket)[kOwner].ended();
}

function queueDrained(this: Socket): void {
  (this as OwnSocket)[kOwner].drained();
}

function wasClosed(this: Socket): void {
  (this as OwnSocket)[kOwner].closed();
}

function ignore(): void {}
