// Writing, and the ways in which a connection ends.
// A descriptor is closed once, here, on TypeScript's word or after it has said so beforehand.
// sendmsg(2), shutdown(2).
#include "socket.h"
#include "transport.h"

namespace postern {
namespace {

// Pieces below this are copied when the kernel does not take them at once: a reference costs more.
constexpr size_t kReferBytesMin = 4'096;

}  // namespace

uint64_t Transport::Send(Connection& connection, const iovec* pieces, const napi_value* owners,
                         size_t count) {
  if (connection.failed || connection.closing) return 0;
  uint64_t taken = 0;
  if (connection.queued_bytes() == 0) {
    const int64_t written = sockets::Write(connection.fd, pieces, count);
    if (written < 0 && written != -EAGAIN) {
      Lose(connection);
      return 0;
    }
    taken = written < 0 ? 0 : static_cast<uint64_t>(written);
    connection.written_bytes += taken;
  }
  for (size_t i = 0; i < count; i++) {
    const size_t length = pieces[i].iov_len;
    if (taken >= length) {
      taken -= length;
      continue;
    }
    if (!connection.output) connection.output = std::make_unique<OutputQueue>(env_);
    // SAFETY: taken < length.
    const uint8_t* rest = static_cast<const uint8_t*>(pieces[i].iov_base) + taken;
    const size_t rest_length = length - static_cast<size_t>(taken);
    taken = 0;
    if (owners[i] != nullptr && rest_length >= kReferBytesMin) {
      connection.output->Refer(rest, rest_length, owners[i]);
    } else {
      connection.output->Copy(rest, rest_length);
    }
  }
  UpdateInterest(connection);
  return connection.queued_bytes();
}

void Transport::FlushOutput(Connection& connection) {
  if (connection.queued_bytes() == 0) return;
  const int64_t written = connection.output->Flush(connection.fd);
  if (written < 0) {
    return Gone(connection, static_cast<int>(-written));
  }
  connection.written_bytes += static_cast<uint64_t>(written);
  if (connection.queued_bytes() > 0) return;
  connection.output.reset();
  if (connection.closing) return Gone(connection, 0);
  const bool is_over = connection.finishing && FinishNow(connection);
  // Said before the end: who waits for these bytes would take it for their loss.
  Row(TransportRow::kDrained, connection, 0, 0, 0);
  if (is_over) return Gone(connection, 0);
  UpdateInterest(connection);
}

// Everything is written. Returns whether the connection can be closed altogether: the peer has
// ended, or has nothing more to send and nothing of it is unread.
bool Transport::FinishNow(Connection& connection) {
  if (connection.input_ended) return true;
  const bool is_quiet = connection.quiet && connection.decoder != nullptr &&
                        connection.decoder->IsQuiet() && connection.remainder.empty();
  if (is_quiet && sockets::IsReadEmpty(connection.fd)) return true;
  sockets::ShutWriting(connection.fd);
  return false;
}

void Transport::SetReading(Connection& connection, bool reading) {
  connection.reading = reading;
  UpdateInterest(connection);
}

void Transport::Drop(Connection& connection) {
  connection.dropping = true;
  std::vector<uint8_t>().swap(connection.remainder);
  SetReading(connection, true);
}

bool Transport::Finish(Connection& connection, bool quiet) {
  connection.finishing = true;
  connection.quiet = quiet;
  if (connection.queued_bytes() > 0 || !FinishNow(connection)) return false;
  CloseNow(connection, false);
  return true;
}

void Transport::CloseNow(Connection& connection, bool reset) {
  sockets::Close(connection.fd, reset);
  Remove(connection);
}

bool Transport::CloseWhenSent(Connection& connection) {
  if (connection.queued_bytes() == 0) {
    CloseNow(connection, false);
    return true;
  }
  connection.closing = true;
  Drop(connection);
  return false;
}

// Nothing can be written any more: the next Poll() says so.
void Transport::Lose(Connection& connection) {
  if (!connection.failed) lost_.push_back(connection.id);
  connection.failed = true;
}

// The connection is over; `error` is an errno, or 0.
void Transport::Gone(Connection& connection, int error) {
  Row(TransportRow::kGone, connection, 0, 0, static_cast<uint32_t>(error));
  CloseNow(connection, false);
}

void Transport::Remove(Connection& connection) {
  connections_.Remove(connection);
}

}  // namespace postern
