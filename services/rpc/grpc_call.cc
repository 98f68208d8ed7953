#include "services/rpc/grpc_call.h"

#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/client_callback.h"
#include "services/base/mutex.h"
#include "services/http2/message_framing.h"
#include "services/rpc/grpc_status.h"

namespace hubbub::rpc {
namespace {

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::string bytes;
  grpc::Slice whole;
  if (buffer.TrySingleSlice(&whole).ok() || buffer.DumpToSingleSlice(&whole).ok())
    bytes.assign(reinterpret_cast<const char*>(whole.begin()), whole.size());
  return bytes;
}

grpc::ByteBuffer Unframed(std::string_view framed) {
  framed.remove_prefix(http2::kPrefixBytes);  // The library writes its own.
  const grpc::Slice slice(framed.data(), framed.size());
  return {&slice, 1};
}

// Owns itself until its end. gRPC allows one write at a time, so what is written meanwhile waits.
class GrpcCall final : public http2::Call,
                       public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                       public std::enable_shared_from_this<GrpcCall> {
 public:
  GrpcCall(net::Loop& loop, http2::CallEvents events) : loop_(loop), events_(std::move(events)) {}

  void Start(grpc::GenericStub& stub, const http2::CallRequest& request) {
    self_ = shared_from_this();
    loop_.Hold();
    for (const auto& [name, value] : request.metadata) context_.AddMetadata(name, value);
    stub.PrepareBidiStreamingCall(&context_, request.method, {}, this);
    AddHold();  // Writes come from the loop.
    StartRead(&incoming_);
    StartCall();
  }

  void Write(std::string framed) override {
    MutexLock lock(mu_);
    if (ended_ || writes_ended_) return;
    outgoing_ = Unframed(framed);
    writing_ = true;
    StartWrite(&outgoing_);
  }
  void EndWrites() override {
    MutexLock lock(mu_);
    if (ended_ || std::exchange(writes_ended_, true)) return;
    if (!writing_) StartWritesDone();
  }
  void Cancel() override { context_.TryCancel(); }

 private:
  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(mu_);
      writing_ = false;
      if (ok && writes_ended_ && !ended_) StartWritesDone();
    }
    if (!ok) return;
    loop_.Post([self = shared_from_this()] {
      if (self->events_.on_written) self->events_.on_written();
    });
  }
  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        MutexLock lock(mu_);
        ended_ = true;
      }
      return RemoveHold();
    }
    loop_.Post([self = shared_from_this(), message = BytesOf(incoming_)] {
      if (self->events_.on_message) self->events_.on_message(message);
    });
    StartRead(&incoming_);
  }
  void OnDone(const grpc::Status& status) override {
    net::Loop& loop = loop_;
    loop.Post([self = std::move(self_), status = OutcomeOf(status)] {
      if (self->events_.on_end) self->events_.on_end(status);
      self->loop_.Release();
    });
  }

  absl::Status OutcomeOf(const grpc::Status& answer) const {
    absl::Status status = FromGrpc(answer);
    if (status.ok()) return status;
    for (const auto& [name, value] : context_.GetServerTrailingMetadata())
      status.SetPayload({name.data(), name.size()},
                        absl::Cord(absl::string_view(value.data(), value.size())));
    return status;
  }

  net::Loop& loop_;
  const http2::CallEvents events_;
  std::shared_ptr<GrpcCall> self_;
  grpc::ClientContext context_;
  grpc::ByteBuffer incoming_;
  Mutex mu_;
  grpc::ByteBuffer outgoing_ ABSL_GUARDED_BY(mu_);  // Read by gRPC while writing_.
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool writes_ended_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace

http2::OpenCall GrpcCalls(net::Loop& loop, std::shared_ptr<grpc::Channel> channel) {
  return [&loop, stub = std::make_shared<grpc::GenericStub>(std::move(channel))](
             const http2::CallRequest& request, http2::CallEvents events) -> std::shared_ptr<http2::Call> {
    auto call = std::make_shared<GrpcCall>(loop, std::move(events));
    call->Start(*stub, request);
    return call;
  };
}

}  // namespace hubbub::rpc
