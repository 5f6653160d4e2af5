// Known field names → small integers, so that decoders make no name strings.
// One id stands for the CGI spelling, the AJP code and the header; an unknown name has no id and
// keeps its bytes. Twin: src/http/field-names.ts — same order, same hash; every name is compared at
// load.
#ifndef POSTERN_CORE_FIELD_NAMES_H_
#define POSTERN_CORE_FIELD_NAMES_H_

#include <cstdint>
#include <string_view>

#include "bytes.h"

namespace postern {

// Name of each id; index 0 is no name. CGI meta-variables, then request headers in their CGI
// spelling, then the fields of AJP that have no CGI name.
inline constexpr std::string_view kFieldNames[] = {
    "",
    "REQUEST_METHOD",
    "REQUEST_URI",
    "QUERY_STRING",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "SCRIPT_NAME",
    "PATH_INFO",
    "PATH_TRANSLATED",
    "SCRIPT_FILENAME",
    "DOCUMENT_ROOT",
    "DOCUMENT_URI",
    "SERVER_PROTOCOL",
    "SERVER_SOFTWARE",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_ADDR",
    "GATEWAY_INTERFACE",
    "REMOTE_ADDR",
    "REMOTE_PORT",
    "REMOTE_HOST",
    "REMOTE_USER",
    "REMOTE_IDENT",
    "AUTH_TYPE",
    "HTTPS",
    "REQUEST_SCHEME",
    "REDIRECT_STATUS",
    "REDIRECT_URL",
    "REDIRECT_URI",
    "SCRIPT_URL",
    "SCRIPT_URI",
    "FCGI_ROLE",
    "FCGI_DATA_LENGTH",
    "FCGI_DATA_LAST_MOD",
    "FCGI_APACHE_ROLE",
    "SCGI",
    "SERVER_ADMIN",
    "SERVER_SIGNATURE",
    "CONTEXT_PREFIX",
    "CONTEXT_DOCUMENT_ROOT",
    "UNIQUE_ID",
    "PATH",
    "SSL_PROTOCOL",
    "SSL_CIPHER",
    "SSL_CLIENT_CERT",
    "SSL_CLIENT_VERIFY",
    "SSL_CLIENT_S_DN",
    "SSL_CLIENT_I_DN",
    "SSL_SESSION_ID",
    "SSL_SERVER_NAME",
    "HTTP_HOST",
    "HTTP_USER_AGENT",
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_ACCEPT_CHARSET",
    "HTTP_CONNECTION",
    "HTTP_COOKIE",
    "HTTP_COOKIE2",
    "HTTP_AUTHORIZATION",
    "HTTP_REFERER",
    "HTTP_PRAGMA",
    "HTTP_CACHE_CONTROL",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MATCH",
    "HTTP_IF_UNMODIFIED_SINCE",
    "HTTP_IF_RANGE",
    "HTTP_RANGE",
    "HTTP_ORIGIN",
    "HTTP_UPGRADE",
    "HTTP_UPGRADE_INSECURE_REQUESTS",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_REAL_IP",
    "HTTP_X_REQUESTED_WITH",
    "HTTP_X_REQUEST_ID",
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_DNT",
    "HTTP_TE",
    "HTTP_TRAILER",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_KEEP_ALIVE",
    "HTTP_EXPECT",
    "HTTP_PROXY",
    "HTTP_PROXY_CONNECTION",
    "HTTP_PROXY_AUTHORIZATION",
    "HTTP_CONTENT_LENGTH",
    "HTTP_CONTENT_TYPE",
    "HTTP_CONTENT_ENCODING",
    "HTTP_SEC_FETCH_SITE",
    "HTTP_SEC_FETCH_MODE",
    "HTTP_SEC_FETCH_DEST",
    "HTTP_SEC_FETCH_USER",
    "HTTP_SEC_CH_UA",
    "HTTP_SEC_CH_UA_MOBILE",
    "HTTP_SEC_CH_UA_PLATFORM",
    "HTTP_SEC_WEBSOCKET_KEY",
    "HTTP_SEC_WEBSOCKET_VERSION",
    "HTTP_SEC_WEBSOCKET_PROTOCOL",
    "HTTP_SEC_WEBSOCKET_EXTENSIONS",
    "HTTP_PRIORITY",
    "HTTP_FROM",
    "HTTP_MAX_FORWARDS",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
    "HTTP_EARLY_DATA",
    "HTTP_TRACEPARENT",
    "HTTP_TRACESTATE",
    "HTTP_LAST_EVENT_ID",
    "ajp:req_uri",
    "ajp:context",
    "ajp:servlet_path",
    "ajp:jvm_route",
    "ajp:ssl_cert",
    "ajp:ssl_cipher",
    "ajp:ssl_session",
    "ajp:ssl_key_size",
    "ajp:ssl_key_bits",
    "ajp:secret",
    "ajp:stored_method",
};
inline constexpr uint32_t kFieldNameCount = sizeof(kFieldNames) / sizeof(kFieldNames[0]);

// Id of a name that is in the list; for constants. A name that is not there does not compile.
constexpr uint32_t FieldId(std::string_view name) {
  uint32_t id = 1;
  while (kFieldNames[id] != name) id++;
  return id;
}

// The first id that is not looked up by bytes: AJP's own fields follow.
inline constexpr uint32_t kAjpFieldBase = FieldId("ajp:req_uri");

// Finds the id of a CGI name by its bytes, compared exactly. Precondition: bytes.Holds(start,
// length). Returns 0 for a name that is not known.
uint32_t LookupFieldName(BytesView bytes, uint32_t start, uint32_t length);

}  // namespace postern

#endif  // POSTERN_CORE_FIELD_NAMES_H_
