/**
 * Express: the application as it is, exported instead of listening.
 *
 *   postern express.mjs --socket /run/app/app.sock
 */
import express from "express";

const app = express();
app.get("/", (req, res) => res.send(`Hello from Express over ${req.gateway?.protocol}\n`));
app.get("/users/:id", (req, res) => res.json({ id: req.params.id, query: req.query }));

export default app;
