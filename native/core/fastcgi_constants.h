// The numbers of FastCGI 1.0 that a decoder needs (FastCGI specification §3.3, §8).
// It holds no behaviour and no limits of ours; roles are in abi.h.
// Twin: src/protocols/fastcgi/constants.ts.
#ifndef POSTERN_CORE_FASTCGI_CONSTANTS_H_
#define POSTERN_CORE_FASTCGI_CONSTANTS_H_

#include <cstdint>

namespace postern::fastcgi {

// The only version there is (FCGI_VERSION_1).
constexpr uint32_t kVersion = 1;
// Bytes of a record header (FCGI_HEADER_LEN).
constexpr uint32_t kHeaderBytes = 8;
// Bytes of the content of BEGIN_REQUEST.
constexpr uint32_t kBodyBytes = 8;
// Request id of management records (FCGI_NULL_REQUEST_ID).
constexpr uint32_t kNullRequestId = 0;

// Record types (§8).
struct RecordType {
  static constexpr uint32_t kBeginRequest = 1;
  static constexpr uint32_t kAbortRequest = 2;
  static constexpr uint32_t kEndRequest = 3;
  static constexpr uint32_t kParams = 4;
  static constexpr uint32_t kStdin = 5;
  static constexpr uint32_t kStdout = 6;
  static constexpr uint32_t kStderr = 7;
  static constexpr uint32_t kData = 8;
  static constexpr uint32_t kGetValues = 9;
  static constexpr uint32_t kGetValuesResult = 10;
  static constexpr uint32_t kUnknownType = 11;
};

// Bits of the flags byte of BEGIN_REQUEST (§5.1).
struct BeginFlag {
  static constexpr uint32_t kKeepConn = 1;
};

}  // namespace postern::fastcgi

#endif  // POSTERN_CORE_FASTCGI_CONSTANTS_H_
