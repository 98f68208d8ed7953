#include "services/net/arrival.h"

#include <utility>

#include "services/net/lateness.h"
#include "services/net/refusal.h"
#include "services/net/tcp_connection.h"

namespace hubbub::net {

Arrival::Arrival(std::shared_ptr<ConnectionSet> set, Ticket ticket, ClientStream stream, std::string peer,
                 bool by_proxy, std::shared_ptr<const SetUp> setup)
    : set_(std::move(set)),
      ticket_(std::move(ticket)),
      setup_(std::move(setup)),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      by_proxy_(by_proxy),
      timer_(set_->loop().executor()) {
  boost::system::error_code ignored;
  socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  set_->Insert(this);
}

Arrival::~Arrival() {
  set_->Erase(this);
}

bool Arrival::SetPeer(std::string peer) {
  peer_ = std::move(peer);
  const Seats::Machine machine = MachineOfPeer(peer_);
  if (machine == Seats::kAnyMachine || ticket_.BelongTo(machine)) return true;
  GiveUp();
  return false;
}

bool Arrival::StandFor(std::optional<std::string> client) {
  by_proxy_ = client && setup_->options.trusted_proxies.ContainPeer(*client);
  std::string peer = std::move(client).value_or(peer_);
  // Of a proxy only the clients are counted, and it will say who they are.
  if (!by_proxy_) return SetPeer(std::move(peer));
  peer_ = std::move(peer);
  return true;
}

void Arrival::EndAfter(Clock::duration time) {
  patience_ = time;
  late_at_ = set_->Now() + time;
  Watch(time);
}

void Arrival::Watch(Clock::duration wait) {
  timer_.expires_after(wait);
  timer_.async_wait([self = weak_from_this()](boost::system::error_code error) {
    if (auto arrival = self.lock(); arrival && !error) arrival->OnTimer();
  });
}

void Arrival::OnTimer() {
  const Clock::duration left = late_at_ - set_->Now();
  if (IsLate(patience_ - left, patience_, [this] { return Present().HasUnread(); })) return on_late_();
  Watch(left > Clock::duration::zero() ? left : kLookAgain);
}

ClientStream& Arrival::Present() {
  return web_socket_ ? web_socket_->next_layer().next_layer() : stream_;
}

void Arrival::GiveUp() {
  boost::system::error_code ignored;
  Present().next_layer().close(ignored);
}

void Arrival::MoveTo(Loop& loop, absl::AnyInvocable<void(std::shared_ptr<Arrival>)> then) {
  timer_.cancel();
  boost::system::error_code error;
  ClientStream stream = stream_.MoveTo(loop.executor(), error);
  if (error) return GiveUp();
  loop.Post([set = setup_->sets[static_cast<size_t>(loop.index())], ticket = std::move(ticket_),
             stream = std::move(stream), setup = setup_, peer = std::move(peer_), by_proxy = by_proxy_,
             then = std::move(then)]() mutable {
    if (set->ended()) return;
    then(std::make_shared<Arrival>(std::move(set), std::move(ticket), std::move(stream), std::move(peer),
                                   by_proxy, std::move(setup)));
  });
}

WebSocketStream& Arrival::MakeStream() {
  return web_socket_.emplace(std::move(stream_));
}

void Arrival::StartTcp(beast::flat_buffer read) {
  auto refusal = ticket_.refusal();
  Run(std::move(refusal), MakeTcpConnection(TakeClient(), std::move(stream_), std::move(read)), setup_->tcp);
}

void Arrival::RefuseTcp(beast::flat_buffer read, std::string reason) {
  if (set_->ended()) return;
  ticket_.BecomeGuest();
  SendAway(*MakeTcpConnection(TakeClient(), std::move(stream_), std::move(read)), setup_->tcp.refuse,
           std::move(reason));
}

void Arrival::StartWebSocket(const ProtocolFactory& protocol, bool ends_without_frame) {
  auto refusal = ticket_.refusal();
  Run(std::move(refusal),
      MakeWebSocketConnection(TakeClient(), *std::move(web_socket_), setup_->options.max_message_bytes,
                              ends_without_frame),
      protocol);
}

SocketConnection::Client Arrival::TakeClient() {
  timer_.cancel();
  return {set_, std::move(ticket_), std::move(peer_), std::move(bearer_)};
}

void Arrival::Run(std::optional<std::string> refusal, const std::shared_ptr<SocketConnection>& connection,
                  const ProtocolFactory& protocol) {
  if (set_->ended()) return;
  if (refusal) return SendAway(*connection, protocol.refuse, *std::move(refusal));
  connection->Start(protocol.make(set_->loop(), *connection));
}

}  // namespace hubbub::net
