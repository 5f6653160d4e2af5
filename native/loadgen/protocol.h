// What a protocol has to know: the bytes of the one request, and how to read the responses to it.
// A protocol opens no socket and keeps no time; a connection has one reader and hands it whatever
// arrived.
#ifndef POSTERN_LOADGEN_PROTOCOL_H_
#define POSTERN_LOADGEN_PROTOCOL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "options.h"

namespace postern::loadgen {

// Bytes that outlive the run, to be sent so many times. Pieces of two requests may alternate on a
// connection.
struct Piece {
  const char* data;
  size_t length;
  uint64_t times;
};
using Message = std::vector<Piece>;

// What a reader finds. A request is known by its id; where the protocol has none, by 1.
class ResponseEvents {
 public:
  virtual ~ResponseEvents() = default;
  // The bytes are gone when this returns.
  virtual void OnBody(uint32_t id, const char* data, size_t length) = 0;
  // content_length: what the head said, or -1. keeps: whether the connection may be used again.
  virtual void OnEnd(uint32_t id, uint32_t status, int64_t content_length, bool keeps) = 0;
  // More of the request is asked for (AJP).
  virtual void OnSend(const Piece& piece) = 0;
  // The answer is none; half a sentence that is a literal. Nothing follows.
  virtual void OnBroken(const char* what) = 0;
};

class ResponseReader {
 public:
  virtual ~ResponseReader() = default;
  // A request goes out under this id.
  virtual void Begin(uint32_t id) = 0;
  // Returns how many bytes were used; the rest is offered again with more behind it.
  virtual size_t Read(const char* data, size_t length, ResponseEvents& events) = 0;
  // The peer has closed. Says OnEnd where that is how a response ends; false where it is not.
  virtual bool Finish(ResponseEvents& events) = 0;
};

class Protocol {
 public:
  virtual ~Protocol() = default;
  // id: 1 to options.ids.
  virtual const Message& RequestOf(uint32_t id) const = 0;
  virtual std::unique_ptr<ResponseReader> CreateReader() = 0;
};

std::unique_ptr<Protocol> CreateHttp(const Options& options);
std::unique_ptr<Protocol> CreateFastcgi(const Options& options);
std::unique_ptr<Protocol> CreateScgi(const Options& options);
std::unique_ptr<Protocol> CreateAjp(const Options& options);

// The protocol that the options name.
std::unique_ptr<Protocol> CreateProtocol(const Options& options);

}  // namespace postern::loadgen

#endif  // POSTERN_LOADGEN_PROTOCOL_H_
