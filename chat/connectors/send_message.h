#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "grpcpp/support/byte_buffer.h"
#include "hubbub/chat/v1/chat.pb.h"

namespace hubbub::chat {

// What a message of SendStream may hold: four times what a connector sends in one, because each send takes
// far more memory than its bytes.
constexpr size_t kMostSendStreamBytes = size_t{1} << 20;
constexpr int kMostSendsOfMessage = 16'384;

// Reads a message of SendStream, whose bounds are looked at before it is parsed. RESOURCE_EXHAUSTED if it is
// too much, INVALID_ARGUMENT if it is no SendStreamRequest. Pure function, thread-safe.
absl::Status ReadSends(const grpc::ByteBuffer& bytes, v1::SendStreamRequest& request);

// The bytes of an answer.
void WriteAnswers(const v1::SendStreamResponse& answers, grpc::ByteBuffer& bytes);

}  // namespace hubbub::chat
