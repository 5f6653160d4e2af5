/** Types of showcase.mjs, for the tests. */
import type { ServerResponse } from "node:http";
import type { GatewayRequest } from "../src/index.ts";

export default function showcase(req: GatewayRequest, res: ServerResponse): Promise<void>;
