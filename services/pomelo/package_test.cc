#include "services/pomelo/package.h"

#include <stdexcept>

#include "gtest/gtest.h"
#include "services/pomelo/testing/vectors.h"

namespace hubbub::pomelo {
namespace {

TEST(Package, AgreesWithTheStockLibrary) {
  for (const boost::json::value& vector : Vectors("packages")) {
    const auto type = static_cast<PackageType>(vector.at("type").to_number<int>());
    const std::string body = HexMember(vector, "body");
    const std::string bytes = HexMember(vector, "bytes");
    std::string out = "before";
    AppendPackage(type, body, out);
    EXPECT_EQ(ToHex(out), ToHex("before" + bytes));

    const auto decoded = DecodePackage(bytes, kMaxPackageBody);
    ASSERT_TRUE(decoded.ok() && *decoded) << decoded.status();
    EXPECT_EQ((*decoded)->package.type, type);
    EXPECT_EQ((*decoded)->package.body, body);
    EXPECT_EQ((*decoded)->size, bytes.size());
  }
}

TEST(Package, ComesBackAsItWasWritten) {
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    const auto type = static_cast<PackageType>(1 + random() % 5);
    const std::string body = RandomBytes(random, 600);
    std::string out;
    AppendPackage(type, body, out);
    const size_t size = out.size();
    out += RandomBytes(random, 5);  // Whatever follows is not its business.
    const auto decoded = DecodePackage(out, 600);
    ASSERT_TRUE(decoded.ok() && *decoded) << decoded.status();
    EXPECT_EQ((*decoded)->package.type, type);
    EXPECT_EQ((*decoded)->package.body, body);
    EXPECT_EQ((*decoded)->size, size);
  }
}

TEST(Package, IsNotWholeAtAnyPrefix) {
  for (const boost::json::value& vector : Vectors("packages")) {
    const std::string bytes = HexMember(vector, "bytes");
    for (size_t size = 0; size < bytes.size(); ++size) {
      const Tight prefix(std::string_view(bytes).substr(0, size));
      const auto decoded = DecodePackage(prefix.view(), kMaxPackageBody);
      ASSERT_TRUE(decoded.ok()) << decoded.status();
      EXPECT_FALSE(*decoded) << size;
    }
  }
}

TEST(Package, RefusesATypeByItsFirstByte) {
  for (int type = 0; type < 256; ++type) {
    const Tight byte(std::string(1, static_cast<char>(type)));
    EXPECT_EQ(DecodePackage(byte.view(), 10).ok(), type >= 1 && type <= 5) << type;
  }
}

TEST(Package, RefusesALengthByItsHead) {
  EXPECT_TRUE(DecodePackage(FromHex("0400000a"), 10).ok());
  EXPECT_EQ(DecodePackage(FromHex("0400000b"), 10).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(DecodePackage(FromHex("04ffffff"), size_t{64} * 1024).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(DecodePackage(FromHex("04ffffff"), kMaxPackageBody).ok());
}

TEST(Package, IsTheSameWhenWrittenInPlace) {
  std::string copied = "a";
  AppendPackage(PackageType::kData, "body", copied);
  std::string in_place = "a";
  const size_t start = BeginPackage(PackageType::kData, in_place);
  in_place += "body";
  EndPackage(start, in_place);
  EXPECT_EQ(in_place, copied);
}

TEST(Package, AKickHasItsReasonAsJson) {
  std::string out = "a";
  AppendKick("so \"it\" is", out);
  EXPECT_EQ(out, "a" + FromHex("05000019") + R"({"reason":"so \"it\" is"})");
}

TEST(Package, RefusesToWriteWhatTheHeadCanNotSay) {
  std::string out;
  AppendPackage(PackageType::kData, std::string(kMaxPackageBody, 'x'), out);
  EXPECT_EQ(out.substr(0, 4), FromHex("04ffffff"));
  EXPECT_THROW(AppendPackage(PackageType::kData, std::string(kMaxPackageBody + 1, 'x'), out),
               std::length_error);
  EXPECT_EQ(out.size(), kPackageHead + kMaxPackageBody);
}

}  // namespace
}  // namespace hubbub::pomelo
