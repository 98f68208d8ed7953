#include "services/net/http_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/time/clock.h"
#include "services/net/client_address.h"
#include "services/net/websocket_handshake.h"

namespace hubbub::net {

HttpSession::HttpSession(std::shared_ptr<Arrival> arrival, std::string received)
    : arrival_(std::move(arrival)),
      connected_peer_(arrival_->peer()),
      began_at_(arrival_->Now()),
      received_(std::move(received)) {}

void HttpSession::Start() {
  arrival_->loop().AssertHere();
  arrival_->OnLate([self = weak_from_this()] {
    if (const auto session = self.lock()) session->OnLate();
  });
  ReadHead();
}

void HttpSession::OnLate() {
  switch (stage_) {
    case Stage::kHead:
    case Stage::kBody: {
      // The read that is under way ends with this, and the answer waits for it.
      late_ = true;
      boost::system::error_code ignored;
      arrival_->socket().cancel(ignored);
      return;
    }
    case Stage::kHandler:
      return Answer(FaultResponse({504, "This server has not found the answer in time."}));
    case Stage::kIdle:
    case Stage::kAnswer:
    case Stage::kEnd:
      return arrival_->GiveUp();
  }
}

void HttpSession::Read() {
  arrival_->stream().async_read_some(
      asio::buffer(chunk_), [self = shared_from_this()](boost::system::error_code error, size_t bytes) {
        if (self->late_)
          return self->Refuse(FaultResponse({408, "The rest of the request did not come in time."}));
        if (error) return;
        self->received_.append(self->chunk_.data(), bytes);
        self->stage_ == Stage::kBody ? self->ReadBody() : self->ReadHead();
      });
}

void HttpSession::ReadHead() {
  // Empty lines are no request yet: old clients send one behind a body.
  const size_t begin = received_.find_first_not_of("\r\n");
  if (stage_ == Stage::kIdle && begin != std::string::npos) {
    stage_ = Stage::kHead;
    arrival_->EndAfter(options().setup_timeout);
  }
  is_head_request_ = begin != std::string::npos && received_.compare(begin, 5, "HEAD ") == 0;
  const HeadScanner::Result found = scanner_.Scan(received_);
  if (found.fault) return Refuse(FaultResponse(*found.fault));
  if (found.size == 0) return Read();
  const auto head = ParseHead(std::string_view(received_).substr(0, found.size));
  if (const auto* fault = std::get_if<HttpFault>(&head)) return Refuse(FaultResponse(*fault));
  // Of each request: a proxy may send those of several clients over one connection.
  if (arrival_->by_proxy()) {
    auto client = ForwardedClient(std::get<HttpHead>(head), options().trusted_proxies);
    if (const auto* fault = std::get_if<HttpFault>(&client)) return Refuse(FaultResponse(*fault));
    auto& named = std::get<std::optional<std::string>>(client);
    if (!arrival_->SetPeer(std::move(named).value_or(connected_peer_))) return;
  }
  auto verdict = JudgeRequest(std::get<HttpHead>(head), arrival_->setup().router, options().origins);
  if (const auto refusal = RefusalOfPlain(verdict)) return Refuse(*refusal);
  if (const auto* refusal = std::get_if<HttpResponse>(&verdict)) return Refuse(*refusal);
  received_.erase(0, found.size);
  if (auto* plain = std::get_if<PlainRequest>(&verdict)) return OnRequest(std::move(*plain));
  arrival_->ticket().TakePlace();
  auto& upgrade = std::get<UpgradeRequest>(verdict);
  Loop* const home = upgrade.opening.loop;
  if (home == nullptr || home->IsHere()) return ShakeHands(arrival_, upgrade, received_);
  arrival_->MoveTo(
      *home, [upgrade = std::move(upgrade), received = std::move(received_)](std::shared_ptr<Arrival> moved) {
        ShakeHands(std::move(moved), upgrade, received);
      });
}

// Load balancers ask without TLS, and learn nothing that is not for everybody.
std::optional<HttpResponse> HttpSession::RefusalOfPlain(const HttpVerdict& verdict) const {
  if (options().allow_plain || arrival_->stream().secure()) return std::nullopt;
  const auto* plain = std::get_if<PlainRequest>(&verdict);
  if (plain != nullptr && PathOf(plain->request.target) == kHealthPath) return std::nullopt;
  return FaultResponse({400, "This port speaks TLS: use https:// or wss:// instead of http:// or ws://."});
}

void HttpSession::OnRequest(PlainRequest plain) {
  plain_ = std::move(plain);
  plain_.request.peer = arrival_->peer();
  wants_to_stay_ = plain_.keep_alive;
  const Ticket& ticket = arrival_->ticket();
  if (ticket.guest() && !plain_.route->for_guests && !draining())
    return Refuse(ticket.too_many() ? TooManyResponse() : FullResponse());
  // The body of a GET or HEAD means nothing: a client that has not sent it yet need not do so, and what it
  // sends all the same must not be taken for a request.
  const bool needs_no_body = plain_.request.method == "GET" || plain_.request.method == "HEAD";
  if (plain_.expects_continue && needs_no_body) {
    wants_to_stay_ = false;
    return Handle();
  }
  stage_ = Stage::kBody;
  body_.emplace(plain_.framing, plain_.route->max_body_bytes);
  if (!body_->whole()) arrival_->EndAfter(options().setup_timeout);
  if (plain_.expects_continue && received_.empty()) return SayContinue();
  ReadBody();
}

void HttpSession::SayContinue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  arrival_->stream().AsyncWrite(asio::buffer(kContinue),
                                [self = shared_from_this()](boost::system::error_code error, size_t) {
                                  if (!error && !self->late_) self->ReadBody();
                                });
}

void HttpSession::ReadBody() {
  received_.erase(0, body_->Put(received_));
  if (const auto& fault = body_->fault()) return Refuse(FaultResponse(*fault));
  if (!body_->whole()) return Read();
  plain_.request.body = body_->Take();
  Handle();
}

void HttpSession::Handle() {
  body_.reset();
  if (const auto* page = std::get_if<PageHandler>(&plain_.route->handler))
    return Answer(UnlessKnown(plain_.request, (*page)(plain_.request)));
  stage_ = Stage::kHandler;
  arrival_->EndAfter(options().http.handler);
  WatchForError();
  std::get<AsyncHandler>(plain_.route->handler)(arrival_->loop(), std::move(plain_.request), MakeReply());
}

HttpReply HttpSession::MakeReply() {
  return HttpReply([&loop = arrival_->loop(), session = weak_from_this(),
                    number = request_number_](HttpResponse response) mutable {
    const auto answer = [session = std::move(session), number, response = std::move(response)] {
      if (const auto self = session.lock()) self->OnReply(number, response);
    };
    if (loop.IsHere()) return answer();
    loop.Post(answer);
  });
}

void HttpSession::OnReply(int request_number, const HttpResponse& response) {
  // The time may be over, or the listener.
  if (stage_ != Stage::kHandler || request_number != request_number_ || arrival_->ended()) return;
  Answer(response);
}

// Nothing is read while a handler works, so that requests wait for their turn in the system.
void HttpSession::WatchForError() {
  arrival_->socket().async_wait(Socket::wait_error, [self = shared_from_this(), number = request_number_](
                                                        boost::system::error_code error) {
    if (error || self->stage_ != Stage::kHandler || self->request_number_ != number) return;
    self->arrival_->GiveUp();
  });
}

void HttpSession::Refuse(const HttpResponse& response) {
  wants_to_stay_ = false;
  Answer(response);
}

void HttpSession::Answer(const HttpResponse& response) {
  boost::system::error_code ignored;
  if (stage_ == Stage::kHandler) arrival_->socket().cancel(ignored);
  stage_ = Stage::kAnswer;
  wants_to_stay_ = wants_to_stay_ && MayStay();
  const ResponseForm form{
      .with_body = !is_head_request_, .keep_alive = wants_to_stay_, .readable_by = plain_.readable_by};
  answer_ = WriteResponse(response, form, absl::Now());
  const std::string_view rest = HasConstantBody(response, form) ? response.constant_body : std::string_view();
  arrival_->EndAfter(options().setup_timeout);
  arrival_->stream().AsyncWrite(std::array<asio::const_buffer, 2>{asio::buffer(answer_), asio::buffer(rest)},
                                [self = shared_from_this()](boost::system::error_code error, size_t) {
                                  if (error) return;
                                  if (self->wants_to_stay_) return self->NextRequest();
                                  self->stage_ = Stage::kEnd;
                                  self->arrival_->stream().AsyncEndWriting([self] {});
                                  self->WaitForEnd(0);
                                });
}

bool HttpSession::MayStay() {
  const HttpLimits& limits = options().http;
  return request_number_ < limits.requests && arrival_->Now() - began_at_ < limits.age && !draining() &&
         arrival_->ticket().Keep([&loop = arrival_->loop(), session = weak_from_this()] {
           loop.Post([session] {
             if (const auto self = session.lock()) self->MakeRoom();
           });
         });
}

void HttpSession::MakeRoom() {
  if (stage_ == Stage::kIdle) arrival_->GiveUp();
}

void HttpSession::NextRequest() {
  ++request_number_;
  scanner_ = {};
  plain_ = {};
  answer_ = {};
  stage_ = Stage::kIdle;
  arrival_->EndAfter(options().http.idle);
  ReadHead();
}

// The timer, or the client's close, ends it: a close with bytes unread would take the answer back. What comes
// means nothing, so TLS does not look at it.
void HttpSession::WaitForEnd(size_t unread) {
  if (unread > kMaxUnread) return arrival_->GiveUp();
  arrival_->socket().async_read_some(
      asio::buffer(chunk_),
      [self = shared_from_this(), unread](boost::system::error_code error, size_t bytes) {
        if (!error) self->WaitForEnd(unread + bytes);
      });
}

}  // namespace hubbub::net
