/**
 * NestJS with its Express and its Fastify adapter; decorators are called as functions, so that nothing is compiled.
 * Express: the adapter's `initHttpServer` makes our server; Fastify: `serverFactory`.
 */
import "reflect-metadata";
import { createHash } from "node:crypto";
import * as common from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ExpressAdapter, FilesInterceptor } from "@nestjs/platform-express";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { interval, map, take } from "rxjs";
import { mountAll } from "./connect-middleware.mjs";
import { raw } from "./raw-bodies.mjs";

/** Puts decorators on a method as TypeScript does. */
function method(target, name, decorators, parameters = []) {
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name);
  for (const decorate of decorators) decorate(target.prototype, name, descriptor);
  for (const [index, decorate] of parameters.entries()) decorate(target.prototype, name, index);
  Object.defineProperty(target.prototype, name, descriptor);
}

class Guard {
  canActivate(context) {
    return context.switchToHttp().getRequest().headers["x-key"] === "secret";
  }
}

class AppController {
  hello() {
    return "hello";
  }
  user(id, query) {
    return { id, query };
  }
  item(body, id) {
    return [id, body ?? null];
  }
  seen(request) {
    return [request.ip, request.protocol, request.hostname, request.url];
  }
  redirect() {
    return { url: "/users/9", statusCode: 307 };
  }
  made() {
    return { made: true };
  }
  empty() {}
  refused() {
    throw new common.ForbiddenException("not you");
  }
  async rejected() {
    throw new Error("rejected");
  }
  events() {
    return interval(4).pipe(
      take(3),
      map((n) => ({ data: { n }, id: String(n) })),
    );
  }
  file() {
    return new common.StreamableFile(Buffer.from("streamed"), {
      type: "text/x",
      disposition: "inline",
    });
  }
  guarded() {
    return "behind the guard";
  }
}
common.Controller()(AppController);
method(AppController, "hello", [common.Get("hello")]);
method(AppController, "user", [common.Get("users/:id")], [common.Param("id"), common.Query()]);
method(AppController, "item", [common.Put("items/:id")], [common.Body(), common.Param("id")]);
method(AppController, "seen", [common.Get("seen")], [common.Req()]);
method(AppController, "redirect", [common.Get("redirect"), common.Redirect()]);
method(AppController, "made", [
  common.Post("made"),
  common.HttpCode(201),
  common.Header("X-Made", "1"),
]);
method(AppController, "empty", [common.Delete("items/:id"), common.HttpCode(204)]);
method(AppController, "refused", [common.Get("throw")]);
method(AppController, "rejected", [common.Get("reject")]);
method(AppController, "events", [common.Sse("sse")]);
method(AppController, "file", [common.Get("streamed")]);
method(AppController, "guarded", [common.Get("private"), common.UseGuards(Guard)]);

class UploadController {
  upload(files, body) {
    const sha1 = (bytes) => createHash("sha1").update(bytes).digest("hex");
    return {
      fields: { ...body },
      files: files.map((file) => [file.originalname, file.size, sha1(file.buffer)]),
    };
  }
}
common.Controller()(UploadController);
method(
  UploadController,
  "upload",
  [common.Post("nest-upload"), common.UseInterceptors(FilesInterceptor("file"))],
  [common.UploadedFiles(), common.Body()],
);

const moduleOf = (controllers) => {
  class AppModule {}
  common.Module({ controllers })(AppModule);
  return AppModule;
};

const running = (app, server) => ({
  server,
  listen: () => app.listen(0, "127.0.0.1"),
  close: () => app.close(),
});

async function startExpress(createServer, stage) {
  class Adapter extends ExpressAdapter {
    initHttpServer() {
      this.httpServer = createServer(this.getInstance());
    }
  }
  const adapter = new Adapter();
  mountAll(adapter.getInstance(), stage);
  const app = await NestFactory.create(moduleOf([AppController, UploadController]), adapter, {
    logger: false,
  });
  return running(app, app.getHttpServer());
}

async function startFastify(createServer) {
  const adapter = new FastifyAdapter({
    serverFactory: (listener) => createServer(listener),
    forceCloseConnections: true,
  });
  const app = await NestFactory.create(moduleOf([AppController]), adapter, { logger: false });
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook("onRequest", async (request, reply) => {
    if (!request.url.startsWith("/raw/")) return;
    reply.hijack();
    await raw(request.raw, reply.raw);
  });
  return running(app, app.getHttpServer());
}

export const nestExpressApp = {
  open: async (stage) => ({ start: (createServer) => startExpress(createServer, stage) }),
};

export const nestFastifyApp = {
  open: async (stage) => ({ start: (createServer) => startFastify(createServer, stage) }),
};
