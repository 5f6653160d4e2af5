// The bucket of a value: itself below 128, else its octave and the seven bits after the highest
// one.
#include "histogram.h"

#include <algorithm>
#include <cmath>

namespace postern::loadgen {
namespace {

constexpr uint32_t kBits = 7;
constexpr uint64_t kLinear = 1u << kBits;

uint32_t BucketOf(uint64_t value) {
  if (value < kLinear) return static_cast<uint32_t>(value);
  const uint32_t shift = 63 - static_cast<uint32_t>(__builtin_clzll(value)) - kBits;
  return static_cast<uint32_t>((shift + 1) * kLinear + ((value >> shift) & (kLinear - 1)));
}

// The middle of a bucket.
uint64_t ValueOf(uint32_t bucket) {
  if (bucket < kLinear) return bucket;
  const auto shift = static_cast<uint32_t>(bucket / kLinear - 1);
  const uint64_t low = (kLinear + bucket % kLinear) << shift;
  return low + ((uint64_t{1} << shift) >> 1);
}

}  // namespace

void Histogram::Add(uint64_t value) {
  buckets_[std::min<size_t>(BucketOf(value), buckets_.size() - 1)]++;
  count_++;
  sum_ += static_cast<double>(value);
  max_ = std::max(max_, value);
}

double Histogram::mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

uint64_t Histogram::Percentile(double share) const {
  if (count_ == 0) return 0;
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (uint32_t bucket = 0; bucket < buckets_.size(); bucket++) {
    seen += buckets_[bucket];
    if (seen >= wanted && seen > 0) return std::min(ValueOf(bucket), max_);
  }
  return max_;
}

}  // namespace postern::loadgen
