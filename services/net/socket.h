#pragma once

#include "boost/asio/basic_stream_socket.hpp"
#include "boost/asio/basic_waitable_timer.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "services/net/connection.h"
#include "services/net/loop.h"

namespace boost::beast {}  // namespace boost::beast

namespace hubbub::net {

namespace beast = boost::beast;
// A loop's own executor type. Asio's type-erased executor would cost 8 to 17 % of each message.
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

}  // namespace hubbub::net
