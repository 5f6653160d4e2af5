/**
 * Koa: the application as it is; postern asks it for its callback.
 *
 *   postern koa.mjs --protocol scgi --socket /run/app/app.sock
 */
import Koa from "koa";

const app = new Koa();
app.use((context) => {
  context.body = `Hello from Koa over ${context.req.gateway?.protocol}\n`;
});

export default app;
