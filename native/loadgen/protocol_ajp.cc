// AJP 1.3: a Forward Request with its first body packet unasked, more of the body when it is asked
// for; packets → response. Packets are read whole. Apache JServ Protocol 1.3; what Apache does
// instead is said at its place.
#include <strings.h>

#include <unordered_map>

#include "byte_message.h"
#include "protocol.h"
#include "request_fields.h"

namespace postern::loadgen {
namespace {

constexpr int kSendBodyChunk = 3;
constexpr int kSendHeaders = 4;
constexpr int kEndResponse = 5;
constexpr int kGetBodyChunk = 6;
constexpr size_t kHeaderBytes = 4;

constexpr const char* kCodedNames[] = {
    "Accept",     "Accept-Charset", "Accept-Encoding", "Accept-Language", "Authorization",
    "Connection", "Content-Type",   "Content-Length",  "Cookie",          "Cookie2",
    "Host",       "Pragma",         "Referer",         "User-Agent",
};

void AppendString(std::string& bytes, const std::string& text) {
  AppendU16(bytes, text.size());
  bytes += text;
  bytes += '\0';
}

void AppendName(std::string& bytes, const std::string& name) {
  size_t code = 0xa001;
  for (const char* coded : kCodedNames) {
    if (strcasecmp(coded, name.c_str()) == 0) {
      AppendU16(bytes, code);
      return;
    }
    code++;
  }
  AppendString(bytes, name);
}

std::string Packet(const std::string& payload) {
  std::string packet = "\x12\x34";
  AppendU16(packet, payload.size());
  return packet + payload;
}

std::string ForwardRequest(const Options& options) {
  const Target target = TargetOf(options);
  std::string bytes = {2, static_cast<char>(options.body_bytes > 0 ? 4 : 2)};
  AppendString(bytes, "HTTP/1.1");
  AppendString(bytes, target.path);
  AppendString(bytes, "192.0.2.17");
  AppendU16(bytes, 0xffff);  // remote_host: null.
  AppendString(bytes, "www.example.org");
  AppendU16(bytes, 443);
  bytes += '\1';  // is_ssl
  const Fields headers = RequestHeaders(options);
  AppendU16(bytes, headers.size());
  for (const auto& [name, value] : headers) {
    AppendName(bytes, name);
    AppendString(bytes, value);
  }
  if (!target.query.empty()) {
    bytes += '\5';
    AppendString(bytes, target.query);
  }
  if (!options.ajp_secret.empty()) {
    bytes += '\x0c';
    AppendString(bytes, options.ajp_secret);
  }
  bytes += '\x0a';
  AppendString(bytes, "AJP_REMOTE_PORT");
  AppendString(bytes, "51234");
  bytes += '\x0a';
  AppendString(bytes, "AJP_LOCAL_ADDR");
  AppendString(bytes, "192.0.2.1");
  bytes += '\xff';
  return Packet(bytes);
}

// Body packets by the number of bytes in them; each is made once.
class BodyPackets {
 public:
  Piece Of(size_t length) {
    const auto found = pieces_.find(length);
    if (found != pieces_.end()) return found->second;
    std::string payload;
    AppendU16(payload, length);
    return pieces_.emplace(length, store_.Keep(Packet(payload + Filler(length)))).first->second;
  }

 private:
  ByteStore store_;
  std::unordered_map<size_t, Piece> pieces_;
};

struct BodyRule {
  uint64_t body_bytes;
  size_t packet_max;  // Most body bytes in one packet.
  AjpStyle style;
};

class AjpReader : public ResponseReader {
 public:
  AjpReader(BodyRule rule, bool keeps, BodyPackets& packets)
      : rule_(rule), keeps_(keeps), packets_(packets) {}

  void Begin(uint32_t) override {
    active_ = true;
    status_ = 0;
    content_length_ = -1;
    body_left_ = rule_.body_bytes - std::min<uint64_t>(rule_.body_bytes, rule_.packet_max);
  }
  size_t Read(const char* data, size_t length, ResponseEvents& events) override;
  bool Finish(ResponseEvents&) override { return false; }

 private:
  // Half a sentence when the packet is wrong, else null.
  const char* TakePacket(const uint8_t* payload, size_t length, ResponseEvents& events);
  const char* TakeHeaders(const uint8_t* payload, size_t length);
  const char* TakeWant(const uint8_t* payload, size_t length, ResponseEvents& events);

  const BodyRule rule_;
  const bool keeps_;
  BodyPackets& packets_;
  bool active_ = false;
  uint32_t status_ = 0;
  int64_t content_length_ = -1;
  uint64_t body_left_ = 0;
};

size_t U16(const uint8_t* bytes) {
  return static_cast<size_t>(bytes[0] << 8 | bytes[1]);
}

size_t AjpReader::Read(const char* data, size_t length, ResponseEvents& events) {
  size_t at = 0;
  while (length - at >= kHeaderBytes) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(data + at);
    const size_t payload = U16(bytes + 2);
    const char* wrong = nullptr;
    if (bytes[0] != 'A' || bytes[1] != 'B')
      wrong = "a packet that does not begin with AB";
    else if (!active_)
      wrong = "a packet behind END_RESPONSE";
    else if (payload == 0)
      wrong = "a packet without a type";
    else if (length - at < kHeaderBytes + payload)
      return at;
    else
      wrong = TakePacket(bytes + kHeaderBytes, payload, events);
    if (wrong != nullptr) {
      events.OnBroken(wrong);
      return at;
    }
    at += kHeaderBytes + payload;
  }
  return at;
}

const char* AjpReader::TakePacket(const uint8_t* payload, size_t length, ResponseEvents& events) {
  switch (payload[0]) {
    case kSendHeaders:
      return status_ != 0 ? "a second SEND_HEADERS" : TakeHeaders(payload, length);
    case kSendBodyChunk: {
      if (status_ == 0) return "a SEND_BODY_CHUNK before SEND_HEADERS";
      // Apache insists on the NUL.
      if (length < 4 || U16(payload + 1) + 4 != length || payload[length - 1] != 0) {
        return "a SEND_BODY_CHUNK whose lengths disagree";
      }
      events.OnBody(1, reinterpret_cast<const char*>(payload) + 3, length - 4);
      return nullptr;
    }
    case kEndResponse:
      if (length != 2 || payload[1] > 1) return "an END_RESPONSE that is none";
      if (status_ == 0) return "an END_RESPONSE before SEND_HEADERS";
      active_ = false;
      events.OnEnd(1, status_, content_length_, keeps_ && payload[1] == 1);
      return nullptr;
    case kGetBodyChunk:
      return TakeWant(payload, length, events);
    default:
      return "a packet of a type that nobody expects";
  }
}

const char* AjpReader::TakeHeaders(const uint8_t* payload, size_t length) {
  constexpr const char* kWrong = "a SEND_HEADERS whose lengths disagree";
  size_t at = 3;
  const auto string = [&](std::string_view& text) {
    if (at + 2 > length) return false;
    const size_t bytes = U16(payload + at);
    if (at + 2 + bytes + 1 > length || payload[at + 2 + bytes] != 0) return false;
    text = {reinterpret_cast<const char*>(payload) + at + 2, bytes};
    at += bytes + 3;
    return true;
  };
  std::string_view text;
  if (length < 7 || !string(text) || at + 2 > length) return kWrong;
  const size_t count = U16(payload + at);
  at += 2;
  for (size_t i = 0; i < count; i++) {
    if (at + 2 > length) return kWrong;
    bool is_length = payload[at] == 0xa0 && payload[at + 1] == 3;
    if (payload[at] == 0xa0)
      at += 2;
    else if (!string(text))
      return kWrong;
    else
      is_length = text.size() == 14 && strncasecmp(text.data(), "content-length", 14) == 0;
    if (!string(text)) return kWrong;
    if (is_length) content_length_ = std::strtoll(std::string(text).c_str(), nullptr, 10);
  }
  status_ = static_cast<uint32_t>(U16(payload + 1));
  return at == length ? nullptr : kWrong;
}

const char* AjpReader::TakeWant(const uint8_t* payload, size_t length, ResponseEvents& events) {
  if (length != 3) return "a GET_BODY_CHUNK that is none";
  size_t most = rule_.packet_max;
  if (rule_.style == AjpStyle::kSpecification) most = std::min(most, U16(payload + 1));
  const auto bytes = static_cast<size_t>(std::min<uint64_t>(body_left_, most));
  body_left_ -= bytes;
  // Nothing left: a packet with an inner length of 0 is the end.
  events.OnSend(packets_.Of(bytes));
  return nullptr;
}

class Ajp : public Protocol {
 public:
  explicit Ajp(const Options& options)
      : rule_{options.body_bytes, options.ajp_packet_bytes - 6, options.ajp_style},
        keeps_(options.keep_alive) {
    std::string head = ForwardRequest(options);
    const auto first = static_cast<size_t>(std::min<uint64_t>(rule_.body_bytes, rule_.packet_max));
    if (first > 0) {
      const Piece body = packets_.Of(first);
      head.append(body.data, body.length);
    }
    request_ = {store_.Keep(std::move(head))};
  }
  const Message& RequestOf(uint32_t) const override { return request_; }
  std::unique_ptr<ResponseReader> CreateReader() override {
    return std::make_unique<AjpReader>(rule_, keeps_, packets_);
  }

 private:
  const BodyRule rule_;
  const bool keeps_;
  ByteStore store_;
  BodyPackets packets_;
  Message request_;
};

}  // namespace

std::unique_ptr<Protocol> CreateAjp(const Options& options) {
  return std::make_unique<Ajp>(options);
}

}  // namespace postern::loadgen
