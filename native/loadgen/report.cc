// Units are in the names. CPU of the server is null where no process was named.
#include "report.h"

#include <cstdarg>
#include <cstdio>

namespace postern::loadgen {
namespace {

using Number = unsigned long long;

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    quoted += letter >= 0 && letter < ' ' ? ' ' : letter;
  }
  return quoted + "\"";
}

double Microseconds(uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e3;
}

void PrintLatency(const Histogram& latency) {
  std::printf(
      "\"latencyUs\":{\"mean\":%.1f,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%."
      "1f},",
      latency.mean() / 1e3, Microseconds(latency.Percentile(0.5)),
      Microseconds(latency.Percentile(0.9)), Microseconds(latency.Percentile(0.99)),
      Microseconds(latency.Percentile(0.999)), Microseconds(latency.max()));
}

void PrintServer(const Outcome& outcome, double requests) {
  if (outcome.after.processes == 0) {
    std::printf("\"server\":null,");
    return;
  }
  const auto cpu_ns = static_cast<double>(outcome.after.nanoseconds - outcome.before.nanoseconds);
  const double ticks_s = outcome.after.ticks_s - outcome.before.ticks_s;
  std::printf(
      "\"server\":{\"cpuUsPerRequest\":%.3f,\"tickCpuUsPerRequest\":%.3f,\"cores\":%.3f,"
      "\"rssBeforeBytes\":%llu,\"rssAfterBytes\":%llu,\"processes\":%u},",
      cpu_ns / 1e3 / requests, ticks_s * 1e6 / requests, cpu_ns / 1e9 / outcome.seconds,
      static_cast<Number>(outcome.before.rss_bytes), static_cast<Number>(outcome.after.rss_bytes),
      outcome.after.processes);
}

}  // namespace

void PrintReport(const Options& options, const Outcome& outcome, const Tally& tally) {
  // Nothing answered: figures of one request, so that no division is by zero; "requests" says 0.
  const double requests = tally.requests == 0 ? 1 : static_cast<double>(tally.requests);
  std::printf("{\"requests\":%llu,\"errors\":%llu,\"firstError\":%s,",
              static_cast<Number>(tally.requests), static_cast<Number>(tally.errors),
              tally.errors == 0 ? "null" : Quoted(tally.first_error).c_str());
  std::printf("\"retries\":%llu,\"connects\":%llu,\"servedConnections\":%llu,",
              static_cast<Number>(tally.retries), static_cast<Number>(tally.connects),
              static_cast<Number>(tally.served_connections));
  std::printf("\"seconds\":%.3f,\"requestsPerSecond\":%.1f,", outcome.seconds,
              static_cast<double>(tally.requests) / outcome.seconds);
  std::printf("\"receivedBytes\":%llu,\"sentBytes\":%llu,",
              static_cast<Number>(tally.received_bytes), static_cast<Number>(tally.sent_bytes));
  PrintLatency(tally.latency_ns);
  PrintServer(outcome, requests);
  if (options.once) {
    std::printf("\"allServedMs\":%.1f,\"openConnections\":%llu,", outcome.all_served_ms,
                static_cast<Number>(outcome.open_connections));
  }
  const auto own_ns = static_cast<double>(outcome.own_cpu_ns);
  std::printf("\"own\":{\"cpuUsPerRequest\":%.3f,\"cores\":%.3f}}\n", own_ns / 1e3 / requests,
              own_ns / 1e9 / outcome.seconds);
}

}  // namespace postern::loadgen
