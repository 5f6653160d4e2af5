// One table of words, one loop. Numbers are checked to the last character, so that "1O" is a
// mistake.
#include "options.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace postern::loadgen {
namespace {

constexpr const char* kUsage =
    R"(loadgen: a closed loop of requests, every answer checked; one line of JSON on standard output

  --protocol http|fastcgi|scgi|ajp   what is spoken (fastcgi)
  --unix PATH | --tcp ADDRESS:PORT   where the server listens
  --path TARGET                      request target (/)
  --script PATH                      SCRIPT_FILENAME (/var/www/html and the target)
  --connections N                    connections (1)
  --ids N                            requests at once on each connection, FastCGI (1)
  --new-connections                  a new connection for each request
  --body BYTES                       request body (0)
  --ajp-packet BYTES                 largest AJP packet (8192)
  --ajp-style apache|specification   body packets: full, or as large as asked for (apache)
  --secret TEXT                      AJP secret
  --expect-status N                  status of each response (200)
  --expect-bytes N                   body length of each response
  --expect-text TEXT                 body of each response
  --warmup SECONDS                   not measured (0)
  --seconds SECONDS | --count N      measured (2 seconds)
  --rate N                           requests a second in all; one that waits is late from its due time
  --once                             one request on each connection, which then stays open
  --hold SECONDS                     how long it stays, after the last one was answered
  --opening N                        connections that open at the same time (all)
  --timeout SECONDS                  an answer that takes longer is an error (10)
  --cpu N                            run on this core
  --pid N                            a server process to be watched; may be repeated
  --children                         its children, too

Exit status: 0 all answers right, 1 a wrong one or none, 2 a mistake in the command line.
)";

[[noreturn]] void Refuse(const std::string& sentence) {
  std::fprintf(stderr, "loadgen: %s; loadgen --help lists all options\n", sentence.c_str());
  std::exit(2);
}

double Number(const std::string& name, const char* text, double least, double most) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (*text == '\0' || *end != '\0' || !(value >= least && value <= most)) {
    Refuse(name + " takes a number from " + std::to_string(static_cast<int64_t>(least)) + " to " +
           std::to_string(static_cast<int64_t>(most)) + ", not \"" + text + "\"");
  }
  return value;
}

void ReadTcp(const char* text, Options& options) {
  const char* colon = std::strrchr(text, ':');
  if (colon == nullptr) Refuse(std::string("--tcp takes ADDRESS:PORT, not \"") + text + "\"");
  options.host.assign(text, colon);
  options.port = static_cast<uint16_t>(Number("--tcp", colon + 1, 1, 65535));
}

ProtocolName ReadProtocol(const std::string& text) {
  if (text == "http") return ProtocolName::kHttp;
  if (text == "fastcgi") return ProtocolName::kFastcgi;
  if (text == "scgi") return ProtocolName::kScgi;
  if (text == "ajp") return ProtocolName::kAjp;
  Refuse("--protocol takes http, fastcgi, scgi or ajp, not \"" + text + "\"");
}

AjpStyle ReadStyle(const std::string& text) {
  if (text == "apache") return AjpStyle::kApache;
  if (text == "specification") return AjpStyle::kSpecification;
  Refuse("--ajp-style takes apache or specification, not \"" + text + "\"");
}

// Words that stand alone. False: it is none of them.
bool ReadFlag(const std::string& name, Options& options) {
  if (name == "--help") {
    std::fputs(kUsage, stdout);
    std::exit(0);
  }
  if (name == "--new-connections") {
    options.keep_alive = false;
  } else if (name == "--once") {
    options.once = true;
  } else if (name == "--children") {
    options.children = true;
  } else {
    return false;
  }
  return true;
}

// Words with a text after them. False: it is none of them.
bool ReadText(const std::string& name, const char* text, Options& options) {
  if (name == "--protocol") {
    options.protocol = ReadProtocol(text);
  } else if (name == "--unix") {
    options.unix_path = text;
  } else if (name == "--tcp") {
    ReadTcp(text, options);
  } else if (name == "--path") {
    options.path = text;
  } else if (name == "--script") {
    options.script = text;
  } else if (name == "--ajp-style") {
    options.ajp_style = ReadStyle(text);
  } else if (name == "--secret") {
    options.ajp_secret = text;
  } else if (name == "--expect-text") {
    options.expected_text = text;
    options.expected_bytes = static_cast<int64_t>(options.expected_text.size());
  } else {
    return false;
  }
  return true;
}

// Words with a number after them.
void ReadNumber(const std::string& name, const char* text, Options& options) {
  const auto whole = [&](double least, double most) {
    return static_cast<uint32_t>(Number(name, text, least, most));
  };
  if (name == "--connections") {
    options.connections = whole(1, 100000);
  } else if (name == "--ids") {
    options.ids = whole(1, 65535);
  } else if (name == "--body") {
    options.body_bytes = static_cast<uint64_t>(Number(name, text, 0, 1e12));
  } else if (name == "--ajp-packet") {
    options.ajp_packet_bytes = whole(8192, 65536);
  } else if (name == "--expect-status") {
    options.expected_status = whole(100, 999);
  } else if (name == "--expect-bytes") {
    options.expected_bytes = static_cast<int64_t>(Number(name, text, 0, 1e12));
  } else if (name == "--warmup") {
    options.warmup_s = Number(name, text, 0, 3600);
  } else if (name == "--seconds") {
    options.seconds = Number(name, text, 0, 3600);
  } else if (name == "--count") {
    options.count = static_cast<uint64_t>(Number(name, text, 1, 1e12));
  } else if (name == "--rate") {
    options.rate = Number(name, text, 0.01, 1e6);
  } else if (name == "--hold") {
    options.hold_s = Number(name, text, 0, 3600);
  } else if (name == "--opening") {
    options.opening = whole(1, 100000);
  } else if (name == "--timeout") {
    options.timeout_s = Number(name, text, 0, 3600);
  } else if (name == "--cpu") {
    options.cpu = static_cast<int>(whole(0, 1023));
  } else if (name == "--pid") {
    options.pids.push_back(static_cast<int>(Number(name, text, 1, 1 << 30)));
  } else {
    Refuse("there is no option " + name);
  }
}

void Check(const Options& options) {
  if (options.unix_path.empty() && options.host.empty()) {
    Refuse("--unix PATH or --tcp ADDRESS:PORT must say where the server listens");
  }
  if (options.ids > 1 && (options.protocol != ProtocolName::kFastcgi || !options.keep_alive)) {
    Refuse("--ids is for FastCGI on kept connections");
  }
  if (options.once && options.rate > 0) Refuse("--once and --rate do not go together");
  if (options.once && (!options.keep_alive || options.protocol == ProtocolName::kScgi)) {
    Refuse("--once keeps connections open, which needs a protocol and a mode that does");
  }
}

}  // namespace

Options ReadOptions(int count, char** words) {
  Options options;
  for (int i = 1; i < count; i++) {
    const std::string name = words[i];
    if (ReadFlag(name, options)) continue;
    if (i + 1 == count) Refuse(name + " is no option, or needs a value");
    const char* text = words[++i];
    if (!ReadText(name, text, options)) ReadNumber(name, text, options);
  }
  // An SCGI connection carries one request.
  if (options.protocol == ProtocolName::kScgi && !options.once) options.keep_alive = false;
  Check(options);
  return options;
}

}  // namespace postern::loadgen
