// Options → the socket address of the server, and sockets that connect to it.
// Addresses are numbers: nothing is looked up.
#ifndef POSTERN_LOADGEN_SERVER_ADDRESS_H_
#define POSTERN_LOADGEN_SERVER_ADDRESS_H_

#include <sys/socket.h>

#include "options.h"

namespace postern::loadgen {

struct ServerAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

// Ends the process with a sentence where the options name none.
ServerAddress AddressOf(const Options& options);

// A socket that does not block, and has begun to connect: -1 with errno when it could not.
// EAGAIN: the queue of a unix socket is full. connected: whether it is done already.
int BeginConnecting(const ServerAddress& address, bool& connected);

// The monotonic clock.
uint64_t NowNanoseconds();

}  // namespace postern::loadgen

#endif  // POSTERN_LOADGEN_SERVER_ADDRESS_H_
