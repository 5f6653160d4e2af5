/**
 * Classes of mistakes that gateways and servers of these protocols had, by id: what each demands of postern, in a line.
 * The tests that prove a demand carry its id in their names; test/support/reliability-page.ts makes docs/reliability.md
 * of both.
 */

/** Id and demand, in the order of the document. */
export type Demand = readonly [id: string, demand: string];

/** A part of the document. */
export interface DemandGroup {
  readonly title: string;
  readonly demands: readonly Demand[];
}

/** Classes of mistakes. */
// biome-ignore format: a table is read by its columns.
export const CLASSES: readonly DemandGroup[] = [
  {
    title: "F: records and params of FastCGI",
    demands: [
      ["F-1", "lengths of names and values up to 2^32 are compared with what may come, never added up or allocated"],
      ["F-2", "a PATH_INFO that contradicts its neighbours moves no boundary and rewrites no variable"],
      ["F-3", "after content and padding of any length the next record begins where they end"],
      ["F-4", "no record of ours exceeds 65,535 bytes, and a client's body never begins a request"],
      ["F-5", "id 0 for a request's record ends the connection, another id for a management record is ignored"],
      ["F-6", "GET_VALUES that lies about lengths or asks for anything gets the three known values at most"],
      ["F-7", "reserved bytes and padding of ours are 0, and the same answer is the same bytes"],
      ["F-8", "names and values of 8,190 to 65,535 bytes arrive whole, cut over any number of records"],
      ["F-9", "headers, padding, ends and empty records may be cut between reads anywhere"],
      ["F-10", "more than 1,024 descriptors do no harm, and native code has no select"],
      ["F-11", "the corners: GET_VALUES beside requests, empty PARAMS, STDIN or an abort before the end of PARAMS"],
      ["F-12", "a pair that reaches past the end of PARAMS is a 400, and no handler sees it"],
      ["F-13", "an answer before the end of STDIN has come does not reset the connection"],
    ],
  },
  {
    title: "S: SCGI",
    demands: [
      ["S-1", "an answer begins with Status, and nothing of one request is left for another"],
      ["S-2", "a length that is not plain digits, or too large, is refused before it is waited for"],
      ["S-3", "a head that is no list of pairs, or has no sound CONTENT_LENGTH, is a 400"],
      ["S-4", "bytes behind the body are never a request"],
      ["S-5", "a half-close after the request is no abort"],
      ["S-6", "a body that ends early is an error, never a short body"],
      ["S-7", "a port that other machines reach does not open unasked"],
    ],
  },
  {
    title: "A: AJP",
    demands: [
      ["A-1", "request attributes that are not allowed are a 403, and the option that allows them works"],
      ["A-2", "the secret is compared in constant time"],
      ["A-3", "AJP on TCP does not start without a secret of some length"],
      ["A-4", "a body packet that is not due is never parsed; Transfer-Encoding is chunked alone or a 400"],
      ["A-5", "a body that nobody read never becomes another request's"],
      ["A-6", "every refusal is a whole answer, so that a balancer keeps the worker"],
      ["A-7", "a refusal is one head and one end without reuse, then the connection closes"],
      ["A-8", "paths of requests under way at the same time are never mixed"],
      ["A-9", "every string, number and packet length is checked against the end of its packet"],
      ["A-10", "no wait without a way out: empty bodies, chunked bodies, bodies that never come"],
      ["A-11", "a wrong length or method is a 400, whatever its digits"],
      ["A-12", "every limit holds for every protocol"],
      ["A-13", "a response head that is empty, has a field that cannot be sent, or fits no packet"],
      ["A-14", "a body packet whose inner length does not fit is a 400, unless ajp.rawBody says otherwise"],
      ["A-15", "no packet stops the server; CPING is answered at full load and not while draining"],
      ["A-16", "no file or memory of ours is open to everybody"],
    ],
  },
  {
    title: "D: one request's data in another",
    demands: [
      ["D-1", "input that still comes for an answered request reaches nobody"],
      ["D-2", "a request sees nothing of the one before it on the connection"],
      ["D-3", "ids stay apart, up to 65,535 and over 70,000 requests of a connection"],
      ["D-4", "CONTENT_LENGTH is plain digits; no byte beyond it is delivered, and fewer are an error"],
      ["D-5", "headers about the front server's own connection and copies of the length never arrive"],
      ["D-6", "after an error the connection is not used again"],
      ["D-7", "trailers never become headers"],
    ],
  },
  {
    title: "H: params, headers, trust",
    demands: [
      ["H-1", "Proxy is dropped, as header and as variable"],
      ["H-2", "names of members that every object has are only names"],
      ["H-3", "names that could pass for others are dropped, repetitions joined as HTTP joins, two hosts a 400"],
      ["H-4", "what the front server says is never read from a header"],
      ["H-5", "a variable that comes twice with different values is a 400"],
      ["H-6", "nothing of a peer chooses code, files or settings, or gets into process.env"],
      ["H-7", "a thousand names that collide cost no more than others"],
      ["H-8", "NUL, CR and LF in a header value are a 400; in a path they stay data"],
      ["H-9", "cookies are joined with a semicolon, however they came"],
      ["H-10", "names are changed in case and underscores, and in nothing else"],
      ["H-11", "a list of peers compares every byte of IPv4, IPv6 and mapped addresses"],
    ],
  },
  {
    title: "R: responses",
    demands: [
      ["R-1", "values that would break a head are refused as node refuses them"],
      ["R-2", "a handler's Status, Script-Control or Variable- changes nothing"],
      ["R-3", "the status is always written, also beside Location"],
      ["R-4", "headers that make a front server serve a file are documented, and set by postern only where asked"],
      ["R-5", "fields about the connection are never sent"],
      ["R-6", "never more bytes than Content-Length, and fewer are a visible failure; none for HEAD, 204, 304"],
      ["R-7", "a Content-Type that the handler did not set is not guessed"],
      ["R-8", "a head too large for the front server or its packet is an error, not half a head"],
      ["R-9", "1xx answers are never sent"],
    ],
  },
  {
    title: "X: exhaustion",
    demands: [
      ["X-1", "65,535 begun requests on one connection cost next to nothing"],
      ["X-2", "a declared length allocates nothing, and one over the limit is a 413 at once"],
      ["X-3", "endless params end at a limit of bytes or records"],
      ["X-4", "only loopback without permission"],
      ["X-5", "strangers are closed before a byte of theirs is read"],
      ["X-6", "peers that dawdle end by a timeout, and delay nobody else"],
      ["X-7", "a peer that reads slowly makes the handler wait, and ends by a timeout"],
      ["X-8", "error text is bounded, escaped where it is logged, and in small records"],
      ["X-9", "a client that leaves at any point frees everything"],
      ["X-10", "a flood of management records is answered a hundred times"],
      ["X-11", "without free descriptors the process lives, and serves again"],
      ["X-12", "nothing is decompressed and no multipart body is parsed"],
      ["X-13", "empty writes, records and flushes never loop"],
    ],
  },
  {
    title: "O: processes, sockets, files, logs",
    demands: [
      ["O-1", "a socket file is never open wider than its mode, at no moment and no name"],
      ["O-2", "only a dead socket of ours is ever removed"],
      ["O-3", "a second instance does not take the address of a living one"],
      ["O-4", "abstract sockets, which have no permissions, are refused"],
      ["O-5", "a pid file names our process, in a place where nobody else writes"],
      ["O-6", "workers that end at once are started again slower and slower, then given up"],
      ["O-7", "what a worker says is checked before it is believed"],
      ["O-8", "no line of a worker can pass for somebody else's"],
      ["O-9", "a status page shows hostile values as text, on a socket of its own"],
      ["O-10", "a log that cannot be written costs lines and no requests"],
      ["O-11", "log files are 0640, and never opened through a symlink"],
      ["O-12", "children of the application inherit no descriptor"],
      ["O-13", "descriptor 0 and LISTEN_FDS are served only where they are sockets of ours"],
    ],
  },
  {
    title: "N: the addon",
    demands: [
      ["N-1", "no pointer into a caller's memory is kept after the call"],
      ["N-2", "memory that is shared, detached or resizable is refused"],
      ["N-3", "calls from within calls, and callbacks that throw, do no harm"],
      ["N-4", "several environments at once, ended at any moment"],
      ["N-5", "decoders that are dropped give their memory back"],
      ["N-6", "an addon that does not load is replaced by TypeScript, with a sentence"],
      ["N-7", "both engines have their limits from one table"],
    ],
  },
];
