// Lines up to an empty one → status, Content-Length and how the body is framed; for HTTP and for
// CGI. It reads four headers and checks no others. RFC 9112 §4 and RFC 3875 §6; lines end with CR
// LF.
#ifndef POSTERN_LOADGEN_RESPONSE_HEAD_H_
#define POSTERN_LOADGEN_RESPONSE_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::loadgen {

class ResponseHead {
 public:
  enum class Kind { kHttp, kCgi };
  explicit ResponseHead(Kind kind) : kind_(kind) {}

  void Clear();
  // Takes bytes up to the empty line; returns how many. Ask is_whole() and is_wrong() after it.
  size_t Take(const char* data, size_t length);
  bool is_whole() const { return whole_; }
  bool is_wrong() const { return wrong_; }
  bool has_begun() const { return whole_ || !gathered_.empty(); }
  uint32_t status() const { return status_; }
  int64_t content_length() const { return content_length_; }
  bool is_chunked() const { return chunked_; }
  bool closes() const { return closes_; }

 private:
  void Parse(std::string_view head);
  void ParseField(std::string_view name, std::string_view value);
  void ParseStatus(std::string_view text);

  Kind kind_;
  bool whole_ = false;
  bool wrong_ = false;
  bool chunked_ = false;
  bool closes_ = false;
  uint32_t status_ = 0;
  int64_t content_length_ = -1;
  std::string gathered_;
};

}  // namespace postern::loadgen

#endif  // POSTERN_LOADGEN_RESPONSE_HEAD_H_
