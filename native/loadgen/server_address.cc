// unix(7), ip(7), ipv6(7). TCP_NODELAY is set, as web servers do.
#include "server_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace postern::loadgen {
namespace {

[[noreturn]] void Refuse(const char* what, const std::string& text) {
  std::fprintf(stderr, "loadgen: %s: %s\n", what, text.c_str());
  std::exit(2);
}

}  // namespace

ServerAddress AddressOf(const Options& options) {
  ServerAddress address;
  if (!options.unix_path.empty()) {
    sockaddr_un unix_address{};
    if (options.unix_path.size() >= sizeof unix_address.sun_path) {
      Refuse("the path of the socket is too long", options.unix_path);
    }
    unix_address.sun_family = AF_UNIX;
    std::memcpy(unix_address.sun_path, options.unix_path.data(), options.unix_path.size());
    address.length = sizeof unix_address;
    std::memcpy(&address.storage, &unix_address, sizeof unix_address);
    return address;
  }
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (inet_pton(AF_INET, options.host.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(options.port);
    address.length = sizeof four;
    std::memcpy(&address.storage, &four, sizeof four);
  } else if (inet_pton(AF_INET6, options.host.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(options.port);
    address.length = sizeof six;
    std::memcpy(&address.storage, &six, sizeof six);
  } else {
    Refuse("this is no IP address", options.host);
  }
  return address;
}

int BeginConnecting(const ServerAddress& address, bool& connected) {
  const int family = address.storage.ss_family;
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (family != AF_UNIX) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  const int result =
      connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length);
  connected = result == 0;
  if (connected || errno == EINPROGRESS) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

uint64_t NowNanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000000000u + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace postern::loadgen
