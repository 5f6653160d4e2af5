/**
 * The detail of a BEGIN row → the role that the front server asks for. FastCGI §6.1; elsewhere there is one role.
 */
import type { RoleName } from "../http/head.ts";

/** By FastCGI's numbers. */
const ROLES: readonly (RoleName | undefined)[] = [undefined, "responder", "authorizer", "filter"];

/** The role in the lowest byte of a BEGIN row's detail; an unknown one was refused by then. */
export function roleOf(detail: number): RoleName {
  return ROLES[detail & 255] ?? "responder";
}
