#include "services/pomelo/deflate.h"

#include <cstdint>
#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/pomelo/testing/vectors.h"

namespace hubbub::pomelo {
namespace {

using ::testing::HasSubstr;

constexpr size_t kMax = 64 * 1024;

// The word "hello" twelve times, by Python's zlib and gzip.
const std::string kHello = [] {
  std::string text;
  for (int i = 0; i < 12; ++i) text += "hello";
  return text;
}();
constexpr std::string_view kZlib = "789ccb48cdc9c9cf208f0000f7f618f1";
constexpr std::string_view kGzip = "1f8b0800000000000203cb48cdc9c9cf208f0000436489343c000000";

TEST(DeflateTest, InflatesZlibAndGzip) {
  for (const std::string_view hex : {kZlib, kGzip}) {
    const Tight stream(FromHex(hex));
    const absl::StatusOr<std::string> text = Inflate(stream.view(), kMax);
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_EQ(*text, kHello);
  }
}

TEST(DeflateTest, InflatesWhatItHasDeflated) {
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    const std::string text = RandomText(random, 2000);
    const std::optional<std::string> stream = DeflateIfSmaller(text);
    if (!stream) continue;
    EXPECT_LT(stream->size(), text.size());
    EXPECT_EQ(stream->substr(0, 2), "\x78\x9c") << "clients would not recognise it";
    const absl::StatusOr<std::string> back = Inflate(Tight(*stream).view(), text.size());
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, text);
  }
}

TEST(DeflateTest, LeavesWhatWouldNotGetSmaller) {
  EXPECT_FALSE(DeflateIfSmaller(""));
  EXPECT_FALSE(DeflateIfSmaller(std::string(kMinDeflateBytes - 1, 'a')));
  EXPECT_TRUE(DeflateIfSmaller(std::string(kMinDeflateBytes, 'a')));
  std::mt19937 random(2);
  std::string noise(4096, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  EXPECT_FALSE(DeflateIfSmaller(noise));
}

TEST(DeflateTest, StopsAtTheLimit) {
  const std::string stream = FromHex(kZlib);
  EXPECT_TRUE(Inflate(stream, kHello.size()).ok());
  for (const size_t max : {size_t{0}, size_t{1}, kHello.size() - 1}) {
    size_t made = 0;
    const absl::StatusOr<std::string> text = Inflate(stream, max, &made);
    ASSERT_EQ(text.status().code(), absl::StatusCode::kOutOfRange) << max;
    EXPECT_EQ(made, max);
    EXPECT_THAT(text.status().message(), HasSubstr("holds more than"));
  }
  // 10 MiB in about 10 KB.
  const std::string bomb = *DeflateIfSmaller(std::string(10 << 20, '\0'));
  EXPECT_LT(bomb.size(), 20'000u);
  EXPECT_THAT(Inflate(bomb, kMax).status().message(), HasSubstr("more than the 65536 bytes"));
  EXPECT_EQ(Inflate(bomb, 10 << 20)->size(), size_t{10} << 20);
}

TEST(DeflateTest, InflatesNothingToNothing) {
  const absl::StatusOr<std::string> text = Inflate(FromHex("789c030000000001"), 0);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "");
}

TEST(DeflateTest, RefusesStreamsThatEndTooEarly) {
  for (const std::string_view hex : {kZlib, kGzip}) {
    const std::string stream = FromHex(hex);
    for (size_t size = 0; size < stream.size(); ++size) {
      const absl::StatusOr<std::string> text = Inflate(Tight(stream.substr(0, size)).view(), kMax);
      EXPECT_EQ(text.status().code(), absl::StatusCode::kInvalidArgument) << size;
    }
  }
}

TEST(DeflateTest, SaysWhatIsWrong) {
  const struct {
    const char *name, *hex, *why;
  } cases[] = {
      {"an empty body", "", "too early"},
      {"bytes behind the end", "789ccb48cdc9c9cf208f0000f7f618f100", "1 bytes behind its end"},
      {"a second stream", "789c030000000001789c030000000001", "8 bytes behind its end"},
      {"a second gzip member",
       "1f8b0800000000000203030000000000000000001f8b080000000000020303000000000000000000",
       "20 bytes behind its end"},
      {"JSON", "7b2261223a317d", "neither zlib nor gzip"},
      {"deflate without a head", "cb48cdc9c9cf208f0000", "neither zlib nor gzip"},
      {"a wrong checksum", "789ccb48cdc9c9cf208f0000f7f618f2", "damaged"},
      {"a block type that does not exist", "789c07", "damaged"},
      {"a preset dictionary", "78bb062c0215ab000000790079", "dictionary"},
  };
  for (const auto& c : cases) {
    const absl::StatusOr<std::string> text = Inflate(Tight(FromHex(c.hex)).view(), kMax);
    EXPECT_EQ(text.status().code(), absl::StatusCode::kInvalidArgument) << c.name;
    EXPECT_THAT(text.status().message(), HasSubstr(c.why)) << c.name;
  }
}

}  // namespace
}  // namespace hubbub::pomelo
