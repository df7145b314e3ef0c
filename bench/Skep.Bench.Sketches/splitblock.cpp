// The peer: a split-block Bloom filter as one writes it in C++, with the same hash, the same blocks and the same bits.
//   splitblock BLOCKS KEYS ASKED PASSES
// fills a filter, then looks ASKED keys of an array up, PASSES times, for each line on standard input; prints the seconds and the hits.
#include <immintrin.h>
#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

static inline uint64_t rotl(uint64_t x, int r) { return (x << r) | (x >> (64 - r)); }

static inline uint64_t xxh64(uint64_t key) {
  constexpr uint64_t p1 = 0x9E3779B185EBCA87, p2 = 0xC2B2AE3D27D4EB4F, p3 = 0x165667B19E3779F9, p4 = 0x85EBCA77C2B2AE63,
                     p5 = 0x27D4EB2F165667C5;
  uint64_t h = p5 + 8;
  h ^= rotl(key * p2, 31) * p1;
  h = rotl(h, 27) * p1 + p4;
  h = (h ^ (h >> 33)) * p2;
  h = (h ^ (h >> 29)) * p3;
  return h ^ (h >> 32);
}

class Filter {
 public:
  explicit Filter(uint64_t blocks) : count_(blocks), blocks_(static_cast<__m256i*>(aligned_alloc(64, (blocks * 32 + 63) / 64 * 64))) {
    std::memset(blocks_, 0, blocks * 32);
  }
  void Add(uint64_t key) {
    uint64_t h = xxh64(key);
    __m256i* block = At(h);
    _mm256_store_si256(block, _mm256_or_si256(_mm256_load_si256(block), Mask(static_cast<uint32_t>(h))));
  }
  bool Contains(uint64_t key) const {
    uint64_t h = xxh64(key);
    return _mm256_testc_si256(_mm256_load_si256(At(h)), Mask(static_cast<uint32_t>(h)));
  }

 private:
  __m256i* At(uint64_t h) const { return blocks_ + (((h >> 32) * count_) >> 32); }
  static __m256i Mask(uint32_t key) {
    const __m256i salts = _mm256_setr_epi32(0x47b6137b, 0x44974d91, static_cast<int>(0x8824ad5b), static_cast<int>(0xa2b7289d), 0x705495c7,
                                            0x2df1424b, static_cast<int>(0x9efc4947), 0x5c6bfb31);
    __m256i bits = _mm256_srli_epi32(_mm256_mullo_epi32(_mm256_set1_epi32(static_cast<int>(key)), salts), 27);
    return _mm256_sllv_epi32(_mm256_set1_epi32(1), bits);
  }
  uint64_t count_;
  __m256i* blocks_;
};

int main(int, char** args) {
  const uint64_t blocks = strtoull(args[1], nullptr, 10), keys = strtoull(args[2], nullptr, 10), asked = strtoull(args[3], nullptr, 10),
                 passes = strtoull(args[4], nullptr, 10);
  constexpr uint64_t step = 0x9E3779B97F4A7C15;
  Filter filter(blocks);
  for (uint64_t i = 0; i < keys; i++) filter.Add(i * step);
  uint64_t* array = static_cast<uint64_t*>(malloc(asked * 8));
  // Half of them are in the filter.
  for (uint64_t i = 0; i < asked; i++) array[i] = i * 7919 % (2 * keys) * step;
  char line[16];
  while (fgets(line, sizeof line, stdin)) {
    auto began = std::chrono::steady_clock::now();
    uint64_t hits = 0;
    for (uint64_t pass = 0; pass < passes; pass++)
      for (uint64_t i = 0; i < asked; i++) hits += filter.Contains(array[i]);
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    printf("%.9f %" PRIu64 "\n", took.count(), hits);
    fflush(stdout);
  }
}
