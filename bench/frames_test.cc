#include "bench/frames.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::bench {
namespace {

using Item = FrameReader::Item;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Package(std::string_view body) {
  std::string bytes;
  pomelo::AppendPackage(pomelo::PackageType::kData, body, bytes);
  return bytes;
}

// As a server sends it: without a mask.
std::string Frame(const std::string& payload, unsigned char opcode = 2) {
  std::string bytes(1, static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    bytes += static_cast<char>(payload.size());
  } else {
    bytes += static_cast<char>(126);
    bytes += static_cast<char>(payload.size() >> 8);
    bytes += static_cast<char>(payload.size());
  }
  return bytes + payload;
}

// The bodies of all packages or texts, if the bytes come in pieces of `step`.
std::vector<std::string> Read(const std::string& bytes, size_t step, Payload payload = Payload::kPackages) {
  FrameReader reader(payload);
  std::vector<std::string> bodies;
  std::string waiting;
  for (size_t at = 0; at < bytes.size(); at += step) {
    waiting += bytes.substr(at, step);
    std::string_view left = waiting;
    pomelo::Package package;
    Item item;
    while ((item = reader.Next(left, package)) == Item::kPackage) bodies.emplace_back(package.body);
    if (item == Item::kError) bodies.push_back(reader.error());
    waiting = std::string(left);
  }
  return bodies;
}

TEST(FrameReader, FindsPackagesHoweverTheBytesAreCut) {
  const std::string longer(300, 'l');
  const std::string bytes = Frame(Package("one") + Package("two")) + Frame(Package(longer)) + Frame("", 10) +
                            Frame(Package("")) + Frame("");
  for (size_t step = 1; step <= bytes.size(); ++step) {
    EXPECT_THAT(Read(bytes, step), ElementsAre("one", "two", longer, "")) << step;
  }
}

TEST(FrameReader, RefusesAPackageSpreadOverFrames) {
  const std::string package = Package("spread");
  EXPECT_THAT(Read(Frame(package.substr(0, 6)) + Frame(package.substr(6), 0), 100),
              ElementsAre(HasSubstr("spread")));
}

TEST(FrameReader, RefusesWhatIsNoPackage) {
  EXPECT_THAT(Read(Frame("hello"), 100), ElementsAre(HasSubstr("unknown type 104")));
  EXPECT_THAT(Read(Frame("hi", 1), 100), ElementsAre(HasSubstr("kind 1")));
}

TEST(FrameReader, HandsOverPingAndClose) {
  FrameReader reader(Payload::kPackages);
  const std::string bytes = Frame("p", 9) + Frame("", 8);
  std::string_view left = bytes;
  pomelo::Package package;
  EXPECT_EQ(reader.Next(left, package), Item::kPing);
  EXPECT_EQ(package.body, "p");
  EXPECT_EQ(reader.Next(left, package), Item::kClose);
}

TEST(FrameReader, ReadsWholeTexts) {
  const std::string longer(300, 'l');
  const std::string bytes = Frame("one", 1) + Frame("", 10) + Frame(longer, 1) + Frame("end", 1);
  for (size_t step = 1; step <= bytes.size(); ++step) {
    EXPECT_THAT(Read(bytes, step, Payload::kText), ElementsAre("one", longer, "end")) << step;
  }
  EXPECT_THAT(Read(Frame("x", 2), 100, Payload::kText), ElementsAre(HasSubstr("kind 2")));
}

TEST(Frames, AClientsFrameIsMaskedWithZeros) {
  std::string bytes;
  AppendFrame(Payload::kPackages, "ab", bytes);
  EXPECT_EQ(bytes, std::string("\x82\x82\0\0\0\0ab", 8));
  bytes.clear();
  AppendFrame(Payload::kPackages, std::string(200, 'x'), bytes);
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x82\xfe\0\xc8\0\0\0\0", 8));
  bytes.clear();
  AppendFrame(Payload::kText, "ab", bytes);
  EXPECT_EQ(bytes, std::string("\x81\x82\0\0\0\0ab", 8));
}

TEST(Frames, TheAnswerToTheUpgradeIsReadToItsEnd) {
  const std::string head =
      "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
  EXPECT_EQ(UpgradeAnswer(head + "rest"), static_cast<int64_t>(head.size()));
  EXPECT_EQ(UpgradeAnswer(head.substr(0, 40)), 0);
  EXPECT_EQ(UpgradeAnswer("HTTP/1.1 404 Not Found\r\n\r\n"), -1);
}

}  // namespace
}  // namespace hubbub::bench
