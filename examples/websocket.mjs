/**
 * WebSockets by the package ws, on a server that never listens itself: postern hands it requests and upgrades.
 *
 *   postern websocket.mjs --protocol auto --socket /run/app/app.sock
 */
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const server = createServer((_req, res) => res.end("Connect to /ws\n"));
const sockets = new WebSocketServer({ server, path: "/ws" });
sockets.on("connection", (socket) => {
  socket.on("message", (data) => socket.send(`echo: ${data}`));
  socket.on("error", () => socket.terminate());
});

export default server;
