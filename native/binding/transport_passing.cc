// Connections that go to another transport, of this process or of another one, and that come from
// one.
// Bytes that the peer sends meanwhile stay with the kernel and are read by whoever has the
// descriptor last. epoll_ctl(2), fcntl(2).
#include <unistd.h>

#include <cerrno>

#include "socket.h"
#include "transport.h"

namespace postern {

bool Transport::IsMovable(const Connection& connection) {
  const bool is_open = connection.reading && !connection.dropping && !connection.finishing &&
                       !connection.closing && !connection.failed && !connection.input_ended &&
                       !connection.hangup_told;
  return is_open && connection.remainder.empty() && connection.queued_bytes() == 0 &&
         (connection.decoder == nullptr || connection.decoder->IsResting());
}

int Transport::Release(Connection& connection) {
  const int fd = connection.fd;
  if (connection.registered) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  Remove(connection);
  return fd;
}

Connection* Transport::Adopt(int fd, bool duplicate, int& error) {
  const int own = duplicate ? sockets::Duplicate(fd) : fd;
  if (own < 0) {
    error = -own;
    return nullptr;
  }
  sockets::MakeNonBlocking(own);
  Connection* connection = connections_.Add(own);
  if (connection == nullptr) {
    if (duplicate) close(own);
    error = ENFILE;
    return nullptr;
  }
  connection->peer = sockets::PeerOf(own);
  // Level-triggered: what has come already is told in the next turn.
  Register(*connection);
  return connection;
}

}  // namespace postern
