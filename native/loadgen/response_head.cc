// A head that arrives whole is read where it lies; one in pieces is gathered first.
#include "response_head.h"

#include <strings.h>

#include <cstring>

namespace postern::loadgen {
namespace {

constexpr size_t kHeadBytesMax = 65536;

bool Is(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && strncasecmp(text.data(), lower.data(), lower.size()) == 0;
}

// -1: no number.
int64_t NumberOf(std::string_view text) {
  if (text.empty() || text.size() > 15) return -1;
  int64_t number = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return -1;
    number = number * 10 + (digit - '0');
  }
  return number;
}

}  // namespace

void ResponseHead::Clear() {
  whole_ = wrong_ = chunked_ = closes_ = false;
  // A CGI head without Status means 200 (RFC 3875 §6.3.3).
  status_ = kind_ == Kind::kCgi ? 200 : 0;
  content_length_ = -1;
  gathered_.clear();
}

size_t ResponseHead::Take(const char* data, size_t length) {
  if (gathered_.empty()) {
    const void* end = memmem(data, length, "\r\n\r\n", 4);
    if (end != nullptr) {
      const auto bytes = static_cast<size_t>(static_cast<const char*>(end) - data) + 4;
      Parse({data, bytes - 2});
      return bytes;
    }
  }
  const size_t before = gathered_.size();
  gathered_.append(data, length);
  const size_t end = gathered_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    wrong_ = gathered_.size() > kHeadBytesMax;
    return length;
  }
  Parse(std::string_view(gathered_).substr(0, end + 2));
  return end + 4 - before;
}

// head: each line with its CR LF.
void ResponseHead::Parse(std::string_view head) {
  whole_ = true;
  bool first = kind_ == Kind::kHttp;
  while (!head.empty()) {
    const size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (first) {
      // HTTP/1.1 200 OK
      if (line.size() < 12 || line.substr(0, 7) != "HTTP/1.")
        wrong_ = true;
      else
        ParseStatus(line.substr(9));
      first = false;
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      wrong_ = true;
      return;
    }
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    ParseField(line.substr(0, colon), value);
  }
}

void ResponseHead::ParseStatus(std::string_view text) {
  const int64_t status = NumberOf(text.substr(0, 3));
  if (status < 100 || (text.size() > 3 && text[3] != ' '))
    wrong_ = true;
  else
    status_ = static_cast<uint32_t>(status);
}

void ResponseHead::ParseField(std::string_view name, std::string_view value) {
  if (Is(name, "content-length")) {
    content_length_ = NumberOf(value);
    if (content_length_ < 0) wrong_ = true;
  } else if (kind_ == Kind::kCgi && Is(name, "status")) {
    ParseStatus(value);
  } else if (kind_ == Kind::kHttp && Is(name, "transfer-encoding")) {
    chunked_ = Is(value, "chunked");
  } else if (kind_ == Kind::kHttp && Is(name, "connection")) {
    closes_ = Is(value, "close");
  }
}

}  // namespace postern::loadgen
