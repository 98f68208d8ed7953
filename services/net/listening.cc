#include "services/net/listening.h"

#include <string_view>

#include "boost/asio/ip/v6_only.hpp"
#include "fmt/format.h"
#include "services/base/host_port.h"

namespace hubbub::net {
namespace {

using Tcp = asio::ip::tcp;
using Error = boost::system::error_code;

bool IsWildcard(const std::string& host) {
  return host.empty() || host == "0.0.0.0" || host == "::" || host == "[::]";
}

// What has failed; empty: nothing.
std::string_view ListenOn(TcpAcceptor& acceptor, const Tcp::endpoint& endpoint, bool both_families,
                          Error& error) {
  acceptor.open(endpoint.protocol(), error);
  if (error) return "no socket";
  acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (both_families) {
    acceptor.set_option(asio::ip::v6_only(false), error);
    if (error) return "no such address here";
  }
  if (acceptor.bind(endpoint, error); error) {
    return error == asio::error::address_in_use ? "another program has this port" : "no such address here";
  }
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  return error ? "not possible" : "";
}

}  // namespace

absl::Status ListenOn(TcpAcceptor& acceptor, const std::string& host, uint16_t port) {
  Error error;
  std::string_view what;
  if (IsWildcard(host)) {
    what = ListenOn(acceptor, {Tcp::v6(), port}, true, error);
    if (!what.empty() && error != asio::error::address_in_use) {
      Error ignored;
      acceptor.close(ignored);
      what = ListenOn(acceptor, {Tcp::v4(), port}, false, error);
    }
  } else {
    asio::io_context resolving;
    const auto found = Tcp::resolver(resolving).resolve(host, std::to_string(port), error);
    if (error || found.empty()) {
      what = "the host does not resolve";
    } else {
      what = ListenOn(acceptor, found.begin()->endpoint(), false, error);
    }
  }
  if (what.empty()) return absl::OkStatus();
  return absl::UnavailableError(
      fmt::format("cannot listen for clients on {}: {}: {}", HostPort(host, port), what, error.message()));
}

}  // namespace hubbub::net
