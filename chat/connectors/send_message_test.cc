#include "chat/connectors/send_message.h"

#include <string>

#include "gmock/gmock.h"
#include "grpcpp/support/slice.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::HasSubstr;

grpc::ByteBuffer Bytes(const std::string& text) {
  // In two pieces, as the network may bring them.
  const grpc::Slice slices[] = {grpc::Slice(text.substr(0, text.size() / 2)),
                                grpc::Slice(text.substr(text.size() / 2))};
  return {slices, 2};
}

TEST(SendMessage, ReadsWhatAConnectorSends) {
  v1::SendStreamRequest sent;
  for (uint64_t i = 0; i < 5'000; ++i) sent.add_sends()->set_number(i);
  sent.add_ended_chains(7);
  v1::SendStreamRequest read;
  ASSERT_TRUE(ReadSends(Bytes(sent.SerializeAsString()), read).ok());
  EXPECT_EQ(read.SerializeAsString(), sent.SerializeAsString());
  EXPECT_TRUE(ReadSends(Bytes(""), read).ok());
  EXPECT_EQ(read.sends_size(), 0);
}

TEST(SendMessage, RefusesWhatWouldTakeTheMemory) {
  std::string empty_sends;
  for (int i = 0; i <= kMostSendsOfMessage; ++i) empty_sends += std::string("\x0a\0", 2);
  v1::SendStreamRequest read;
  const absl::Status many = ReadSends(Bytes(empty_sends), read);
  EXPECT_EQ(many.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(many.message()),
              HasSubstr("a message of 16385 sends: one of SendStream may have 16384"));
  EXPECT_EQ(read.sends_size(), 0) << "it was not parsed";
  const absl::Status large = ReadSends(Bytes(std::string(kMostSendStreamBytes + 1, '\x0a')), read);
  EXPECT_THAT(std::string(large.message()), HasSubstr("may have 1048576"));
}

TEST(SendMessage, RefusesWhatIsNoMessage) {
  v1::SendStreamRequest read;
  for (const char* wrong : {"\x0a\x05x", "\xff\xff\xff", "\x0c", "\x0a\x02\x0a\x7f"}) {
    EXPECT_EQ(ReadSends(Bytes(wrong), read).code(), absl::StatusCode::kInvalidArgument) << wrong;
  }
}

TEST(SendMessage, WritesAnswers) {
  v1::SendStreamResponse answers;
  answers.add_answers()->set_number(3);
  grpc::ByteBuffer bytes;
  WriteAnswers(answers, bytes);
  grpc::Slice slice;
  ASSERT_TRUE(bytes.TrySingleSlice(&slice).ok());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(slice.begin()), slice.size()),
            answers.SerializeAsString());
}

}  // namespace
}  // namespace hubbub::chat
