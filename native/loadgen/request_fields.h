// Options → the fields of the one request that is sent: those of a browser, and a web server's
// about it. It encodes nothing. Headers as Chrome sends them; CGI variables as nginx's
// fastcgi_params has them (RFC 3875 §4.1).
#ifndef POSTERN_LOADGEN_REQUEST_FIELDS_H_
#define POSTERN_LOADGEN_REQUEST_FIELDS_H_

#include <string>
#include <utility>
#include <vector>

#include "options.h"

namespace postern::loadgen {

using Fields = std::vector<std::pair<std::string, std::string>>;

// Path and query of the request target.
struct Target {
  std::string path;
  std::string query;
};
Target TargetOf(const Options& options);

// GET, or POST where there is a body.
const char* MethodOf(const Options& options);

// Request headers in their usual spelling, those of the body included.
Fields RequestHeaders(const Options& options);

// The same as CGI variables, after those of the web server. CONTENT_LENGTH is the first.
Fields CgiVariables(const Options& options);

// Bytes of a body, no two neighbours alike.
std::string Filler(size_t length);

}  // namespace postern::loadgen

#endif  // POSTERN_LOADGEN_REQUEST_FIELDS_H_
