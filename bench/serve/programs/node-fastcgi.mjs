/**
 * The same handler on the npm package node-fastcgi.
 */
import { createServer } from "node-fastcgi";
import { listening, makeApplication, wanted } from "./handlers.mjs";

const { application } = await makeApplication(wanted.handler);
const { socket, host, port } = wanted.address;
const server = createServer(application);
if (socket) server.listen(socket, () => listening("node-fastcgi"));
else server.listen(port, host, () => listening("node-fastcgi"));
