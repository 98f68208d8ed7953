#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "grpcpp/support/server_callback.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/mutex.h"

namespace hubbub::chat {

// The sends of one stream and the chains that are broken: ChatService.SendStream without its gRPC rim. For
// one thread at a time.
class SendChains {
 public:
  // Does one send: its errors mean that nothing has happened.
  using DoSend = std::function<absl::Status(const v1::ChainedSend& send, v1::SendResponse& response)>;

  explicit SendChains(DoSend do_send) : do_send_(std::move(do_send)) {}

  // Does what `request` asks for, and adds the answers. RESOURCE_EXHAUSTED if there are too many broken
  // chains of which nobody has told the end.
  absl::Status Do(const v1::SendStreamRequest& request, v1::SendStreamResponse& response);

 private:
  static constexpr size_t kMostBroken = 65'536;

  absl::Status DoOne(const v1::ChainedSend& send, v1::SendResponse& response);

  const DoSend do_send_;
  absl::flat_hash_set<uint64_t> broken_;
};

// One SendStream call. Sends are done as they are read; at most one write is in flight, and answers that pile
// up meanwhile leave as the next one. While many wait nothing is read, so that whoever does not read its
// answers is not heard either. Thread-safe. gRPC owns it: it calls `on_done` and deletes itself at its end.
class SendStream final : public grpc::ServerBidiReactor<v1::SendStreamRequest, v1::SendStreamResponse> {
 public:
  SendStream(SendChains::DoSend do_send, std::function<void(SendStream*)> on_done);

  // Ends the stream with `status` once all that was done has been answered.
  void End(grpc::Status status) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  static constexpr int kMostWaiting = 4'096;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override { End(grpc::Status::CANCELLED); }
  void OnDone() override;

  void Flush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EndLocked(grpc::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::function<void(SendStream*)> on_done_;
  SendChains chains_;              // Of whoever reads.
  v1::SendStreamRequest request_;  // The same.
  Mutex mu_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool reading_ ABSL_GUARDED_BY(mu_) = true;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mu_);
  v1::SendStreamResponse waiting_ ABSL_GUARDED_BY(mu_);
  v1::SendStreamResponse leaving_;  // gRPC's while `writing_`.
};

}  // namespace hubbub::chat
