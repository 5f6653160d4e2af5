/**
 * NestJS: what `NestFactory.create` gives, not listening. Decorators stand as calls here, so that nothing has to be compiled.
 *
 *   postern nest.mjs --socket /run/app/app.sock
 */
import "reflect-metadata";
import { Controller, Get, Module, Req } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";

class HelloController {
  hello(req) {
    return `Hello from NestJS over ${req.gateway?.protocol}\n`;
  }
}
const hello = Object.getOwnPropertyDescriptor(HelloController.prototype, "hello");
Get()(HelloController.prototype, "hello", hello);
Req()(HelloController.prototype, "hello", 0);
Controller()(HelloController);

class AppModule {}
Module({ controllers: [HelloController] })(AppModule);

export default NestFactory.create(AppModule, { logger: ["error", "warn"] });
