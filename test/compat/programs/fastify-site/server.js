// A Fastify program as its first page shows one: it listens on localhost, by every address that has.
const fastify = require('fastify')({ logger: { level: 'error' } });

fastify.get('/', async (request) => ({ hello: 'world', ip: request.ip, host: request.host }));

fastify.get('/stream', (request, reply) => {
  const { Readable } = require('node:stream');
  reply.type('text/plain').send(Readable.from(['one ', 'two ', 'three']));
});

fastify.post(
  '/sum',
  { schema: { body: { type: 'array', items: { type: 'number' } } } },
  async (request) => ({ sum: request.body.reduce((a, b) => a + b, 0) }),
);

fastify.addHook('onClose', async () => {
  console.log('closed');
});

process.once('SIGTERM', () => {
  fastify.close();
});

fastify.listen({ port: Number(process.env.PORT || 3000) }).then((address) => {
  console.log(`at ${address}`);
});
