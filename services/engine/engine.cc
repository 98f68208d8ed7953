#include "services/engine/engine.h"

#include <algorithm>
#include <future>
#include <utility>

#include "absl/strings/match.h"
#include "fmt/format.h"
#include "services/base/wait.h"
#include "services/engine/engine_socket.h"
#include "services/engine/sid.h"
#include "services/net/bearer.h"
#include "services/net/http_list.h"
#include "services/net/http_verdict.h"
#include "services/net/networks.h"

namespace hubbub::engine {
namespace {

constexpr std::string_view kNoVersion = "EIO has to be 3 or 4";
constexpr std::string_view kNoTransport = "transport has to be polling or websocket";

bool HasOctets(const net::HttpRequest& request) {
  return std::any_of(request.fields.begin(), request.fields.end(), [](const auto& field) {
    return net::SameName(field.first, "Content-Type") &&
           absl::StartsWithIgnoreCase({field.second.data(), field.second.size()}, "application/octet-stream");
  });
}

// Socket.IO's client for Java has OkHttp tell it of closed connections, and does not answer close frames,
// without which OkHttp tells it nothing: it would find out by its next ping.
bool IgnoresCloseFrames(const net::HttpRequest& request) {
  return std::any_of(request.fields.begin(), request.fields.end(), [](const auto& field) {
    return net::SameName(field.first, "User-Agent") && field.second.starts_with("okhttp/");
  });
}

net::HttpResponse NoSuchPath() {
  return {.status = 404, .body = "Socket.IO is served at /socket.io/ and at no path below it.\n"};
}

}  // namespace

Engine::Engine(net::Loops& loops, EngineOptions options, MakeProtocol make)
    : options_(std::move(options)),
      server_(ServerTag(options_.server_id)),
      make_(std::move(make)),
      seats_(std::make_shared<net::Seats>(options_.max_sessions, options_.max_per_machine)) {
  for (int i = 0; i < loops.size(); ++i) {
    const auto lane = lanes_.emplace_back(
        std::make_shared<Lane>(loops.at(i), options_.tick, options_.waiting[static_cast<size_t>(i)]));
    loops.at(i).Post([lane] { lane->Start(); });
  }
}

Engine::~Engine() {
  for (const auto& lane : lanes_) {
    const auto done = std::make_shared<std::promise<void>>();
    lane->loop().Post([lane, done] {
      lane->Stop();
      // Behind what the sessions have posted.
      lane->loop().Post([done] { done->set_value(); });
    });
    done->get_future().wait();
  }
}

void Engine::AddRoutes(net::HttpRouter& router) {
  const auto on_request = [this](net::Loop& loop, net::HttpRequest request, net::HttpReply reply) {
    OnRequest(loop, std::move(request), std::move(reply));
  };
  router.Add(std::string(kPath), {.handler = on_request,
                                  .methods = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"},
                                  .max_body_bytes = options_.limits.max_payload_bytes,
                                  .any_host = true,
                                  .own_pages = true});
  net::WebSocketRoute sockets;
  sockets.check_bearer = options_.check_bearer;
  sockets.judge = [this](const net::HttpRequest& request) { return OnWebSocket(request); };
  router.AddWebSocket(std::string(kPath), std::move(sockets));
}

void Engine::AddTraffic(net::Traffic& sum) const {
  for (const auto& lane : lanes_) sum.Add(lane->counted());
}

int Engine::sessions() const {
  int sum = 0;
  for (const auto& lane : lanes_) sum += lane->sessions();
  return sum;
}

void Engine::Drain(std::string_view detail) {
  draining_ = true;
  for (const auto& lane : lanes_) {
    lane->loop().Post([lane, text = std::string(detail)] { lane->Shutdown(text); });
  }
}

void Engine::WaitForEnd(std::chrono::milliseconds timeout) const {
  WaitUntil([this] { return sessions() == 0; }, timeout);
}

std::variant<Lane*, net::HttpResponse> Engine::LaneOf(std::string_view sid) {
  const auto place = PlaceOf(sid);
  if (!place || place->loop >= lanes_.size())
    return ErrorResponse(EngineError::kUnknownSid, "no server has made this sid");
  if (place->server != server_) {
    return ErrorResponse(
        EngineError::kUnknownSid,
        fmt::format("this is {}, and the session lives at the server that its sid ends with: send "
                    "all requests of a session to one server",
                    server_));
  }
  return lanes_[place->loop].get();
}

void Engine::OnRequest(net::Loop& loop, net::HttpRequest request, net::HttpReply reply) {
  Answer answer(request, std::move(reply));
  if (net::PathOf(request.target) != kPath) return answer.Send(NoSuchPath());
  if (request.method == "OPTIONS") return answer.Preflight();
  const Query query = ReadQuery(request.target);
  if (query.transport != "polling" && query.transport != "websocket")
    return answer.Fail(EngineError::kUnknownTransport, kNoTransport);
  if (query.transport == "websocket")
    return answer.Fail(EngineError::kBadRequest, "this is no handshake of a WebSocket");
  if (query.jsonp)
    return answer.Fail(EngineError::kBadRequest,
                       "JSONP is not served: the client has to leave the parameter j out");
  if (query.sid.empty()) return OnHandshake(loop, request, query, std::move(answer));

  auto found = LaneOf(query.sid);
  if (auto* refusal = std::get_if<net::HttpResponse>(&found)) return answer.Send(std::move(*refusal));
  if (request.method != "GET" && request.method != "POST")
    return answer.Fail(EngineError::kBadMethod, "a session takes GET and POST");
  const auto lane = std::get<Lane*>(found)->shared_from_this();
  auto serve = [lane, sid = query.sid, request = std::move(request), answer = std::move(answer)]() mutable {
    const auto session = lane->Find(sid);
    if (session == nullptr) return answer.Fail(EngineError::kUnknownSid, "this session has ended");
    if (request.method == "GET") return session->Poll(std::move(answer));
    session->Post(request.body, HasOctets(request), std::move(answer));
  };
  if (lane->loop().IsHere()) return serve();
  lane->loop().Post(std::move(serve));
}

void Engine::OnHandshake(net::Loop& loop, const net::HttpRequest& request, const Query& query,
                         Answer answer) {
  if (request.method != "GET") return answer.Fail(EngineError::kBadMethod, "a session begins with GET");
  const auto version = VersionOf(query);
  if (!version) return answer.Fail(EngineError::kBadVersion, kNoVersion);
  auto bearer = net::BearerOf(request);
  if (const auto* fault = std::get_if<net::HttpFault>(&bearer))
    return answer.Send(net::FaultResponse(*fault));
  auto& token = std::get<std::string>(bearer);
  if (options_.check_bearer && !token.empty()) {
    if (auto why = options_.check_bearer(token))
      return answer.Send(net::UnauthorizedResponse(*std::move(why)));
  }
  Lane& lane = LaneAt(loop);
  if (draining_) {
    lane.CountClose(net::CloseReason::kRefused);
    return answer.Send({.status = 503,
                        .body = "This server is draining: it takes no new clients.\n",
                        .headers = {{"Cache-Control", "no-store"}}});
  }
  auto seat = seats_->Take(net::MachineOfPeer(request.peer));
  if (!seat || seat->guest()) {
    lane.CountClose(net::CloseReason::kRefused);
    return answer.Send(seat && seat->too_many() ? net::TooManyResponse() : net::FullResponse());
  }
  const auto session = NewSession(lane, *version, request.peer, std::move(seat));
  session->Start(make_(loop, *session, *version), nullptr, std::move(token));
  session->Poll(std::move(answer));
}

std::shared_ptr<EngineSession> Engine::NewSession(Lane& lane, socketio::EngineVersion version,
                                                  std::string peer, std::optional<net::Ticket> seat) {
  std::string sid = NewSid(static_cast<size_t>(lane.loop().index()), server_);
  auto session = std::make_shared<EngineSession>(lane.shared_from_this(), options_.limits, version, sid,
                                                 std::move(peer), std::move(seat));
  lane.Add(sid, session);
  return session;
}

Engine::Opening Engine::OnWebSocket(const net::HttpRequest& request) {
  const Query query = ReadQuery(request.target);
  const auto version = VersionOf(query);
  if (net::PathOf(request.target) != kPath) return NoSuchPath();
  if (query.transport != "websocket") return ErrorResponse(EngineError::kUnknownTransport, kNoTransport);
  if (!version) return ErrorResponse(EngineError::kBadVersion, kNoVersion);
  if (query.sid.empty()) {
    auto make = [this, version = *version](net::Loop& loop, net::Connection& connection) {
      const auto session = NewSession(LaneAt(loop), version, std::string(connection.peer()), std::nullopt);
      session->Start(make_(loop, *session, version), &connection, connection.TakeBearer());
      return std::make_unique<EngineSocket>(session, connection, /*probe=*/false);
    };
    return net::WebSocketOpening{
        .protocol = std::make_shared<net::ProtocolFactory>(net::ProtocolFactory{.make = std::move(make)}),
        .ends_without_frame = IgnoresCloseFrames(request)};
  }
  auto found = LaneOf(query.sid);
  if (auto* refusal = std::get_if<net::HttpResponse>(&found)) return std::move(*refusal);
  const auto lane = std::get<Lane*>(found)->shared_from_this();
  auto make = [lane, sid = query.sid](net::Loop&, net::Connection& connection) {
    return std::make_unique<EngineSocket>(lane->Find(sid), connection, /*probe=*/true);
  };
  return net::WebSocketOpening{
      .protocol = std::make_shared<net::ProtocolFactory>(net::ProtocolFactory{.make = std::move(make)}),
      .loop = &lane->loop(),
      .ends_without_frame = IgnoresCloseFrames(request)};
}

}  // namespace hubbub::engine
