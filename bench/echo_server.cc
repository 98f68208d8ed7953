// hubbub-echo: what ChatService/Send would cost if it did nothing. Answers the same call with the same
// messages over the same gRPC settings as hubbub-chat, so that the difference between the two is the chat
// server's own work.
#include <string>

#include "hubbub/chat/v1/chat.grpc.pb.h"
#include "services/program/process.h"
#include "services/rpc/callback_threads.h"
#include "services/rpc/server.h"

namespace {

class EchoService final : public hubbub::chat::v1::ChatService::CallbackService {
  grpc::ServerUnaryReactor* Send(grpc::CallbackServerContext* context,
                                 const hubbub::chat::v1::SendRequest* request,
                                 hubbub::chat::v1::SendResponse* response) override {
    response->set_offset(request->content().size());
    response->set_epoch(1);
    response->set_time_ms(1);
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

}  // namespace

int main() {
  hubbub::program::BlockSignals();
  const hubbub::rpc::CallbackThreads callback_threads;
  EchoService service;
  auto server = hubbub::rpc::Server::Start({.host = "127.0.0.1", .services = {&service}});
  if (!server.ok()) hubbub::program::Die("hubbub-echo", server.status());
  (*server)->SetServing(true);
  const std::string address = "127.0.0.1:" + std::to_string((*server)->port());
  hubbub::program::PrintReady({}, "echo", address, "");
  hubbub::program::RunUntilSignal(std::chrono::seconds(1), [] {});
  (*server)->Shutdown(100);
  return 0;
}
