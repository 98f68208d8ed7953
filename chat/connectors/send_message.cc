#include "chat/connectors/send_message.h"

#include "fmt/format.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/proto_buffer_reader.h"

namespace hubbub::chat {
namespace {

using google::protobuf::internal::WireFormatLite;

// How many fields of this number there are; -1 if the bytes are no message.
int CountFields(const grpc::ByteBuffer& bytes, int number) {
  // The reader takes a buffer that it may change, and changes none.
  grpc::ByteBuffer copy(bytes);
  grpc::ProtoBufferReader reader(&copy);
  google::protobuf::io::CodedInputStream in(&reader);
  int count = 0;
  while (const uint32_t tag = in.ReadTag()) {
    if (WireFormatLite::GetTagFieldNumber(tag) == number) ++count;
    if (!WireFormatLite::SkipField(&in, tag)) return -1;
  }
  return in.ConsumedEntireMessage() ? count : -1;
}

}  // namespace

absl::Status ReadSends(const grpc::ByteBuffer& bytes, v1::SendStreamRequest& request) {
  if (bytes.Length() > kMostSendStreamBytes) {
    return absl::ResourceExhaustedError(fmt::format("a message of {} bytes: one of SendStream may have {}",
                                                    bytes.Length(), kMostSendStreamBytes));
  }
  const int sends = CountFields(bytes, v1::SendStreamRequest::kSendsFieldNumber);
  if (sends > kMostSendsOfMessage) {
    return absl::ResourceExhaustedError(
        fmt::format("a message of {} sends: one of SendStream may have {}", sends, kMostSendsOfMessage));
  }
  grpc::ByteBuffer copy(bytes);
  if (sends < 0 || !grpc::SerializationTraits<v1::SendStreamRequest>::Deserialize(&copy, &request).ok())
    return absl::InvalidArgumentError("the message is no SendStreamRequest");
  return absl::OkStatus();
}

void WriteAnswers(const v1::SendStreamResponse& answers, grpc::ByteBuffer& bytes) {
  bytes.Clear();
  bool own = false;
  (void)grpc::SerializationTraits<v1::SendStreamResponse>::Serialize(answers, &bytes, &own);
}

}  // namespace hubbub::chat
