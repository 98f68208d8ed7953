#include "chat/chat_server.h"

#include <utility>

namespace hubbub::chat {

absl::StatusOr<std::unique_ptr<ChatServer>> ChatServer::Start(const ChatServerOptions& options,
                                                              std::shared_ptr<const ServerList> servers) {
  std::unique_ptr<ChatServer> chat(new ChatServer(options, std::move(servers)));
  rpc::ServerOptions server;
  server.host = options.listen_host;
  server.port = options.listen_port;
  server.reflection = options.reflection;
  server.services = {&chat->service_};
  server.extras = options.extras;
  auto started = rpc::Server::Start(server);
  if (!started.ok()) return started.status();
  chat->server_ = *std::move(started);
  return chat;
}

void ChatServer::Tick() {
  rooms_.Sweep(SystemNowMs());
  const auto running = std::chrono::steady_clock::now().time_since_epoch();
  leases_.Sweep(std::chrono::duration_cast<std::chrono::milliseconds>(running).count());
}

void ChatServer::Drain(std::chrono::milliseconds timeout) {
  if (server_ == nullptr || std::exchange(drained_, true)) return;
  server_->SetServing(false);
  service_.Shutdown();
  server_->Shutdown(static_cast<int>(timeout.count()));
}

}  // namespace hubbub::chat
