// SCGI: a netstring of headers and a body; a CGI response that ends where the server closes.
// Content-Length, where there is one, must say the same. SCGI protocol document; response as RFC
// 3875 §6.
#include "byte_message.h"
#include "protocol.h"
#include "request_fields.h"
#include "response_head.h"

namespace postern::loadgen {
namespace {

class ScgiReader : public ResponseReader {
 public:
  void Begin(uint32_t) override { head_.Clear(); }

  size_t Read(const char* data, size_t length, ResponseEvents& events) override {
    size_t at = 0;
    if (!head_.is_whole()) at = head_.Take(data, length);
    if (head_.is_wrong())
      events.OnBroken("a response head that is none");
    else if (at < length)
      events.OnBody(1, data + at, length - at);
    return length;
  }

  bool Finish(ResponseEvents& events) override {
    if (!head_.is_whole()) return false;
    events.OnEnd(1, head_.status(), head_.content_length(), false);
    return true;
  }

 private:
  ResponseHead head_{ResponseHead::Kind::kCgi};
};

class Scgi : public Protocol {
 public:
  explicit Scgi(const Options& options) {
    std::string headers;
    for (const auto& [name, value] : CgiVariables(options)) {
      headers += name + '\0' + value + '\0';
    }
    request_ = store_.PlainBody(std::to_string(headers.size()) + ":" + headers + ",",
                                options.body_bytes, Filler);
  }
  const Message& RequestOf(uint32_t) const override { return request_; }
  std::unique_ptr<ResponseReader> CreateReader() override { return std::make_unique<ScgiReader>(); }

 private:
  ByteStore store_;
  Message request_;
};

}  // namespace

std::unique_ptr<Protocol> CreateScgi(const Options& options) {
  return std::make_unique<Scgi>(options);
}

}  // namespace postern::loadgen
