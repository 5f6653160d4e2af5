// Which events of a connection the epoll set waits for.
// Level-triggered: what has been told and cannot be acted upon yet is not waited for any more.
// epoll_ctl(2).
#include "transport.h"

namespace postern {

uint32_t Transport::Interest(const Connection& connection) {
  uint32_t events = 0;
  if (!connection.input_ended) {
    if (connection.reading) events |= EPOLLIN;
    if (!connection.hangup_told) events |= EPOLLRDHUP;
  }
  if (connection.queued_bytes() > 0) events |= EPOLLOUT;
  return events;
}

void Transport::Register(Connection& connection) {
  epoll_event event{};
  event.events = Interest(connection);
  event.data.u64 = connection.id;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) < 0) return Lose(connection);
  connection.interest = event.events;
  connection.registered = true;
}

void Transport::UpdateInterest(Connection& connection) {
  const uint32_t wanted = Interest(connection);
  if (!connection.registered || wanted == connection.interest) return;
  epoll_event event{};
  event.events = wanted;
  event.data.u64 = connection.id;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
  connection.interest = wanted;
}

}  // namespace postern
