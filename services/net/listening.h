#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "boost/asio/basic_socket_acceptor.hpp"
#include "boost/asio/ip/address.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "services/net/loop.h"

namespace hubbub::net {

using TcpAcceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

// Has `acceptor` listen on this address; the error says which one and why not. Both wildcards, 0.0.0.0 and
// ::, stand for every address of both families, or of IPv4 where there is no IPv6, as they do for gRPC
// (services/rpc/acceptor.h).
absl::Status ListenOn(TcpAcceptor& acceptor, const std::string& host, uint16_t port);

}  // namespace hubbub::net
