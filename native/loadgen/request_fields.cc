// The lists are literal: what is measured must not depend on who measures.
#include "request_fields.h"

#include <cctype>

namespace postern::loadgen {

Target TargetOf(const Options& options) {
  const size_t mark = options.path.find('?');
  if (mark == std::string::npos) return {options.path, ""};
  return {options.path.substr(0, mark), options.path.substr(mark + 1)};
}

const char* MethodOf(const Options& options) {
  return options.body_bytes > 0 ? "POST" : "GET";
}

Fields RequestHeaders(const Options& options) {
  Fields headers = {
      {"Host", "www.example.org"},
      {"Connection", "keep-alive"},
      {"sec-ch-ua", R"("Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140")"},
      {"sec-ch-ua-mobile", "?0"},
      {"sec-ch-ua-platform", "\"Linux\""},
      {"Upgrade-Insecure-Requests", "1"},
      {"User-Agent",
       "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
       "Safari/537.36"},
      {"Accept",
       "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
       "*/*;q=0.8"},
      {"Sec-Fetch-Site", "none"},
      {"Sec-Fetch-Mode", "navigate"},
      {"Sec-Fetch-User", "?1"},
      {"Sec-Fetch-Dest", "document"},
      {"Accept-Encoding", "gzip, deflate, br, zstd"},
      {"Accept-Language", "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7"},
  };
  if (options.body_bytes > 0) {
    headers.emplace_back("Content-Type", "application/octet-stream");
    headers.emplace_back("Content-Length", std::to_string(options.body_bytes));
  }
  return headers;
}

Fields CgiVariables(const Options& options) {
  const Target target = TargetOf(options);
  const bool has_body = options.body_bytes > 0;
  const bool is_scgi = options.protocol == ProtocolName::kScgi;
  Fields fields;
  // nginx sends an empty one where there is no body; SCGI must have a number.
  const std::string length = std::to_string(options.body_bytes);
  fields.emplace_back("CONTENT_LENGTH", has_body || is_scgi ? length : "");
  if (is_scgi) fields.emplace_back("SCGI", "1");
  const Fields server = {
      {"QUERY_STRING", target.query},
      {"REQUEST_METHOD", MethodOf(options)},
      {"CONTENT_TYPE", has_body ? "application/octet-stream" : ""},
      {"SCRIPT_FILENAME", options.script.empty() ? "/var/www/html" + target.path : options.script},
      {"SCRIPT_NAME", target.path},
      {"REQUEST_URI", options.path},
      {"DOCUMENT_URI", target.path},
      {"DOCUMENT_ROOT", "/var/www/html"},
      {"SERVER_PROTOCOL", "HTTP/1.1"},
      {"REQUEST_SCHEME", "https"},
      {"GATEWAY_INTERFACE", "CGI/1.1"},
      {"SERVER_SOFTWARE", "nginx/1.28.0"},
      {"REMOTE_ADDR", "192.0.2.17"},
      {"REMOTE_PORT", "51234"},
      {"SERVER_ADDR", "192.0.2.1"},
      {"SERVER_PORT", "443"},
      {"SERVER_NAME", "www.example.org"},
      {"REDIRECT_STATUS", "200"},
  };
  fields.insert(fields.end(), server.begin(), server.end());
  for (const auto& [name, value] : RequestHeaders(options)) {
    std::string variable = "HTTP_";
    for (const char letter : name) {
      const int upper = std::toupper(static_cast<unsigned char>(letter));
      variable += letter == '-' ? '_' : static_cast<char>(upper);
    }
    fields.emplace_back(variable, value);
  }
  return fields;
}

std::string Filler(size_t length) {
  std::string filler(length, '\0');
  for (size_t i = 0; i < length; i++) filler[i] = static_cast<char>('!' + i % 89);
  return filler;
}

}  // namespace postern::loadgen
