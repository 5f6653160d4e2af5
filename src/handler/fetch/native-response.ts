/**
 * Node's own Response, whoever has put another in its place since this module was loaded.
 * Node loads what is behind the name when it is first asked for, which takes 20 ms of a start: servers without a fetch
 * handler never ask.
 */

const first = Object.getOwnPropertyDescriptor(globalThis, "Response");
let native = first?.get === undefined ? (first?.value as typeof Response | undefined) : undefined;

/** Node's own, before anybody wraps it. */
export function nativeResponse(): typeof Response {
  if (native !== undefined) return native;
  const present = Object.getOwnPropertyDescriptor(globalThis, "Response");
  native = first!.get!.call(globalThis) as typeof Response;
  // Node's getter puts the class itself in its own place, and so over anything that has been put there.
  if (present?.get === undefined) Object.defineProperty(globalThis, "Response", present!);
  return native;
}
