#include "services/engine/transport.h"

#include <string>

namespace hubbub::engine {

using net::Connection;
using socketio::EngineType;

void Transport::Open(Connection& socket) {
  socket_ = &socket;
  had_socket_ = true;
}

bool Transport::BeginUpgrade() {
  if (socket_ != nullptr || upgrading_) return false;
  upgrading_ = true;
  if (polls_.empty()) polls_.EndPoll(EngineType::kNoop);
  return true;
}

void Transport::Upgrade(Connection& socket) {
  upgrading_ = false;
  polls_.EndPoll(EngineType::kNoop);
  Open(socket);
  polls_.MoveTo(socket);
}

void Transport::Send(net::Payload payload) {
  if (socket_ != nullptr) return socket_->Send(std::move(payload));
  polls_.Add(std::move(payload));
}

void Transport::PauseReading() {
  if (socket_ != nullptr) socket_->Pause();
}

void Transport::ResumeReading() {
  if (socket_ != nullptr) socket_->Resume();
}

void Transport::AllowMessages(size_t bytes) {
  if (socket_ != nullptr) socket_->AllowMessages(bytes);
}

bool Transport::Stalled() const {
  return socket_ != nullptr ? socket_->Stalled() : polls_.bytes() > Connection::kSoftLimit;
}

bool Transport::Behind() const {
  return socket_ != nullptr ? socket_->Behind() : polls_.bytes() > Connection::kBehindLimit;
}

void Transport::OnGoodbye() {
  said_goodbye_ = true;
  polls_.EndPoll(EngineType::kNoop);
}

void Transport::OnSocketClosed() {
  said_goodbye_ = SaidGoodbye();
  socket_ = nullptr;
}

void Transport::End(net::CloseReason reason, std::string_view detail) {
  polls_.EndPoll(EngineType::kClose);
  polls_.EndPost();
  polls_.Clear();
  if (Connection* const socket = std::exchange(socket_, nullptr)) socket->Close(reason, std::string(detail));
}

}  // namespace hubbub::engine
