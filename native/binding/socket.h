// The system calls of sockets that the native transport makes, each with its answer as a number.
// It decides nothing and keeps nothing. Linux.
#ifndef POSTERN_BINDING_SOCKET_H_
#define POSTERN_BINDING_SOCKET_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace postern::sockets {

// A second descriptor of a listening socket: libuv may not watch the same one twice. Responses are
// written whole, so TCP connections accepted from it wait for nothing (TCP_NODELAY is inherited).
// Returns the descriptor, or -errno.
int DuplicateListener(int fd);

// A second descriptor of the same thing, or -errno.
int Duplicate(int fd);

// Sees to it that accept() does not stop the loop. The flag belongs to all who have the socket: a
// process of Node's that ends, or starts another with it, takes it away from the others.
void MakeNonBlocking(int fd);

// Where a peer comes from, as accept() tells it.
struct PeerAddress {
  // Network byte order; 4 bytes of IPv4, 16 of IPv6, none for a unix socket.
  uint8_t bytes[16] = {};
  uint8_t length = 0;
  uint16_t port = 0;
  uint32_t scope = 0;
};

// The peer of a connected socket; no address where it has none any more.
PeerAddress PeerOf(int fd);

// `192.0.2.1 4711`, `fe80::1%2 4711`; "" for a unix socket.
std::string PeerText(const PeerAddress& peer);

// Accepts one connection, non-blocking. Returns the descriptor, or -errno (-EAGAIN: nobody waits).
int Accept(int listener, PeerAddress& peer);

// Reads what is there. Returns the bytes read, 0 at the end of the peer's side, or -errno.
int64_t Read(int fd, uint8_t* target, size_t size);

// Reads what is there to several places, one after the other. As Read().
int64_t ReadTo(int fd, const iovec* places, size_t count);

// Writes from several places at once. Returns the bytes taken, or -errno.
int64_t Write(int fd, const iovec* pieces, size_t count);

// Has nothing come that was not read, be it that the peer has ended or not?
bool IsReadEmpty(int fd);

// Ends our side; reading goes on.
void ShutWriting(int fd);

// Closes; with `reset` so that a TCP peer sees a failure.
void Close(int fd, bool reset);

}  // namespace postern::sockets

#endif  // POSTERN_BINDING_SOCKET_H_
