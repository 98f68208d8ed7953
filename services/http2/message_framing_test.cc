#include "services/http2/message_framing.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"

namespace hubbub::http2 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string FramedText(const std::string& value) {
  google::protobuf::StringValue message;
  message.set_value(value);
  return FrameMessage(message);
}

std::string ValueOf(std::string_view message) {
  google::protobuf::StringValue value;
  EXPECT_TRUE(value.ParseFromArray(message.data(), static_cast<int>(message.size())));
  return value.value();
}

TEST(MessageFramingTest, AMessageHasItsLengthBeforeIt) {
  EXPECT_EQ(FramedText("ab"), std::string("\0\0\0\0\x04\x0a\x02"
                                          "ab",
                                          9));
  EXPECT_EQ(FramedText(""), std::string(5, '\0'));
}

// However the bytes are cut.
TEST(MessageFramingTest, MessagesAreFoundInPieces) {
  const std::string bytes =
      FramedText("first") + FramedText("") + FramedText(std::string(300, 'x')) + FramedText("last");
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    MessageReader reader;
    std::vector<std::string> values;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      ASSERT_TRUE(reader
                      .Read(std::string_view(bytes).substr(at, piece),
                            [&](std::string_view message) { values.push_back(ValueOf(message)); })
                      .ok());
    }
    EXPECT_THAT(values, ElementsAre("first", "", std::string(300, 'x'), "last")) << "in pieces of " << piece;
    EXPECT_TRUE(reader.empty());
  }
}

TEST(MessageFramingTest, MistakesAreNamed) {
  struct Case {
    const char* what;
    std::string bytes;
    absl::StatusCode code;
    const char* says;
  };
  const std::vector<Case> cases = {
      {"compressed", std::string("\1", 1), absl::StatusCode::kInternal, "has compressed a message"},
      {"a byte more than the most", std::string("\0\0\x40\0\1", 5), absl::StatusCode::kResourceExhausted,
       "a message of 4194305 bytes; 4194304 are the most"},
      {"4 GiB", std::string("\0\xff\xff\xff\xff", 5), absl::StatusCode::kResourceExhausted,
       "4294967295 bytes"},
  };
  for (const Case& one : cases) {
    for (const size_t piece : {size_t{1}, one.bytes.size()}) {
      MessageReader reader;
      absl::Status status;
      for (size_t at = 0; at < one.bytes.size() && status.ok(); at += piece) {
        status = reader.Read(std::string_view(one.bytes).substr(at, piece),
                             [](std::string_view) { FAIL() << "there is no message"; });
      }
      EXPECT_EQ(status.code(), one.code) << one.what;
      EXPECT_THAT(std::string(status.message()), HasSubstr(one.says)) << one.what;
    }
  }
}

}  // namespace
}  // namespace hubbub::http2
