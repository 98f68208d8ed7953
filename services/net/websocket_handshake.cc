#include "services/net/websocket_handshake.h"

#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "boost/beast/http.hpp"
#include "boost/beast/websocket.hpp"
#include "fmt/format.h"
#include "services/net/http_response.h"

namespace hubbub::net {

namespace websocket = beast::websocket;

void ShakeHands(std::shared_ptr<Arrival> arrival, const UpgradeRequest& request, std::string_view behind) {
  const ListenerOptions& options = arrival->setup().options;
  arrival->SetBearer(request.bearer);
  WebSocketStream& stream = arrival->MakeStream();
  stream.set_option(
      websocket::stream_base::timeout{options.setup_timeout, websocket::stream_base::none(), false});
  stream.set_option(
      websocket::stream_base::decorator([protocol = request.protocol](websocket::response_type& response) {
        response.set(beast::http::field::server, "hubbub/" HUBBUB_VERSION);
        response.set(beast::http::field::date, HttpDate(absl::Now()));
        if (!protocol.empty()) response.set(beast::http::field::sec_websocket_protocol, protocol);
      }));
  stream.auto_fragment(false);
  stream.binary(true);
  stream.read_message_max(options.max_message_bytes);
  // Beast gets a request of our making instead of the client's, whose forms it knows less of, and what the
  // client has sent behind it.
  auto bytes = std::make_unique<const std::string>(fmt::format(
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
      "{}\r\nSec-WebSocket-Version: 13\r\n\r\n{}",
      request.key, behind));
  const auto buffer = asio::buffer(*bytes);
  stream.async_accept(buffer, [arrival = std::move(arrival), protocol = request.opening.protocol,
                               ends_without_frame = request.opening.ends_without_frame,
                               bytes = std::move(bytes)](boost::system::error_code error) {
    if (!error) arrival->StartWebSocket(*protocol, ends_without_frame);
  });
}

}  // namespace hubbub::net
