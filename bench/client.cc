#include "bench/client.h"

#include <utility>

#include "absl/strings/str_format.h"

namespace hubbub::bench {
namespace {

// Connections come from 127.1.0.0 and up: one address for so many clients.
constexpr uint32_t kSources = 127u << 24 | 1u << 16;
constexpr uint32_t kClientsASource = 200;

}  // namespace

Client::Client(int number, int room, Audience& audience)
    : number_(number),
      audience_(audience),
      user_(absl::StrFormat("u%d-%s", number, audience.run)),
      room_(absl::StrFormat("r%d-%s", room, audience.run)) {}

absl::Status Client::Connect(const Endpoint& server, const Connection::Opening& opening) {
  return connection_.Open(audience_.epoll, static_cast<uint64_t>(number_), server,
                          kSources + static_cast<uint32_t>(number_) / kClientsASource, opening);
}

absl::Status Client::OnReady(uint32_t events) {
  absl::Status status = connection_.OnReady(events, audience_.scratch, *this);
  return status_.ok() ? std::move(status) : status_;
}

bool Client::Fail(absl::Status status) {
  status_ = std::move(status);
  return false;
}

}  // namespace hubbub::bench
