/**
 * Hono, by its adapter and as a Web handler, behind postern, compared with the same behind node:http, scenario by scenario.
 * What is asked stands in plans.ts, how it is compared in grid.ts.
 */
import { compat } from "./grid.ts";
import { PLANS } from "./plans.ts";

compat(PLANS.honoNode);
compat(PLANS.honoFetch);
