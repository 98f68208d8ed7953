#include "services/rpc/user_calls.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <set>
#include <utility>

#include "fmt/format.h"
#include "grpcpp/client_context.h"
#include "services/base/limits.h"
#include "services/base/string_map.h"

namespace hubbub::rpc {
namespace {

namespace v1 = connector::v1;
using Async = v1::ConnectorService::StubInterface::async_interface;

constexpr int kMaxPushUsers = 1000;

// What one connector said.
template <typename Response>
struct Part {
  std::string id;
  grpc::ClientContext context = {};
  Response response = {};
  grpc::Status status = {};
};
template <typename Response>
using Parts = std::deque<Part<Response>>;

// Asks all at once; the last answer calls `done`, on its thread.
template <typename Request, typename Response>
void AskAll(const std::vector<ConnectorPeer>& peers,
            void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                                  std::function<void(grpc::Status)>),
            const grpc::CallbackServerContext& caller, const Request* request,
            std::function<void(const Parts<Response>&)> done) {
  struct Round {
    std::vector<ConnectorPeer> peers;
    std::function<void(const Parts<Response>&)> done;
    Parts<Response> parts = {};
    std::atomic<size_t> left{0};
  };
  if (peers.empty()) return done({});
  auto round = std::make_shared<Round>();
  round->peers = peers;
  round->done = std::move(done);
  round->left = round->peers.size();
  for (const ConnectorPeer& peer : round->peers) {
    Part<Response>& part = round->parts.emplace_back();
    part.id = peer.id;
    SetForwarded(part.context, caller);
  }
  // `request` lives until the last answer: only that one finishes the call that it belongs to.
  for (size_t i = 0; i < round->parts.size(); ++i) {
    Part<Response>& part = round->parts[i];
    (round->peers[i].stub->async()->*method)(&part.context, request, &part.response,
                                             [round, &part](const grpc::Status& status) {
                                               part.status = status;
                                               if (--round->left == 0) round->done(round->parts);
                                             });
  }
}

// OK if every connector has answered; NOT_FOUND is an answer.
template <typename Response>
grpc::Status Verdict(const Parts<Response>& parts, uint32_t sessions) {
  std::string silent;
  for (const auto& part : parts) {
    const grpc::StatusCode code = part.status.error_code();
    if (code == grpc::StatusCode::OK || code == grpc::StatusCode::NOT_FOUND) continue;
    if (code == grpc::StatusCode::INVALID_ARGUMENT) return part.status;
    silent += fmt::format("{}'{}' ({})", silent.empty() ? "" : ", ", part.id, part.status.error_message());
  }
  if (silent.empty()) return grpc::Status::OK;
  return {grpc::StatusCode::UNAVAILABLE,
          fmt::format("no answer from connector {}: whether users there were reached is not known; sessions "
                      "reached elsewhere: {}",
                      silent, sessions)};
}

template <typename Response>
void AddSessions(const Parts<Response>& parts, Response& total) {
  for (const auto& part : parts) {
    if (part.status.ok()) total.set_sessions(total.sessions() + part.response.sessions());
  }
}

}  // namespace

absl::StatusOr<PushUsers> UsersOf(const v1::PushRequest& request) {
  if (request.users().empty() || request.users_size() > kMaxPushUsers) {
    return absl::InvalidArgumentError(
        fmt::format("users has {} names: 1 to {} are allowed", request.users_size(), kMaxPushUsers));
  }
  PushUsers users;
  StringSet named;
  StringSet repeated;
  for (int i = 0; i < request.users_size(); ++i) {
    const std::string& user = request.users(i);
    if (absl::Status status = CheckName(fmt::format("users[{}]", i), user); !status.ok()) return status;
    if (named.insert(user).second) {
      users.each.push_back(user);
    } else if (repeated.insert(user).second) {
      users.repeated.push_back(user);
    }
  }
  return users;
}

void DisconnectAt(const std::vector<ConnectorPeer>& peers, const grpc::CallbackServerContext& caller,
                  const v1::DisconnectRequest* request, v1::DisconnectResponse* response,
                  grpc::ServerUnaryReactor* reactor) {
  AskAll<v1::DisconnectRequest, v1::DisconnectResponse>(
      peers, &Async::Disconnect, caller, request,
      [request, response, reactor](const Parts<v1::DisconnectResponse>& parts) {
        AddSessions(parts, *response);
        grpc::Status status = Verdict(parts, response->sessions());
        if (status.ok() && response->sessions() == 0) {
          status = {grpc::StatusCode::NOT_FOUND,
                    fmt::format("user '{}' has no session on any connector", request->user())};
        }
        reactor->Finish(status);
      });
}

void PushAt(const std::vector<ConnectorPeer>& peers, const grpc::CallbackServerContext& caller,
            const v1::PushRequest* request, v1::PushResponse* response, grpc::ServerUnaryReactor* reactor) {
  AskAll<v1::PushRequest, v1::PushResponse>(
      peers, &Async::Push, caller, request, [response, reactor](const Parts<v1::PushResponse>& parts) {
        AddSessions(parts, *response);
        // A user is missing who is missing at every connector.
        auto& missing = *response->mutable_missing_users();
        for (const auto& part : parts) {
          if (!part.status.ok()) continue;
          const std::set<std::string> there(part.response.missing_users().begin(),
                                            part.response.missing_users().end());
          missing.erase(std::remove_if(missing.begin(), missing.end(),
                                       [&](const std::string& user) { return !there.contains(user); }),
                        missing.end());
        }
        reactor->Finish(Verdict(parts, response->sessions()));
      });
}

void BroadcastAt(const std::vector<ConnectorPeer>& peers, const grpc::CallbackServerContext& caller,
                 const v1::BroadcastRequest* request, v1::BroadcastResponse* response,
                 grpc::ServerUnaryReactor* reactor) {
  AskAll<v1::BroadcastRequest, v1::BroadcastResponse>(
      peers, &Async::Broadcast, caller, request,
      [response, reactor](const Parts<v1::BroadcastResponse>& parts) {
        AddSessions(parts, *response);
        reactor->Finish(Verdict(parts, response->sessions()));
      });
}

}  // namespace hubbub::rpc
