// Command line → what to send, where, how often and what must come back.
// It opens nothing. Mistakes are one sentence on standard error and exit status 2.
#ifndef POSTERN_LOADGEN_OPTIONS_H_
#define POSTERN_LOADGEN_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace postern::loadgen {

enum class ProtocolName { kHttp, kFastcgi, kScgi, kAjp };

// How a web server answers Get Body Chunk: Apache with a full packet whatever was asked for, the
// specification with at most the bytes asked for. Both send the first packet unasked.
enum class AjpStyle { kApache, kSpecification };

struct Options {
  ProtocolName protocol = ProtocolName::kFastcgi;
  std::string unix_path;  // Empty: TCP.
  std::string host;
  uint16_t port = 0;
  std::string path = "/";
  std::string script;  // SCRIPT_FILENAME; empty: made of the path.
  std::string ajp_secret;
  uint32_t connections = 1;
  // Requests at once on each connection; more than one is FastCGI's multiplexing.
  uint32_t ids = 1;
  bool keep_alive = true;
  uint64_t body_bytes = 0;
  uint32_t ajp_packet_bytes = 8192;
  AjpStyle ajp_style = AjpStyle::kApache;
  uint32_t expected_status = 200;
  int64_t expected_bytes = -1;  // -1: any length.
  std::string expected_text;    // Empty: any text.
  double warmup_s = 0;
  double seconds = 2;
  uint64_t count = 0;  // 0: as many as the seconds allow.
  double rate = 0;     // Requests a second, over all connections; 0: as many as are answered.
  // Each connection sends one request and stays open for hold_s after the last was answered.
  bool once = false;
  double hold_s = 0;
  uint32_t opening = 0;  // Connections that open at the same time; 0: all of them.
  double timeout_s = 10;
  int cpu = -1;           // -1: wherever the kernel likes.
  std::vector<int> pids;  // Processes whose CPU time is the server's.
  bool children = false;  // Their children, too.
};

// Reads the command line; ends the process when it is wrong or asks for help.
Options ReadOptions(int count, char** words);

}  // namespace postern::loadgen

#endif  // POSTERN_LOADGEN_OPTIONS_H_
