// Latencies in nanoseconds → percentiles, in constant memory.
// Buckets are log-linear: 128 to each power of two, so a percentile is at most 0.8 % off. The
// largest is exact.
#ifndef POSTERN_LOADGEN_HISTOGRAM_H_
#define POSTERN_LOADGEN_HISTOGRAM_H_

#include <array>
#include <cstdint>

namespace postern::loadgen {

class Histogram {
 public:
  void Add(uint64_t value);
  uint64_t count() const { return count_; }
  uint64_t max() const { return max_; }
  double mean() const;
  // The value that `share` (0 to 1) of all values do not exceed; 0 when there are none.
  uint64_t Percentile(double share) const;

 private:
  static constexpr uint32_t kPerOctave = 128;
  std::array<uint64_t, 58 * kPerOctave> buckets_{};
  uint64_t count_ = 0;
  uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace postern::loadgen

#endif  // POSTERN_LOADGEN_HISTOGRAM_H_
