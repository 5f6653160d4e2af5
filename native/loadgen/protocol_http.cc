// HTTP/1.1: a request head and a body of known length; responses by Content-Length, in chunks, or
// up to the close. No pipelining, no trailers, no interim responses. RFC 9112 §6.3 (length of the
// body), §7.1 (chunks).
#include <cstdlib>

#include "byte_message.h"
#include "protocol.h"
#include "request_fields.h"
#include "response_head.h"

namespace postern::loadgen {
namespace {

enum class Part { kHead, kCounted, kChunkSize, kChunk, kChunkEnd, kUntilClose };

class HttpReader : public ResponseReader {
 public:
  explicit HttpReader(bool keeps) : keeps_(keeps) {}

  void Begin(uint32_t) override {
    head_.Clear();
    part_ = Part::kHead;
    active_ = true;
  }

  size_t Read(const char* data, size_t length, ResponseEvents& events) override {
    size_t at = 0;
    while (at < length) {
      if (!active_) {
        events.OnBroken("bytes behind the end of the response");
        return at;
      }
      const size_t used = Step(data + at, length - at, events);
      if (used == 0) return at;
      at += used;
    }
    return at;
  }

  bool Finish(ResponseEvents& events) override {
    if (!active_ || part_ != Part::kUntilClose) return false;
    End(events);
    return true;
  }

 private:
  // Reads some of one part; 0: broken, or more bytes are needed.
  size_t Step(const char* data, size_t length, ResponseEvents& events);
  size_t StepHead(const char* data, size_t length, ResponseEvents& events);
  size_t StepChunkLine(const char* data, size_t length, ResponseEvents& events);
  void End(ResponseEvents& events) {
    active_ = false;
    const bool keeps = keeps_ && !head_.closes() && part_ != Part::kUntilClose;
    events.OnEnd(1, head_.status(), head_.content_length(), keeps);
  }

  const bool keeps_;
  ResponseHead head_{ResponseHead::Kind::kHttp};
  Part part_ = Part::kHead;
  uint64_t left_ = 0;
  bool last_chunk_ = false;
  bool active_ = false;
};

size_t HttpReader::StepHead(const char* data, size_t length, ResponseEvents& events) {
  const size_t used = head_.Take(data, length);
  if (head_.is_wrong()) {
    events.OnBroken("a response head that is none");
    return 0;
  }
  if (!head_.is_whole()) return used;
  if (head_.is_chunked()) {
    part_ = Part::kChunkSize;
  } else if (head_.content_length() >= 0) {
    left_ = static_cast<uint64_t>(head_.content_length());
    part_ = Part::kCounted;
    if (left_ == 0) End(events);
  } else {
    part_ = Part::kUntilClose;
  }
  return used;
}

// A size in front of a chunk, or the empty line behind one; behind the last chunk, the end.
size_t HttpReader::StepChunkLine(const char* data, size_t length, ResponseEvents& events) {
  const std::string_view text(data, length);
  const size_t end = text.find("\r\n");
  if (end == std::string_view::npos) return 0;
  if (part_ == Part::kChunkEnd) {
    if (end != 0) {
      events.OnBroken("a chunk that is longer than its size");
      return 0;
    }
    part_ = Part::kChunkSize;
    if (last_chunk_) End(events);
    return 2;
  }
  char* stop = nullptr;
  const std::string line(text.substr(0, end));
  left_ = std::strtoull(line.c_str(), &stop, 16);
  if (stop == line.c_str()) {
    events.OnBroken("a chunk size that is no number");
    return 0;
  }
  last_chunk_ = left_ == 0;
  part_ = last_chunk_ ? Part::kChunkEnd : Part::kChunk;
  return end + 2;
}

size_t HttpReader::Step(const char* data, size_t length, ResponseEvents& events) {
  if (part_ == Part::kHead) return StepHead(data, length, events);
  if (part_ == Part::kChunkSize || part_ == Part::kChunkEnd) {
    return StepChunkLine(data, length, events);
  }
  if (part_ == Part::kUntilClose) {
    events.OnBody(1, data, length);
    return length;
  }
  const auto used = static_cast<size_t>(std::min<uint64_t>(left_, length));
  events.OnBody(1, data, used);
  left_ -= used;
  if (left_ == 0 && part_ == Part::kCounted)
    End(events);
  else if (left_ == 0)
    part_ = Part::kChunkEnd;
  return used;
}

class Http : public Protocol {
 public:
  explicit Http(const Options& options) : keeps_(options.keep_alive) {
    std::string head = std::string(MethodOf(options)) + " " + options.path + " HTTP/1.1\r\n";
    for (const auto& [name, value] : RequestHeaders(options)) {
      const bool is_connection = name == "Connection";
      head += name + ": " + (is_connection && !keeps_ ? "close" : value) + "\r\n";
    }
    request_ = store_.PlainBody(head + "\r\n", options.body_bytes, Filler);
  }
  const Message& RequestOf(uint32_t) const override { return request_; }
  std::unique_ptr<ResponseReader> CreateReader() override {
    return std::make_unique<HttpReader>(keeps_);
  }

 private:
  const bool keeps_;
  ByteStore store_;
  Message request_;
};

}  // namespace

std::unique_ptr<Protocol> CreateHttp(const Options& options) {
  return std::make_unique<Http>(options);
}

}  // namespace postern::loadgen
