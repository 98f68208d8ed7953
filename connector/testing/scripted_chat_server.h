#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "hubbub/chat/v1/history.grpc.pb.h"

namespace hubbub::connector {

// What chat servers of tests have in common, over gRPC on a port of their own: a lease for each connector,
// and nothing to tell it. What is not overridden is UNIMPLEMENTED. A test's class calls End in its
// destructor, because calls may be under way.
class ScriptedChatServer : public chat::v1::ChatService::Service, public chat::v1::HistoryService::Service {
 public:
  static constexpr uint64_t kLease = 5;

  uint16_t port() const { return static_cast<uint16_t>(port_); }

 protected:
  ScriptedChatServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(static_cast<chat::v1::ChatService::Service*>(this));
    builder.RegisterService(static_cast<chat::v1::HistoryService::Service*>(this));
    server_ = builder.BuildAndStart();
  }
  void End() {
    {
      const std::lock_guard lock(mu_);
      ended_ = true;
    }
    changed_.notify_all();
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  grpc::Status Subscribe(grpc::ServerContext*, const chat::v1::SubscribeRequest*,
                         grpc::ServerWriter<chat::v1::SubscribeResponse>* stream) override {
    chat::v1::SubscribeResponse first;
    first.set_lease(kLease);
    first.set_seq(1);
    first.set_incarnation(1);
    stream->Write(first);
    std::unique_lock lock(mu_);
    changed_.wait(lock, [this] { return ended_; });
    return grpc::Status::OK;
  }
  // The user is alone in the room.
  grpc::Status Add(grpc::ServerContext*, const chat::v1::AddRequest* request,
                   chat::v1::AddResponse* response) override {
    response->add_users(request->user());
    response->set_total(1);
    response->set_epoch(7);
    response->set_offset(1);
    return grpc::Status::OK;
  }
  grpc::Status Restore(grpc::ServerContext*, const chat::v1::RestoreRequest*,
                       chat::v1::RestoreResponse*) override {
    return grpc::Status::OK;
  }

  std::mutex mu_;
  std::condition_variable changed_;
  bool ended_ = false;

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace hubbub::connector
