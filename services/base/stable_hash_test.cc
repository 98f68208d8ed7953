#include "services/base/stable_hash.h"

#include <string>

#include "gtest/gtest.h"

namespace hubbub {
namespace {

// Where a room lives follows from these: a change moves every room and breaks suites of mixed versions.
TEST(StableHash, KeepsItsGoldenValues) {
  static_assert(StableHash("") == 0xf52a15e9a9b5e89bu);
  static_assert(StableHash("a") == 0x02c0bdbf481420f8u);
  static_assert(StableHash("room1") == 0x47a1e7c99b2d6ddbu);
  static_assert(StableHash("room2") == 0x08b961b0cc55b0aeu);
  static_assert(StableHash("\xe6\x97\xa5\xe6\x9c\xac\xff") == 0x92fccc6e93347c08u);
}

TEST(StableHash, SpreadsNamesThatDifferInTheirLastCharacter) {
  int buckets[16] = {};
  for (int i = 0; i < 16000; ++i) ++buckets[StableHash("room" + std::to_string(i)) % 16];
  for (const int count : buckets) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace hubbub
