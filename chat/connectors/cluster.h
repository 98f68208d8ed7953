#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "chat/connectors/loss_report.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"

namespace hubbub::chat {

// A way to call another chat server, the owner of a room.
using OwnerStub = std::shared_ptr<v1::ChatService::StubInterface>;

// What a chat server's services ask about the other chat servers. Where a pointer to it may be null, null
// means that the server is alone. Thread-safe; no method blocks.
class Cluster {
 public:
  virtual ~Cluster() = default;

  // OK while this server may serve; otherwise what the caller gets.
  virtual absl::Status Ready() const = 0;
  // Names this run of this server.
  virtual uint64_t incarnation() const = 0;
  // A stub for the chat server with this id; null if there is none.
  virtual OwnerStub StubOf(const std::string& server_id) const = 0;

  enum class Loss {
    kBeingRecovered,  // `done` is called later, on another thread, when all connectors have reported.
    kRecovered,       // `done` is never called: restore the rooms now.
    kNotLost,         // `done` is never called: this server can reach that run of `lost`.
  };
  // Takes the report of a connector that has lost run `incarnation` of the chat server `lost`.
  virtual Loss Report(const std::string& lost, uint64_t incarnation, const LossReport& report,
                      RestoreDone done) = 0;
};

}  // namespace hubbub::chat
