#include "services/client/client_session.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "services/base/clock.h"
#include "services/base/log.h"
#include "services/client/contract.h"
#include "services/client/printable.h"
#include "services/client/request_body.h"
#include "services/net/lateness.h"
#include "spdlog/spdlog.h"

namespace hubbub::client {
ClientSession::ClientSession(uint64_t id, net::Loop& loop, net::Connection& connection,
                             std::unique_ptr<ClientProtocol> protocol, const SessionOptions& options,
                             const HandlerFactory& make_handler)
    : id_(id),
      loop_(loop),
      connection_(connection),
      protocol_(std::move(protocol)),
      options_(options),
      handler_(make_handler(*this)),
      push_encoding_(&protocol_->push_encoding()),
      pass_(options.sign_in),
      budget_(options.max_requests_per_second, options.max_bytes_per_second, net::Clock::now()),
      since_(connection.Now()),
      last_seen_(since_) {}

size_t ClientSession::OnBytes(std::string_view bytes, bool frame_end) {
  loop_.AssertHere();
  last_seen_ = connection_.Now();
  size_t consumed = 0;
  while (!busy_ && state_ != State::kClosed) {
    std::string out;
    Taken taken = protocol_->Take(bytes.substr(consumed), frame_end, out);
    if (std::holds_alternative<Incomplete>(taken.value)) break;
    consumed += taken.bytes;
    std::visit(
        [&](auto& value) {
          loop_.AssertHere();
          OnValue(value, std::move(out), taken.bytes);
        },
        taken.value);
    if (consumed == bytes.size()) break;
  }
  if (busy_) connection_.Pause();
  // The views that handlers got are no longer in use: they copied what they keep.
  return state_ == State::kClosed ? bytes.size() : consumed;
}

void ClientSession::OnValue(Alive&, std::string out, size_t bytes) {
  if (budget_.Take(bytes, net::Clock::now()).empty()) return Send(std::move(out));
  CloseIfItFloods();
}

void ClientSession::CloseIfItFloods() {
  if (!budget_.Flooded()) return;
  KickAndClose(net::CloseReason::kFlood, "you send far more than a client may: slow down");
}

void ClientSession::OnValue(TokenShown& shown, const std::string& /*out*/, size_t) {
  protocol_->OnToken(pass_.Show(shown.token, SystemNowMs()));
}

void ClientSession::OnValue(Hello& hello, std::string out, size_t) {
  if (hello.successor != nullptr) protocol_ = std::move(hello.successor);
  if (options_.check_client && !options_.check_client(hello.type, hello.version)) {
    protocol_->AppendRefusal(out);
    Send(std::move(out));
    return Close(net::CloseReason::kProtocolError, fmt::format("client {} version {} is not served here",
                                                               Quote(hello.type), Quote(hello.version)));
  }
  const std::string token = hello.token.empty() ? connection_.TakeBearer() : std::move(hello.token);
  if (const absl::Status status = pass_.Show(token, SystemNowMs()); !status.ok())
    return KickAndClose(net::CloseReason::kKicked, std::string(status.message()));
  own_client_ = hello.type == kOwnClient;
  small_answers_ = hello.small_answers;
  push_encoding_ = &protocol_->push_encoding();
  state_ = State::kGreeted;
  if (options_.counters != nullptr) options_.counters->CountGreeted(protocol_->kind());
  if (const auto heartbeat = protocol_->heartbeat()) next_beat_ = connection_.Now() + heartbeat->interval;
  protocol_->AppendAccept(out);
  Send(std::move(out));
  connection_.AllowMessages(protocol_->max_package_bytes());
}

void ClientSession::OnValue(Ready&, std::string out, size_t) {
  state_ = State::kWorking;
  since_ = connection_.Now();
  Send(std::move(out));
}

void ClientSession::OnValue(Left&, std::string out, size_t) {
  Send(std::move(out));
  said_goodbye_ = true;
  last_byte_ = "the client has said goodbye";
  // What comes behind it is nothing.
  busy_ = true;
  CloseIfNothingIsOwed();
}

void ClientSession::OnValue(Fault& fault, std::string out, size_t) {
  Send(std::move(out));
  Close(net::CloseReason::kProtocolError, std::move(fault.why));
}

void ClientSession::OnValue(Request& request, std::string out, size_t bytes) {
  Send(std::move(out));
  busy_ = true;
  ++owed_;
  ++requests_;
  const net::Clock::time_point now = net::Clock::now();
  Reply reply(loop_, self_, {.id = std::move(request.id), .number = requests_, .came = now});
  if (const std::string excess = budget_.Take(bytes, now); !excess.empty()) {
    reply.Fail(429, excess);
    return CloseIfItFloods();
  }
  if (!request.route.ok()) {
    const absl::Status& status = request.route.status();
    return reply.Fail(absl::IsNotFound(status) ? 404 : 400, std::string(status.message()));
  }
  const std::string_view route = *request.route;
  if (spdlog::should_log(spdlog::level::debug)) reply.details_.route = Printable(route);
  auto body = ReadBodyWithin(budget_, *protocol_, request, now);
  if (absl::IsResourceExhausted(body.status())) {
    reply.Fail(429, std::string(body.status().message()));
    return CloseIfItFloods();
  }
  if (!body.ok()) return handler_->OnBadBody(route, std::string(body.status().message()), std::move(reply));
  handler_->OnRequest(route, *std::move(body), std::move(reply));
}

void ClientSession::Unblock() {
  loop_.AssertHere();
  // Once this server ends, what is under way is the last.
  if (!shutdown_.empty()) return;
  busy_ = false;
  connection_.Resume();
}

void ClientSession::Answer(const Reply::Details& request, const boost::json::object& body) {
  loop_.AssertHere();
  std::string out;
  if (request.id && state_ == State::kWorking) protocol_->AppendAnswer(*request.id, body, out);
  Send(std::move(out));
  OnAnswered(request, 200);
}

void ClientSession::AnswerError(const Reply::Details& request, int code, std::string_view message) {
  loop_.AssertHere();
  std::string out;
  if (request.id && state_ == State::kWorking) protocol_->AppendError(*request.id, code, message, out);
  Send(std::move(out));
  OnAnswered(request, code);
}

void ClientSession::OnAnswered(const Reply::Details& request, int code) {
  --owed_;
  // A client whose request was refused has as long again to make a better one.
  if (!handler_->SignedIn()) since_ = connection_.Now();
  if (options_.counters != nullptr) options_.counters->CountRequest(protocol_->kind(), code);
  if (spdlog::should_log(spdlog::level::debug)) LogAnswer(request, code);
  if (!shutdown_.empty()) {
    if (owed_ == 0) KickAndClose(net::CloseReason::kShutdown, shutdown_);
    return;
  }
  if (!last_byte_.empty()) CloseIfNothingIsOwed();
  if (request.blocks) Unblock();
}

std::string ClientSession::request_id(uint64_t number) const {
  return fmt::format("{}-{:x}-{:x}", options_.request_prefix, id_, number);
}

std::string ClientSession::request_id() const {
  loop_.AssertHere();
  return request_id(requests_);
}

void ClientSession::LogAnswer(const Reply::Details& request, int code) const {
  const std::chrono::duration<double, std::milli> took = net::Clock::now() - request.came;
  spdlog::debug("a request of {} was answered{}", peer(),
                LogFields({{"request", request_id(request.number)},
                           {"route", request.route},
                           {"code", std::to_string(code)},
                           {"ms", fmt::format("{:.1f}", took.count())}}));
}

void ClientSession::Write(net::Payload pushes) {
  loop_.AssertHere();
  if (state_ == State::kWorking) connection_.Send(protocol_->OwnPushes(std::move(pushes)));
}

void ClientSession::Push(std::string_view route, const boost::json::object& body) {
  loop_.AssertHere();
  if (state_ != State::kWorking) return;
  std::string out;
  push_encoding_->AppendPush(route, ObjectBody(body), out);
  Send(std::move(out));
}

void ClientSession::Send(std::string bytes) {
  if (!bytes.empty()) connection_.Send(std::make_shared<const std::string>(std::move(bytes)));
}

void ClientSession::Close(net::CloseReason reason, std::string detail) {
  state_ = State::kClosed;
  connection_.Close(reason, std::move(detail));
}

void ClientSession::Kick(std::string_view reason, net::CloseReason why) {
  loop_.AssertHere();
  KickAndClose(why, std::string(reason));
}

void ClientSession::KickAndClose(net::CloseReason reason, std::string message) {
  if (state_ == State::kClosed) return;
  std::string out;
  protocol_->AppendKick(message, reason, out);
  Send(std::move(out));
  Close(reason, std::move(message));
}

void ClientSession::OnShutdown(std::string_view detail) {
  loop_.AssertHere();
  shutdown_ = detail;
  if (owed_ == 0) return KickAndClose(net::CloseReason::kShutdown, shutdown_);
  busy_ = true;
  connection_.Pause();
}

void ClientSession::OnLastByte(std::string_view detail) {
  loop_.AssertHere();
  last_byte_ = detail;
  CloseIfNothingIsOwed();
}

void ClientSession::CloseIfNothingIsOwed() {
  if (owed_ == 0 && state_ != State::kClosed) Close(net::CloseReason::kClientLeft, last_byte_);
}

void ClientSession::OnTick(net::Clock::time_point now) {
  loop_.AssertHere();
  // A client that can say nothing is not judged by that; its connection bounds what it gets.
  if (state_ == State::kClosed || !last_byte_.empty()) return;
  if (pass_.Ended(SystemNowMs())) {
    return KickAndClose(net::CloseReason::kKicked,
                        "your sign-in token has ended: come back with a new one, or refresh it in time");
  }
  if (state_ != State::kWorking) {
    Judge(now - since_, options_.handshake_timeout, "no handshake in time");
  } else if (!busy_ && !handler_->SignedIn()) {
    Judge(now - since_, options_.sign_in_timeout, "nobody signed in in time");
  }
  if (state_ == State::kNew || state_ == State::kClosed) return;
  if (state_ == State::kWorking) handler_->OnTick();
  const std::optional<Heartbeat> heartbeat = protocol_->heartbeat();
  const bool unasked = heartbeat && heartbeat->unasked;
  if (unasked && !connection_.Stalled()) Beat(*heartbeat, now);
  if (state_ == State::kGreeted && !unasked) return;
  // While nothing is read, nothing can be seen.
  if (busy_ || connection_.Stalled()) {
    last_seen_ = now;
    return;
  }
  if (heartbeat) return Judge(now - last_seen_, 2 * heartbeat->interval, "no heartbeat in time");
  // Not at every tick: that would be a system call for each client.
  const bool ask = !options_.has_to_speak && now - last_seen_ > options_.idle_timeout / 3;
  if (ask && connection_.ShowsLife()) last_seen_ = now;
  Judge(now - last_seen_, options_.idle_timeout, "no sign of life in time");
}

void ClientSession::Beat(const Heartbeat& heartbeat, net::Clock::time_point now) {
  if (now < next_beat_) return;
  next_beat_ = std::max(next_beat_ + heartbeat.interval, now);
  std::string out;
  protocol_->AppendHeartbeat(out);
  Send(std::move(out));
}

void ClientSession::Judge(net::Clock::duration passed, net::Clock::duration allowed, std::string_view why) {
  if (!net::IsLate(passed, allowed, [this] { return connection_.HasUnread(); })) return;
  // Without a kick, as in Pomelo.
  Close(net::CloseReason::kTimeout, std::string(why));
}

void ClientSession::OnClosed(net::CloseReason reason, std::string_view detail) {
  loop_.AssertHere();
  state_ = State::kClosed;
  self_.reset();
  // At level debug only: `detail` may quote the client.
  spdlog::debug("session {} of {} ended: {}: {}", id_, peer(), net::ToString(reason), detail);
  handler_->OnClosed(!net::MayComeBack(reason) || (reason == net::CloseReason::kClientLeft &&
                                                   (said_goodbye_ || connection_.SaidGoodbye())));
}

}  // namespace hubbub::client
