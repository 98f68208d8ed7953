#include "services/engine/engine_session.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "services/net/frame.h"

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
      transport_(*lane_, version),
      control_packets_(version, lane_->Now()),
      heartbeat_(version, limits.ping_interval, limits.ping_timeout, lane_->Now()) {}

void EngineSession::Start(std::unique_ptr<net::Protocol> protocol, net::Connection* socket,
                          std::string bearer) {
  bearer_ = std::move(bearer);
  protocol_ = std::move(protocol);
  if (socket != nullptr) transport_.Open(*socket);
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
  transport_.Send(std::move(payload));
  if (!transport_.overfull()) return AnswerPollSoon();
  End(CloseReason::kSlow,
      fmt::format("the client does not poll: {} bytes wait for it", transport_.polls().bytes()));
}

void EngineSession::Poll(Answer answer) {
  heartbeat_.Heard(Now());
  if (ended_) return answer.Fail(EngineError::kUnknownSid, "this session has ended");
  if (!polls())
    return answer.Fail(EngineError::kBadRequest, "this session has been upgraded to a WebSocket: use that");
  Polls& polling = transport_.polls();
  if (polling.polled()) {
    answer.Fail(EngineError::kBadRequest, "another poll of this session is under way: wait for its answer");
    return End(CloseReason::kProtocolError, "two polls at once");
  }
  polling.BeginPoll(std::move(answer));
  if (!polling.empty() || closing_) return AnswerPoll();
  // The client waits for this poll's end before it lets the WebSocket take over.
  if (transport_.upgrading()) polling.EndPoll(EngineType::kNoop);
}

void EngineSession::AnswerPollSoon() {
  // From a fresh stack, so that all that one turn of the loop sends goes in one answer.
  if (!transport_.polls().polled()) return;
  lane_->loop().Post([self = shared_from_this()] { self->AnswerPoll(); });
}

void EngineSession::AnswerPoll() {
  if (!transport_.polls().polled() || ended_ || !polls()) return;
  if (transport_.polls().AnswerPoll()) {
    if (!posted_.empty()) WorkSoon();
  } else if (closing_) {
    // Stock clients forget what comes in one payload with the close.
    End(reason_, detail_);
  }
}

void EngineSession::Post(std::string_view body, bool octets, Answer answer) {
  heartbeat_.Heard(Now());
  if (ended_) return answer.Fail(EngineError::kUnknownSid, "this session has ended");
  // A client that leaves says so twice: in Socket.IO, then here.
  if (closing_) return answer.Text("ok");
  if (!polls())
    return answer.Fail(EngineError::kBadRequest, "this session has been upgraded to a WebSocket: use that");
  if (transport_.polls().posting()) {
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
  transport_.polls().BeginPost(std::move(answer));
  Work();
}

void EngineSession::WorkSoon() {
  lane_->loop().Post([self = shared_from_this()] { self->Work(); });
}

void EngineSession::Work() {
  while (!posted_.empty() && !paused_ && !closing_ && !ended_ && !Stalled()) {
    socketio::EnginePacket packet = std::move(posted_.front());
    posted_.pop_front();
    if (OnPacket(packet.type, packet.binary, packet.data)) continue;
    posted_.push_front(std::move(packet));
    break;
  }
  if (closing_ || ended_) posted_.clear();
  if (!posted_.empty()) return;
  transport_.polls().EndPost();
  if (paused_ || closing_ || ended_) return;
  if (last_byte_) return protocol_->OnLastByte(*std::exchange(last_byte_, std::nullopt));
  // It may have been paused for what was posted, or by a protocol that has gone on since.
  transport_.ResumeReading();
}

bool EngineSession::OnPacket(EngineType type, bool binary, std::string_view data) {
  const bool message = type == EngineType::kMessage;
  if ((!message || data.empty()) && (!OnControl(type, data) || !message)) return true;
  if (binary) return protocol_->OnBytes("b" + std::string(data), /*frame_end=*/true) > 0;
  // All or nothing.
  return protocol_->OnBytes(data, /*frame_end=*/true) > 0 || data.empty();
}

bool EngineSession::OnControl(EngineType type, std::string_view data) {
  using Verdict = ControlPackets::Verdict;
  const auto [verdict, why] = control_packets_.Judge(type, data.size(), Now());
  switch (verdict) {
    case Verdict::kTake:
      if (type == EngineType::kPing) SendPacket(EngineType::kPong, data);
      return true;
    case Verdict::kDrop:
      break;
    case Verdict::kLeave:
      transport_.OnGoodbye();
      if (polls()) {
        End(CloseReason::kClientLeft, "the client has closed");
      } else {
        transport_.socket()->Close(CloseReason::kClientLeft, "");
      }
      break;
    case Verdict::kRefuse:
      Close(CloseReason::kProtocolError, std::string(why));
      break;
    case Verdict::kFlood:
      Close(CloseReason::kFlood, std::string(why));
      break;
  }
  return false;
}

bool EngineSession::BeginUpgrade() {
  return !ended_ && !closing_ && transport_.BeginUpgrade();
}

void EngineSession::Upgrade(net::Connection& socket) {
  heartbeat_.Heard(Now());
  transport_.Upgrade(socket);
  seat_.reset();
  // A client may show its token here alone: browsers cannot send a field with a WebSocket, but pages can with
  // polls.
  if (std::string shown = socket.TakeBearer(); !shown.empty()) bearer_ = std::move(shown);
  socket.AllowMessages(limits_.max_payload_bytes);
  if (closing_) return socket.Close(reason_, detail_);
  if (paused_) socket.Pause();
  if (!posted_.empty()) WorkSoon();
}

size_t EngineSession::OnMessage(std::string_view bytes, bool text) {
  heartbeat_.Heard(Now());
  // What was posted comes first. If the protocol does not take it now, Work lets the WebSocket go on.
  if (!posted_.empty()) Work();
  if (closing_ || ended_) return bytes.size();
  if (paused_) return 0;
  if (!posted_.empty()) {
    transport_.PauseReading();
    return 0;
  }
  const auto refuse = [&](const absl::Status& status) {
    Close(CloseReason::kProtocolError, std::string(status.message()));
    return bytes.size();
  };
  if (text && !bytes.starts_with('b')) {
    const auto type = socketio::TypeOf(bytes);
    if (!type.ok()) return refuse(type.status());
    return OnPacket(*type, /*binary=*/false, bytes.substr(1)) ? bytes.size() : 0;
  }
  const auto packet = text ? DecodeText(version_, bytes) : DecodeBytes(version_, bytes);
  if (!packet.ok()) return refuse(packet.status());
  return OnPacket(packet->type, packet->binary, packet->data) ? bytes.size() : 0;
}

void EngineSession::OnLastByte(std::string_view detail) {
  last_byte_.emplace(detail);
  Work();
}

void EngineSession::OnSocketClosed(CloseReason reason, std::string_view detail) {
  transport_.OnSocketClosed();
  End(reason, std::string(detail));
}

void EngineSession::Pause() {
  paused_ = true;
  transport_.PauseReading();
}

void EngineSession::Resume() {
  if (!std::exchange(paused_, false)) return;
  if (!posted_.empty() || last_byte_) return WorkSoon();
  transport_.ResumeReading();
}

void EngineSession::AllowMessages(size_t bytes) {
  transport_.AllowMessages(std::max(bytes, limits_.max_payload_bytes));
}

void EngineSession::Close(CloseReason reason, std::string detail) {
  if (closing_ || ended_) return;
  closing_ = true;
  reason_ = reason;
  detail_ = std::move(detail);
  if (!polls()) return transport_.socket()->Close(reason_, detail_);
  close_by_ = Now() + limits_.last_poll;
  AnswerPollSoon();
}

void EngineSession::End(CloseReason reason, std::string detail) {
  if (std::exchange(ended_, true)) return;
  if (!std::exchange(closing_, true)) {
    reason_ = reason;
    detail_ = std::move(detail);
  }
  if (!transport_.had_socket()) lane_->CountClose(reason_);
  transport_.End(reason_, detail_);
  posted_.clear();
  seat_.reset();
  lane_->loop().Post([self = shared_from_this()] {
    self->protocol_->OnClosed(self->reason_, self->detail_);
    self->lane_->Erase(self->sid_);
  });
}

bool EngineSession::ShowsLife() {
  const bool socket_lives = transport_.ShowsLife();
  return heartbeat_.TakeHeard() || socket_lives;
}

void EngineSession::Shutdown(std::string_view detail) {
  if (closing_ || ended_ || std::exchange(told_of_shutdown_, true)) return;
  protocol_->OnShutdown(detail);
}

void EngineSession::Tick(net::Clock::time_point now) {
  if (ended_) return;
  if (closing_) {
    if (polls() && now > close_by_) End(reason_, detail_);
    return;
  }
  CheckLife(now);
  // A WebSocket that has taken over does not say when it takes more again.
  if (!posted_.empty()) Work();
  if (!closing_ && !ended_) protocol_->OnTick(now);
}

void EngineSession::CheckLife(net::Clock::time_point now) {
  switch (heartbeat_.Look(now, [this] { return HasUnread(); })) {
    case Heartbeat::Due::kNothing:
      break;
    case Heartbeat::Due::kPing:
      return SendPacket(EngineType::kPing);
    case Heartbeat::Due::kEnd:
      return Close(CloseReason::kTimeout, "no ping or pong in time");
  }
}

}  // namespace hubbub::engine
