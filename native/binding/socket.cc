// accept4, recv, sendmsg, shutdown, close.
// Interrupted calls are made again; SIGPIPE is never raised.
// socket(7), unix(7), tcp(7).
#include "socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace postern::sockets {

void MakeNonBlocking(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK) == 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int Duplicate(int fd) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return copy < 0 ? -errno : copy;
}

int DuplicateListener(int fd) {
  const int copy = Duplicate(fd);
  if (copy < 0) return copy;
  MakeNonBlocking(copy);
  const int on = 1;
  // Fails on unix sockets, which have nothing to delay.
  setsockopt(copy, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return copy;
}

std::string PeerText(const PeerAddress& peer) {
  if (peer.length == 0) return "";
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(peer.length == 4 ? AF_INET : AF_INET6, peer.bytes, text, sizeof text);
  std::string result(text);
  if (peer.scope != 0) result += "%" + std::to_string(peer.scope);
  return result + " " + std::to_string(peer.port);
}

namespace {

void TakeAddress(const sockaddr_storage& address, PeerAddress& peer) {
  if (address.ss_family == AF_INET) {
    const auto* ip = reinterpret_cast<const sockaddr_in*>(&address);
    std::memcpy(peer.bytes, &ip->sin_addr, 4);
    peer.length = 4;
    peer.port = ntohs(ip->sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto* ip = reinterpret_cast<const sockaddr_in6*>(&address);
    std::memcpy(peer.bytes, &ip->sin6_addr, 16);
    peer.length = 16;
    peer.port = ntohs(ip->sin6_port);
    peer.scope = ip->sin6_scope_id;
  }
}

}  // namespace

PeerAddress PeerOf(int fd) {
  PeerAddress peer;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    TakeAddress(address, peer);
  }
  return peer;
}

int Accept(int listener, PeerAddress& peer) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  int fd = -1;
  do {
    fd = accept4(listener, reinterpret_cast<sockaddr*>(&address), &size,
                 SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return -errno;
  TakeAddress(address, peer);
  return fd;
}

int64_t Read(int fd, uint8_t* target, size_t size) {
  ssize_t count = -1;
  do {
    count = recv(fd, target, size, 0);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

int64_t ReadTo(int fd, const iovec* places, size_t count) {
  ssize_t taken = -1;
  do {
    taken = readv(fd, places, static_cast<int>(count));
  } while (taken < 0 && errno == EINTR);
  return taken < 0 ? -errno : taken;
}

int64_t Write(int fd, const iovec* pieces, size_t count) {
  ssize_t taken = -1;
  do {
    if (count == 1) {
      taken = send(fd, pieces->iov_base, pieces->iov_len, MSG_NOSIGNAL);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(pieces);
      message.msg_iovlen = count;
      taken = sendmsg(fd, &message, MSG_NOSIGNAL);
    }
  } while (taken < 0 && errno == EINTR);
  return taken < 0 ? -errno : taken;
}

bool IsReadEmpty(int fd) {
  char byte = 0;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

void ShutWriting(int fd) {
  shutdown(fd, SHUT_WR);
}

void Close(int fd, bool reset) {
  if (reset) {
    const linger none{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  }
  close(fd);
}

}  // namespace postern::sockets
