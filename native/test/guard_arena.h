// Memory whose neighbours cannot be read: one byte too far and the process dies where it happened.
// It decodes nothing. Test code for systems with mmap.
#ifndef POSTERN_TEST_GUARD_ARENA_H_
#define POSTERN_TEST_GUARD_ARENA_H_

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace postern::test {

// `size` bytes between two unreadable pages, rounded up to whole pages.
class GuardedPages {
 public:
  explicit GuardedPages(size_t size) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    size_ = (size + page - 1) / page * page;
    Map(page, size_ + 2 * page);
    Open(page, size_);
  }

  // First byte; the byte before it is unreadable.
  uint8_t* begin() const { return base_ + page_; }
  // After the last byte; the byte here is unreadable.
  uint8_t* end() const { return base_ + page_ + size_; }

  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;
  ~GuardedPages() { munmap(base_, mapped_); }

 protected:
  GuardedPages() = default;

  void Map(size_t page, size_t mapped) {
    page_ = page;
    mapped_ = mapped;
    void* memory = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) Die("mmap");
    base_ = static_cast<uint8_t*>(memory);
  }

  void Open(size_t offset, size_t length) {
    if (mprotect(base_ + offset, length, PROT_READ | PROT_WRITE) != 0) Die("mprotect");
  }

  static void Die(const char* what) {
    std::perror(what);
    std::abort();
  }

  uint8_t* base_ = nullptr;
  size_t page_ = 0;
  size_t size_ = 0;
  size_t mapped_ = 0;
};

// A ring whose read area has an unreadable page on either side, and so has its head area:
//   | unreadable | read area | unreadable | head area | unreadable |
// To the decoder it is one stretch of memory; only the two areas may ever be touched.
class GuardedRing : public GuardedPages {
 public:
  GuardedRing(size_t read_bytes, size_t head_bytes) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const auto round = [page](size_t size) { return (size + page - 1) / page * page; };
    size_ = round(read_bytes);
    head_size_ = round(head_bytes);
    head_bytes_ = head_bytes;
    Map(page, page + size_ + page + head_size_ + page);
    Open(page, size_);
    Open(page + size_ + page, head_size_);
  }

  // Offsets from base(), which is what the decoder is given as the ring's first byte.
  uint8_t* base() const { return base_; }
  uint32_t read_start() const { return static_cast<uint32_t>(page_); }
  uint32_t read_end() const { return static_cast<uint32_t>(page_ + size_); }
  // The head area ends where the unreadable page begins.
  uint32_t head_start() const { return head_end() - static_cast<uint32_t>(head_bytes_); }
  uint32_t head_end() const { return static_cast<uint32_t>(page_ + size_ + page_ + head_size_); }

 private:
  size_t head_size_ = 0;
  size_t head_bytes_ = 0;
};

}  // namespace postern::test

#endif  // POSTERN_TEST_GUARD_ARENA_H_
