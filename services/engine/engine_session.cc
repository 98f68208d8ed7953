#include "services/engine/engine_session.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "services/net/frame.h"
#include "services/net/lateness.h"

namespace hubbub::engine {

using net::CloseReason;
using socketio::EngineType;
using socketio::EngineVersion;

EngineSession::EngineSession(std::shared_ptr<Lane> lane, const SessionLimits& limits, EngineVersion version,
                             std::string sid, std::string peer, std::optional<net::Ticket> seat)
    : lane_(std::move(lane)),
      limits_(limits),
      version_(version),
      sid_(std::move(sid)),
      peer_(std::move(peer)),
      seat_(std::move(seat)),
      polls_(*lane_, version),
      control_budget_(lane_->Now()),
      last_seen_(lane_->Now()),
      next_ping_(last_seen_ + limits.ping_interval) {}

void EngineSession::Start(std::unique_ptr<net::Protocol> protocol, net::Connection* socket,
                          std::string bearer) {
  bearer_ = std::move(bearer);
  protocol_ = std::move(protocol);
  socket_ = socket;
  had_socket_ = socket != nullptr;
  SendPacket(
      EngineType::kOpen,
      fmt::format(R"({{"sid":"{}","upgrades":[{}],"pingInterval":{},"pingTimeout":{},"maxPayload":{}}})",
                  sid_, socket == nullptr ? "\"websocket\"" : "", limits_.ping_interval.count(),
                  limits_.ping_timeout.count(), limits_.max_payload_bytes));
  // Socket.IO connects a client that comes by protocol 3 to its main namespace unasked.
  if (version_ == EngineVersion::k3) protocol_->OnBytes("0", /*frame_end=*/true);
}

void EngineSession::SendPacket(EngineType type, std::string_view data) {
  std::string out;
  net::AppendFrame(net::Framing::kText, out,
                   [&](std::string& to) { (to += socketio::DigitOf(type)).append(data); });
  Send(std::make_shared<const std::string>(std::move(out)));
}

void EngineSession::Send(net::Payload payload) {
  if (closing_ || ended_) return;
  if (socket_ != nullptr) return socket_->Send(std::move(payload));
  polls_.Add(std::move(payload));
  if (polls_.bytes() > kHardLimit)
    return End(CloseReason::kSlow,
               fmt::format("the client does not poll: {} bytes wait for it", polls_.bytes()));
  AnswerPollSoon();
}

void EngineSession::Poll(Answer answer) {
  last_seen_ = Now();
  shows_life_ = true;
  if (ended_) return answer.Fail(EngineError::kUnknownSid, "this session has ended");
  if (socket_ != nullptr)
    return answer.Fail(EngineError::kBadRequest, "this session has been upgraded to a WebSocket: use that");
  if (polls_.polled()) {
    answer.Fail(EngineError::kBadRequest, "another poll of this session is under way: wait for its answer");
    return End(CloseReason::kProtocolError, "two polls at once");
  }
  polls_.BeginPoll(std::move(answer));
  if (!polls_.empty() || closing_) return AnswerPoll();
  // The client waits for this poll's end before it lets the WebSocket take over.
  if (upgrading_) polls_.EndPoll(EngineType::kNoop);
}

void EngineSession::AnswerPollSoon() {
  // From a fresh stack, so that all that one turn of the loop sends goes in one answer.
  if (!polls_.polled()) return;
  lane_->loop().Post([self = shared_from_this()] { self->AnswerPoll(); });
}

void EngineSession::AnswerPoll() {
  if (!polls_.polled() || ended_ || socket_ != nullptr) return;
  if (polls_.AnswerPoll()) {
    if (!posted_.empty()) WorkSoon();
  } else if (closing_) {
    // Stock clients forget what comes in one payload with the close.
    End(reason_, detail_);
  }
}

void EngineSession::Post(std::string_view body, bool octets, Answer answer) {
  last_seen_ = Now();
  shows_life_ = true;
  if (ended_) return answer.Fail(EngineError::kUnknownSid, "this session has ended");
  // A client that leaves says so twice: in Socket.IO, then here.
  if (closing_) return answer.Text("ok");
  if (socket_ != nullptr)
    return answer.Fail(EngineError::kBadRequest, "this session has been upgraded to a WebSocket: use that");
  if (polls_.posting()) {
    answer.Fail(EngineError::kBadRequest, "another POST of this session is under way: wait for its answer");
    return End(CloseReason::kProtocolError, "two POSTs at once");
  }
  lane_->traffic().received_bytes.Add(body.size());
  auto packets = socketio::DecodePayload(version_, body, octets);
  if (!packets.ok()) {
    const std::string why(packets.status().message());
    answer.Fail(EngineError::kBadRequest, why);
    return End(CloseReason::kProtocolError, why);
  }
  posted_.assign(std::make_move_iterator(packets->begin()), std::make_move_iterator(packets->end()));
  polls_.BeginPost(std::move(answer));
  Work();
}

void EngineSession::WorkSoon() {
  lane_->loop().Post([self = shared_from_this()] { self->Work(); });
}

void EngineSession::Work() {
  while (!posted_.empty() && !paused_ && !closing_ && !ended_ && !Stalled()) {
    socketio::EnginePacket packet = std::move(posted_.front());
    posted_.pop_front();
    if (OnPacket(packet)) continue;
    posted_.push_front(std::move(packet));
    break;
  }
  if (closing_ || ended_) posted_.clear();
  if (!posted_.empty()) return;
  polls_.EndPost();
  // It may have been paused for what was posted, or by a protocol that has gone on since.
  if (socket_ != nullptr && !paused_) socket_->Resume();
}

bool EngineSession::OnPacket(const socketio::EnginePacket& packet) {
  if (packet.type != EngineType::kMessage) return OnControl(packet.type, packet.data);
  if (packet.data.empty() && !MayControl()) return true;
  const std::string bytes = packet.binary ? "b" + packet.data : packet.data;
  return protocol_->OnBytes(bytes, /*frame_end=*/true) > 0 || bytes.empty();
}

bool EngineSession::OnControl(EngineType type, std::string_view data) {
  const auto refuse = [this](std::string_view why) {
    Close(CloseReason::kProtocolError, std::string(why));
    return true;
  };
  // A close ends the session anyway.
  if (type != EngineType::kClose && !MayControl()) return true;
  switch (type) {
    case EngineType::kPing:
      if (version_ == EngineVersion::k4) return refuse("the pings of protocol 4 are the server's");
      SendPacket(EngineType::kPong, data);
      break;
    case EngineType::kPong:
      if (version_ == EngineVersion::k3) return refuse("the pings of protocol 3 are the client's");
      break;
    case EngineType::kClose:
      said_goodbye_ = true;
      polls_.EndPoll(EngineType::kNoop);
      if (socket_ == nullptr) {
        End(CloseReason::kClientLeft, "the client has closed");
      } else {
        socket_->Close(CloseReason::kClientLeft, "");
      }
      break;
    case EngineType::kOpen:
      return refuse("a client cannot open what is open");
    case EngineType::kUpgrade:
      return refuse("an upgrade came without a probe");
    case EngineType::kMessage:
    case EngineType::kNoop:
      break;
  }
  return true;
}

bool EngineSession::MayControl() {
  const auto verdict = control_budget_.Take(Now());
  if (verdict == ControlBudget::Verdict::kFlood)
    Close(CloseReason::kKicked, "you send far more than a client may: slow down");
  return verdict == ControlBudget::Verdict::kTake;
}

bool EngineSession::BeginUpgrade() {
  if (ended_ || closing_ || socket_ != nullptr || upgrading_) return false;
  upgrading_ = true;
  if (polls_.empty()) polls_.EndPoll(EngineType::kNoop);
  return true;
}

void EngineSession::GiveUpgradeUp() {
  upgrading_ = false;
}

void EngineSession::Upgrade(net::Connection& socket) {
  upgrading_ = false;
  last_seen_ = Now();
  polls_.EndPoll(EngineType::kNoop);
  socket_ = &socket;
  had_socket_ = true;
  seat_.reset();
  // A client may show its token here alone: browsers cannot send a field with a WebSocket, but pages can with
  // polls.
  if (std::string shown = socket.TakeBearer(); !shown.empty()) bearer_ = std::move(shown);
  socket.AllowMessages(limits_.max_payload_bytes);
  polls_.MoveTo(socket);
  if (closing_) return socket.Close(reason_, detail_);
  if (paused_) socket.Pause();
  if (!posted_.empty()) WorkSoon();
}

size_t EngineSession::OnMessage(std::string_view bytes, bool text) {
  last_seen_ = Now();
  shows_life_ = true;
  // What was posted comes first. If the protocol does not take it now, Work lets the WebSocket go on.
  if (!posted_.empty()) Work();
  if (closing_ || ended_) return bytes.size();
  if (paused_) return 0;
  if (!posted_.empty()) {
    socket_->Pause();
    return 0;
  }
  if (text && !bytes.starts_with('b')) {
    const auto type = socketio::TypeOf(bytes);
    if (!type.ok()) {
      Close(CloseReason::kProtocolError, std::string(type.status().message()));
      return bytes.size();
    }
    const std::string_view data = bytes.substr(1);
    if (*type != EngineType::kMessage) {
      OnControl(*type, data);
      return bytes.size();
    }
    if (data.empty() && !MayControl()) return bytes.size();
    // All or nothing.
    return protocol_->OnBytes(data, /*frame_end=*/true) > 0 || data.empty() ? bytes.size() : 0;
  }
  const auto packet = text ? DecodeText(version_, bytes) : DecodeBytes(version_, bytes);
  if (!packet.ok()) {
    Close(CloseReason::kProtocolError, std::string(packet.status().message()));
    return bytes.size();
  }
  return OnPacket(*packet) ? bytes.size() : 0;
}

void EngineSession::OnLastByte(std::string_view detail) {
  if (!posted_.empty()) Work();
  if (!closing_ && !ended_) protocol_->OnLastByte(detail);
}

void EngineSession::OnSocketClosed(CloseReason reason, std::string_view detail) {
  said_goodbye_ = said_goodbye_ || (socket_ != nullptr && socket_->SaidGoodbye());
  socket_ = nullptr;
  End(reason, std::string(detail));
}

void EngineSession::Pause() {
  paused_ = true;
  if (socket_ != nullptr) socket_->Pause();
}

void EngineSession::Resume() {
  if (!std::exchange(paused_, false)) return;
  if (!posted_.empty()) return WorkSoon();
  if (socket_ != nullptr) socket_->Resume();
}

void EngineSession::AllowMessages(size_t bytes) {
  if (socket_ != nullptr) socket_->AllowMessages(std::max(bytes, limits_.max_payload_bytes));
}

void EngineSession::Close(CloseReason reason, std::string detail) {
  if (closing_ || ended_) return;
  closing_ = true;
  reason_ = reason;
  detail_ = std::move(detail);
  if (socket_ != nullptr) return socket_->Close(reason_, detail_);
  close_by_ = Now() + limits_.last_poll;
  AnswerPollSoon();
}

void EngineSession::End(CloseReason reason, std::string detail) {
  if (std::exchange(ended_, true)) return;
  if (!std::exchange(closing_, true)) {
    reason_ = reason;
    detail_ = std::move(detail);
  }
  polls_.EndPoll(EngineType::kClose);
  polls_.EndPost();
  polls_.Clear();
  if (!had_socket_) lane_->CountClose(reason_);
  posted_.clear();
  seat_.reset();
  if (socket_ != nullptr) socket_->Close(reason_, detail_);
  socket_ = nullptr;
  lane_->loop().Post([self = shared_from_this()] {
    self->protocol_->OnClosed(self->reason_, self->detail_);
    self->lane_->Erase(self->sid_);
  });
}

bool EngineSession::Behind() const {
  return socket_ != nullptr ? socket_->Behind() : polls_.bytes() > kBehindLimit;
}

bool EngineSession::Stalled() const {
  return socket_ != nullptr ? socket_->Stalled() : polls_.bytes() > kSoftLimit;
}

bool EngineSession::ShowsLife() {
  const bool socket_lives = socket_ != nullptr && socket_->ShowsLife();
  return std::exchange(shows_life_, false) || socket_lives;
}

bool EngineSession::SaidGoodbye() const {
  return said_goodbye_ || (socket_ != nullptr && socket_->SaidGoodbye());
}

void EngineSession::Shutdown(std::string_view detail) {
  if (closing_ || ended_ || std::exchange(told_of_shutdown_, true)) return;
  protocol_->OnShutdown(detail);
}

void EngineSession::Tick(net::Clock::time_point now) {
  if (ended_) return;
  if (closing_) {
    if (socket_ == nullptr && now > close_by_) End(reason_, detail_);
    return;
  }
  CheckLife(now);
  // A WebSocket that has taken over does not say when it takes more again.
  if (!posted_.empty()) Work();
  if (!closing_ && !ended_) protocol_->OnTick(now);
}

void EngineSession::CheckLife(net::Clock::time_point now) {
  const auto allowed = limits_.ping_interval + limits_.ping_timeout;
  if (net::IsLate(now - last_seen_, allowed, [this] { return HasUnread(); }))
    return Close(CloseReason::kTimeout, "no ping or pong in time");
  if (version_ == EngineVersion::k3 || now < next_ping_) return;
  next_ping_ = now + limits_.ping_interval;
  SendPacket(EngineType::kPing);
}

}  // namespace hubbub::engine
