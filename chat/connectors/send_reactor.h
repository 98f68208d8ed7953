#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "chat/connectors/send_chains.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/base/mutex.h"

namespace hubbub::chat {

// The reactor of one SendStream call. Sends are done as they are read; at most one write is in flight, and
// the answers that come during it leave as the next one. While many answers are owed or wait nothing is read,
// so that a caller that does not read its answers cannot send either. Messages are bounded before they are
// parsed (ReadSends). Thread-safe. gRPC owns it: it calls `on_done` and deletes itself at its end, and sends
// that are pending then are answered to nobody.
class SendReactor final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  SendReactor(SendChains::DoSend do_send, std::function<void(SendReactor*)> on_done);

  // Ends the stream with `status` once all that was done has been answered.
  void End(grpc::Status status) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  static constexpr int kMostWaiting = 4'096;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // From any thread, with the lock of chains_ held.
  void OnAnswers(v1::SendStreamResponse& answers) ABSL_LOCKS_EXCLUDED(mu_);
  void Flush() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Reads on if that had to wait, and has not to any more.
  void ReadOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EndLocked(grpc::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Nobody reads what is owed.
  void Break() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::function<void(SendReactor*)> on_done_;
  const std::shared_ptr<SendChains> chains_;
  grpc::ByteBuffer read_;  // The read callback's alone, as the next.
  v1::SendStreamRequest request_;
  Mutex mu_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool reading_ ABSL_GUARDED_BY(mu_) = true;
  bool broken_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  int owed_ ABSL_GUARDED_BY(mu_) = 0;  // Sends that were read and have no answer yet.
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mu_);
  v1::SendStreamResponse waiting_ ABSL_GUARDED_BY(mu_);
  grpc::ByteBuffer leaving_;  // Read by gRPC while `writing_`.
};

}  // namespace hubbub::chat
