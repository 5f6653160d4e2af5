/**
 * postern → an executable script that a front server starts by itself, with the socket on descriptor 0.
 *
 * The server runs it as an ordinary user. What that user could not read where it lies (a checkout in a private
 * folder) is copied to the test's own folder first. Starts nothing.
 */
import { chmodSync, copyFileSync, cpSync, existsSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { isRoot } from "./child.ts";
import { applicationPath, commandPath, projectRoot } from "./gateway.ts";
import { type Room, reachable } from "./ports.ts";

/** What a copy of the project needs to run: program, addon, application. */
const PARTS = [
  "package.json",
  "dist",
  "build/Release",
  "prebuilds",
  "test/conformance/app.mjs",
  "test/support/front/payload.mjs",
];

/** The project's folder, or a copy of it that every user can read. */
function readableProject(room: Room): string {
  if (!isRoot || (reachable(commandPath()) && reachable(applicationPath))) return projectRoot;
  const copy = room.file("project");
  for (const part of PARTS) {
    const from = join(projectRoot, part);
    if (existsSync(from) && !existsSync(join(copy, part))) {
      cpSync(from, join(copy, part), { recursive: true });
    }
  }
  return copy;
}

/** This Node, or a copy of it that every user can run. */
function readableNode(room: Room): string {
  if (!isRoot || reachable(process.execPath)) return process.execPath;
  const copy = room.file("node");
  if (!existsSync(copy)) copyFileSync(process.execPath, copy);
  chmodSync(copy, 0o755);
  return copy;
}

/**
 * Writes a script that becomes postern.
 *
 * @param folder where it lies; the room itself unless given
 * @returns its path
 */
export function startScript(
  room: Room,
  name: string,
  environment: Readonly<Record<string, string>>,
  folder: string = room.path,
): string {
  const project = readableProject(room);
  const command = join(project, relative(projectRoot, commandPath()));
  const application = join(project, relative(projectRoot, applicationPath));
  const variables = Object.entries(environment).map(([key, value]) => `${key}='${value}'`);
  const path = join(folder, name);
  const text = `#!/bin/sh
exec /usr/bin/env ${variables.join(" ")} '${readableNode(room)}' '${command}' '${application}' --protocol fastcgi
`;
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}
