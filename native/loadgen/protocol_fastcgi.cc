// FastCGI: one message for each id; records → responses, any number of ids at once.
// STDERR is read over. FastCGI specification §3.3 (records), §5 (application record types).
#include "byte_message.h"
#include "protocol.h"
#include "request_fields.h"
#include "response_head.h"

namespace postern::loadgen {
namespace {

constexpr int kBeginRequest = 1;
constexpr int kEndRequest = 3;
constexpr int kParams = 4;
constexpr int kStdin = 5;
constexpr int kStdout = 6;
constexpr int kStderr = 7;
constexpr size_t kHeaderBytes = 8;

std::string Record(int type, uint32_t id, const std::string& content) {
  std::string record = {1, static_cast<char>(type)};
  const size_t padding = (8 - content.size() % 8) % 8;
  AppendU16(record, id);
  AppendU16(record, content.size());
  record += static_cast<char>(padding);
  record += '\0';
  record += content;
  record.append(padding, '\0');
  return record;
}

// §3.4: one byte up to 127, else four with the highest bit set.
void AppendLength(std::string& bytes, size_t length) {
  if (length < 128) {
    bytes += static_cast<char>(length);
    return;
  }
  AppendU16(bytes, 0x8000 | length >> 16);
  AppendU16(bytes, length & 0xffff);
}

struct Stream {
  ResponseHead head{ResponseHead::Kind::kCgi};
  bool active = false;
};

class FastcgiReader : public ResponseReader {
 public:
  FastcgiReader(uint32_t ids, bool keeps) : streams_(ids + 1), keeps_(keeps) {}

  void Begin(uint32_t id) override {
    streams_[id].active = true;
    streams_[id].head.Clear();
  }

  size_t Read(const char* data, size_t length, ResponseEvents& events) override;
  bool Finish(ResponseEvents&) override { return false; }

 private:
  // One piece of STDOUT. False: broken.
  bool TakeStdout(const char* data, size_t length, ResponseEvents& events);
  bool TakeHeader(const uint8_t* bytes, ResponseEvents& events);
  bool TakeEnd(const uint8_t* body, ResponseEvents& events);

  std::vector<Stream> streams_;
  const bool keeps_;
  int type_ = 0;
  uint32_t id_ = 0;
  size_t content_left_ = 0;
  size_t padding_left_ = 0;
  bool inside_ = false;  // Of a record whose header was read.
};

bool FastcgiReader::TakeHeader(const uint8_t* bytes, ResponseEvents& events) {
  type_ = bytes[1];
  id_ = static_cast<uint32_t>(bytes[2] << 8 | bytes[3]);
  content_left_ = static_cast<size_t>(bytes[4] << 8 | bytes[5]);
  padding_left_ = bytes[6];
  inside_ = true;
  const char* wrong = nullptr;
  if (bytes[0] != 1)
    wrong = "a record whose version is not 1";
  else if (type_ != kStdout && type_ != kStderr && type_ != kEndRequest)
    wrong = "a record of a type that nobody expects";
  else if (id_ == 0 || id_ >= streams_.size() || !streams_[id_].active)
    wrong = "a record of an id that has no request";
  else if (type_ == kEndRequest && content_left_ != 8)
    wrong = "an END_REQUEST that is not 8 bytes long";
  if (wrong != nullptr) events.OnBroken(wrong);
  return wrong == nullptr;
}

bool FastcgiReader::TakeStdout(const char* data, size_t length, ResponseEvents& events) {
  ResponseHead& head = streams_[id_].head;
  if (!head.is_whole()) {
    const size_t used = head.Take(data, length);
    if (head.is_wrong()) {
      events.OnBroken("a response head that is none");
      return false;
    }
    data += used;
    length -= used;
  }
  if (length > 0) events.OnBody(id_, data, length);
  return true;
}

bool FastcgiReader::TakeEnd(const uint8_t* body, ResponseEvents& events) {
  Stream& stream = streams_[id_];
  const uint32_t application = static_cast<uint32_t>(body[0] | body[1] | body[2] | body[3]);
  if (body[4] != 0) {
    events.OnBroken("an END_REQUEST that refuses the request");
    return false;
  }
  if (application != 0 || !stream.head.is_whole()) {
    events.OnBroken("an END_REQUEST before the response was whole");
    return false;
  }
  stream.active = false;
  events.OnEnd(id_, stream.head.status(), stream.head.content_length(), keeps_);
  return true;
}

size_t FastcgiReader::Read(const char* data, size_t length, ResponseEvents& events) {
  size_t at = 0;
  for (;;) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(data + at);
    if (!inside_) {
      if (length - at < kHeaderBytes) return at;
      if (!TakeHeader(bytes, events)) return at;
      at += kHeaderBytes;
      bytes += kHeaderBytes;
    }
    if (type_ == kEndRequest && content_left_ > 0) {
      if (length - at < content_left_) return at;
      if (!TakeEnd(bytes, events)) return at;
      at += content_left_;
      content_left_ = 0;
    }
    const size_t content = std::min(content_left_, length - at);
    if (type_ == kStdout && content > 0 && !TakeStdout(data + at, content, events)) return at;
    at += content;
    content_left_ -= content;
    const size_t padding = content_left_ > 0 ? 0 : std::min(padding_left_, length - at);
    at += padding;
    padding_left_ -= padding;
    if (content_left_ > 0 || padding_left_ > 0) return at;
    inside_ = false;
  }
}

class Fastcgi : public Protocol {
 public:
  explicit Fastcgi(const Options& options) : ids_(options.ids), keeps_(options.keep_alive) {
    requests_.resize(ids_ + 1);
    for (uint32_t id = 1; id <= ids_; id++) requests_[id] = Encode(id, options);
  }
  const Message& RequestOf(uint32_t id) const override { return requests_[id]; }
  std::unique_ptr<ResponseReader> CreateReader() override {
    return std::make_unique<FastcgiReader>(ids_, keeps_);
  }

 private:
  Message Encode(uint32_t id, const Options& options) {
    const char keep = keeps_ ? 1 : 0;
    std::string params;
    for (const auto& [name, value] : CgiVariables(options)) {
      AppendLength(params, name.size());
      AppendLength(params, value.size());
      params += name + value;
    }
    std::string head = Record(kBeginRequest, id, std::string({0, 1, keep, 0, 0, 0, 0, 0})) +
                       Record(kParams, id, params) + Record(kParams, id, "");
    const uint64_t full = options.body_bytes / kBodyPieceBytes;
    const auto rest = static_cast<size_t>(options.body_bytes % kBodyPieceBytes);
    std::string tail = rest > 0 ? Record(kStdin, id, Filler(rest)) : "";
    tail += Record(kStdin, id, "");
    if (full == 0) return {store_.Keep(head + tail)};
    return {store_.Keep(std::move(head)),
            store_.Keep(Record(kStdin, id, Filler(kBodyPieceBytes)), full),
            store_.Keep(std::move(tail))};
  }

  const uint32_t ids_;
  const bool keeps_;
  ByteStore store_;
  std::vector<Message> requests_;
};

}  // namespace

std::unique_ptr<Protocol> CreateFastcgi(const Options& options) {
  return std::make_unique<Fastcgi>(options);
}

}  // namespace postern::loadgen
