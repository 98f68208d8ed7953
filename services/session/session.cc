#include "services/session/session.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "services/log.h"
#include "services/pomelo/body.h"
#include "spdlog/spdlog.h"

namespace hubbub {

using pomelo::MessageType;
using pomelo::PackageType;

namespace {

boost::json::object ErrorBody(int code, std::string_view message) {
  return {{"code", code}, {"error", true}, {"message", boost::json::string(message.data(), message.size())}};
}

// Text from a client, fit for a log line or an answer.
std::string Printable(std::string_view text) {
  std::string shown;
  for (char c : text.substr(0, 64)) shown += (c < 0x20 || c >= 0x7f || c == '\'') ? '?' : c;
  return shown + (text.size() > 64 ? "…" : "");
}
std::string Quote(std::string_view text) {
  return "'" + Printable(text) + "'";
}

}  // namespace

Reply::~Reply() {
  if (loop_ == nullptr) return;
  if (session() != nullptr)
    spdlog::error("a request was given up: this is a mistake in the program{}",
                  LogFields({{"request", request_id()}}));
  Fail(500, "the server gave this request up; try again");
}

Session* Reply::session() const {
  const auto alive = session_.lock();
  return alive == nullptr ? nullptr : *alive;
}

std::string Reply::request_id() const {
  const Session* const of = session();
  return of == nullptr ? std::string() : of->request_id(request_.number);
}

void Reply::Ok(const boost::json::object& body) {
  if (loop_ != nullptr) Answer(200, body);
}

void Reply::LetNextCome() {
  if (!std::exchange(request_.blocks, false)) return;
  if (Session* target = session()) target->Unblock();
}

void Reply::Fail(int code, std::string_view message) {
  if (loop_ != nullptr) Answer(code, ErrorBody(code, message));
}

void Reply::Answer(int code, const boost::json::object& body) {
  loop_ = nullptr;
  if (Session* target = session())
    target->OnAnswer(request_, code, request_.id ? pomelo::JsonBody(body) : std::string());
}

Session::Session(uint64_t id, net::Loop& loop, net::Connection& connection, const SessionOptions& options,
                 const HandlerFactory& make_handler)
    : id_(id),
      loop_(loop),
      connection_(connection),
      framed_(connection.framed()),
      options_(options),
      handler_(make_handler(*this)),
      since_(connection.Now()),
      last_seen_(since_),
      tokens_(2.0 * options.max_requests_per_second),
      tokens_at_(net::Clock::now()) {}

template <typename Append>
void Session::SendAppended(Append append) {
  auto bytes = std::make_shared<std::string>();
  net::AppendFrame(framed_, *bytes, append);
  if (!bytes->empty()) connection_.Send(std::move(bytes));
}

size_t Session::OnBytes(std::string_view bytes, bool frame_end) {
  last_seen_ = connection_.Now();
  if (bytes.empty() && frame_end) Break("an empty frame holds no package");
  size_t consumed = 0;
  while (!busy_ && state_ != State::kClosed && consumed < bytes.size()) {
    const size_t limit =
        state_ == State::kWorking ? options_.max_package_bytes : options_.max_first_package_bytes;
    auto decoded = pomelo::DecodePackage(bytes.substr(consumed), limit);
    if (!decoded.ok()) {
      Break(std::string(decoded.status().message()));
      break;
    }
    if (!decoded->has_value()) {
      if (frame_end) Break("a frame ends in the middle of a package");
      break;
    }
    consumed += (*decoded)->size;
    OnPackage((*decoded)->package);
  }
  if (busy_) connection_.Pause();
  // The views that handlers got are no longer in use: they copied what they keep.
  return state_ == State::kClosed ? bytes.size() : consumed;
}

void Session::OnPackage(const pomelo::Package& package) {
  switch (package.type) {
    case PackageType::kHandshake:
      if (state_ == State::kInited) OnHandshake(package.body);
      return;
    case PackageType::kHandshakeAck:
      if (state_ == State::kWaitAck) OnAck();
      return;
    case PackageType::kHeartbeat:
      if (state_ == State::kWorking && options_.heartbeat) SendPackage(PackageType::kHeartbeat, "");
      return;
    case PackageType::kData:
      if (state_ == State::kWorking) OnData(package.body);
      return;
    case PackageType::kKick:
      return Break("a client can not send a kick");
  }
}

void Session::OnHandshake(std::string_view body) {
  const pomelo::HandshakeRequest request = pomelo::ParseHandshakeRequest(body);
  const auto refuse = [&](pomelo::HandshakeCode code, std::string why) {
    SendPackage(PackageType::kHandshake, pomelo::ServerHandshake::Refuse(code));
    state_ = State::kClosed;
    connection_.Close(net::CloseReason::kProtocolError, std::move(why));
  };
  if (!request.has_sys) return refuse(pomelo::HandshakeCode::kFailed, "the handshake has no sys object");
  if (options_.check_client && !options_.check_client(request.type, request.version)) {
    return refuse(
        pomelo::HandshakeCode::kOldClient,
        fmt::format("client {} version {} is not served here", Quote(request.type), Quote(request.version)));
  }
  format_ = options_.contract->FormatOf(request);
  own_client_ = request.type == kOwnClient;
  SendPackage(PackageType::kHandshake, options_.contract->Accept(request, format_));
  state_ = State::kWaitAck;
  connection_.AllowMessages(pomelo::kPackageHead + options_.max_package_bytes);
}

void Session::OnAck() {
  state_ = State::kWorking;
  since_ = connection_.Now();
  // The stock JavaScript client starts its own heartbeats only when it gets this first one (S5).
  if (options_.heartbeat) SendPackage(PackageType::kHeartbeat, "");
}

void Session::OnData(std::string_view bytes) {
  auto message = pomelo::DecodeMessage(bytes);
  if (!message.ok()) return Break(std::string(message.status().message()));
  if (message->type != MessageType::kRequest && message->type != MessageType::kNotify) {
    return Break("a client can send requests and notifies only");
  }
  Dispatch(*message);
}

void Session::Dispatch(const pomelo::Message& message) {
  const std::optional<pomelo::MessageId> id =
      message.type == MessageType::kRequest ? std::optional(message.id) : std::nullopt;
  busy_ = true;
  ++owed_;
  ++requests_;
  const bool in_time = TakeToken();
  Reply reply(loop_, self_, {.id = id, .number = requests_, .came = tokens_at_});
  if (!in_time) {
    return reply.Fail(
        429, fmt::format("more than {} requests a second: slow down", options_.max_requests_per_second));
  }

  std::string_view route;
  if (const auto* text = std::get_if<std::string_view>(&message.route)) {
    route = *text;
  } else {
    const uint16_t code = std::get<uint16_t>(message.route);
    const pomelo::Dictionary* dictionary = options_.contract->dictionary();
    if (dictionary == nullptr)
      return reply.Fail(404, "route codes are not in use here: send the route as text");
    const auto found = dictionary->RouteOf(code);
    if (!found) return reply.Fail(404, fmt::format("no route has the code {}", code));
    route = *found;
  }
  if (spdlog::should_log(spdlog::level::debug)) reply.request_.route = Printable(route);
  if (message.compressed) {
    return handler_->OnBadBody(route, "compressed bodies are not supported: send the body as it is",
                               std::move(reply));
  }
  auto body = options_.contract->ReadBody(format_, route, message.body);
  if (!body.ok()) {
    const std::string why =
        fmt::format("the body of {}: {}", Quote(route), std::string(body.status().message()));
    return handler_->OnBadBody(route, why, std::move(reply));
  }
  handler_->OnRequest(route, *std::move(body), std::move(reply));
}

bool Session::TakeToken() {
  const auto now = net::Clock::now();
  const double rate = options_.max_requests_per_second;
  tokens_ = std::min(2 * rate, tokens_ + rate * std::chrono::duration<double>(now - tokens_at_).count());
  tokens_at_ = now;
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

void Session::Unblock() {
  loop_.AssertHere();
  // Once this server ends, what is under way is the last.
  if (!shutdown_.empty()) return;
  busy_ = false;
  connection_.Resume();
}

void Session::OnAnswer(const Reply::Request& request, int code, std::string_view body) {
  loop_.AssertHere();
  --owed_;
  if (options_.counters != nullptr) options_.counters->Count(code);
  if (spdlog::should_log(spdlog::level::debug)) LogAnswer(request, code);
  if (request.id && state_ == State::kWorking) {
    SendAppended([&](std::string& out) {
      const size_t start = pomelo::BeginPackage(PackageType::kData, out);
      pomelo::AppendResponse(*request.id, body, out);
      pomelo::EndPackage(start, out);
    });
  }
  if (!shutdown_.empty()) {
    if (owed_ == 0) KickAndClose(net::CloseReason::kShutdown, shutdown_);
    return;
  }
  if (!last_byte_.empty()) CloseIfNothingIsOwed();
  if (request.blocks) Unblock();
}

std::string Session::request_id(uint64_t number) const {
  return fmt::format("{}-{:x}-{:x}", options_.request_prefix, id_, number);
}

void Session::LogAnswer(const Reply::Request& request, int code) const {
  const std::chrono::duration<double, std::milli> took = net::Clock::now() - request.came;
  spdlog::debug("a request of {} was answered{}", peer(),
                LogFields({{"request", request_id(request.number)},
                           {"route", request.route},
                           {"code", std::to_string(code)},
                           {"ms", fmt::format("{:.1f}", took.count())}}));
}

void Session::Write(net::Payload packages) {
  if (state_ == State::kWorking) connection_.Send(std::move(packages));
}

void Session::Push(std::string_view route, const boost::json::object& body) {
  if (state_ != State::kWorking) return;
  SendAppended([&](std::string& out) { options_.contract->AppendPush(format_, route, body, out); });
}

void Session::SendPackage(PackageType type, std::string_view body) {
  SendAppended([&](std::string& out) { pomelo::AppendPackage(type, body, out); });
}

void Session::Kick(std::string_view reason, net::CloseReason why) {
  loop_.AssertHere();
  KickAndClose(why, std::string(reason));
}

void Session::OnShutdown(std::string_view detail) {
  shutdown_ = detail;
  if (owed_ == 0) return KickAndClose(net::CloseReason::kShutdown, shutdown_);
  busy_ = true;
  connection_.Pause();
}

void Session::OnLastByte(std::string_view detail) {
  last_byte_ = detail;
  CloseIfNothingIsOwed();
}

void Session::CloseIfNothingIsOwed() {
  if (owed_ > 0 || state_ == State::kClosed) return;
  state_ = State::kClosed;
  connection_.Close(net::CloseReason::kClientLeft, last_byte_);
}

// Pomelo just disconnects (S3); a reason costs nothing and tells the client's author what to mend.
void Session::Break(std::string message) {
  KickAndClose(net::CloseReason::kProtocolError, std::move(message));
}

void Session::KickAndClose(net::CloseReason reason, std::string message) {
  if (state_ == State::kClosed) return;
  SendAppended([&](std::string& out) { pomelo::AppendKick(message, out); });
  state_ = State::kClosed;
  connection_.Close(reason, std::move(message));
}

void Session::OnTick(net::Clock::time_point now) {
  // A client that can say nothing is not judged by that; its connection bounds what it gets.
  if (state_ == State::kClosed || !last_byte_.empty()) return;
  const auto judge = [&](net::Clock::duration passed, net::Clock::duration allowed, std::string_view why) {
    if (passed <= allowed) return;
    // What it sent may just not be read yet, if the loop has much to do. But nobody gets more than twice the
    // time by sending on and on.
    if (passed <= 2 * allowed && connection_.HasUnread()) return;
    state_ = State::kClosed;
    connection_.Close(net::CloseReason::kTimeout, std::string(why));
  };
  if (state_ != State::kWorking)
    return judge(now - since_, options_.handshake_timeout, "no handshake in time");
  if (!busy_ && !handler_->SignedIn())
    judge(now - since_, options_.sign_in_timeout, "nobody signed in in time");
  if (state_ == State::kClosed) return;
  // While nothing is read, nothing can be seen.
  if (busy_ || connection_.Stalled()) {
    last_seen_ = now;
    return;
  }
  if (options_.heartbeat) return judge(now - last_seen_, 2 * *options_.heartbeat, "no heartbeat in time");
  // Not at every tick: that would be a system call for each client.
  const bool ask = !options_.has_to_speak && now - last_seen_ > options_.idle_timeout / 3;
  if (ask && connection_.ShowsLife()) last_seen_ = now;
  judge(now - last_seen_, options_.idle_timeout, "no sign of life in time");
}

void Session::OnClosed(net::CloseReason reason, std::string_view detail) {
  loop_.AssertHere();
  state_ = State::kClosed;
  self_.reset();
  // Written with care, once for each session: `detail` may quote the client.
  spdlog::debug("session {} of {} ended: {}: {}", id_, peer(), net::ToString(reason), detail);
  handler_->OnClosed(reason == net::CloseReason::kKicked ||
                     (reason == net::CloseReason::kClientLeft && connection_.SaidGoodbye()));
}

}  // namespace hubbub
