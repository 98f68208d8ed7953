#include "bench/options.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "bench/text.h"

namespace hubbub::bench {
namespace {

constexpr const char* kHead =
    R"(hubbub-load loads a chat suite and measures it: one that speaks Pomelo's client protocol,
Socket.IO or Centrifugo's.

  hubbub-load --gate 127.0.0.1:3014 --scenario rooms --servers chat-1=4711,connector-1=4712

Each client comes to its server over WebSocket, with Pomelo by way of the gate, enters its room and keeps its heartbeats. Senders' texts carry numbers, so that every delivery is checked: once, whole, and in its sender's order.
Latency counts from when a send was due, also if it could only be sent later. Only loopback addresses are loaded.

Scenarios set what the flags behind them do not:
  rooms   300 clients in 10 rooms, 3 senders a room, each with 8 sends under way
  hall    300 clients in 1 room, 10 senders, each with 32 sends under way
  calm    300 clients in 3 rooms, 10 senders a room, 60 sends a second in all
  steady  300 clients in 10 rooms, all of whom send, 600 sends a second in all
  trickle 3000 clients in 100 rooms, each of whom sends once a minute
  idle    9000 clients in 300 rooms; nobody sends: sign-in and memory
  grow    rooms of 30, 3 senders and 4 sends a second a room; give --clients 300, 3000, 9000

A send is under way until it is answered and the sender's own copy has come. Exit codes: 0, 1 for an error or a delivery
that was lost, doubled, out of order or damaged, 2 for wrong flags.

)";

struct Scenario {
  int clients, rooms, senders, window;
  double rate;
};
const std::map<std::string, Scenario, std::less<>> kScenarios{
    {"rooms", {300, 10, 3, 8, 0}},     {"hall", {300, 1, 10, 32, 0}},       {"calm", {300, 3, 10, 0, 60}},
    {"steady", {300, 10, 30, 0, 600}}, {"trickle", {3000, 100, 30, 0, 50}}, {"idle", {9000, 300, 3, 0, 0}},
    {"grow", {300, 10, 3, 0, 40}},
};
constexpr int kGrowRoom = 30;
constexpr int kGrowRate = 4;

// What the command line gave; the rest comes from the scenario.
struct Given {
  std::string gate = "127.0.0.1:3014";
  std::string servers;
  std::optional<double> clients, rooms, senders, window, rate;
};

using Set = std::function<absl::Status(std::string_view)>;

struct Flag {
  std::string_view name;
  std::string_view value;  // What stands for the value in the help; empty: the flag has none.
  std::string_view what;
  Set set;
};

absl::Status Wrong(const std::string& text) {
  return absl::InvalidArgumentError(text);
}

template <typename Number>
Set NumberInto(std::string_view name, Number& into, double least, double most, bool whole = true) {
  return [=, &into](std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value >= least && value <= most) ||
        (whole && value != std::floor(value))) {
      return Wrong(absl::StrFormat("--%s must be a %s from %.12g to %.12g, not '%s'", std::string(name),
                                   whole ? "whole number" : "number", least, most, std::string(text)));
    }
    if constexpr (std::is_arithmetic_v<Number>) {
      into = static_cast<Number>(value);
    } else {
      into = value;
    }
    return absl::OkStatus();
  };
}

Set TextInto(std::string& into) {
  return [&into](std::string_view text) {
    into = text;
    return absl::OkStatus();
  };
}

Set ProtocolInto(Protocol& into) {
  return [&into](std::string_view text) {
    if (text != "pomelo" && text != "socketio" && text != "centrifugo")
      return Wrong("--protocol must be pomelo, socketio or centrifugo, not '" + std::string(text) + "'");
    into = text == "pomelo"     ? Protocol::kPomelo
           : text == "socketio" ? Protocol::kSocketIo
                                : Protocol::kCentrifugo;
    return absl::OkStatus();
  };
}

std::vector<Flag> Flags(Options& options, Given& given) {
  return {
      {"gate", "HOST:PORT,…",
       "the gate's address for clients; with another protocol than pomelo the servers', to which clients "
       "come in turn; loopback "
       "(127.0.0.1:3014)",
       TextInto(given.gate)},
      {"protocol", "NAME", "pomelo, socketio or centrifugo (pomelo)", ProtocolInto(options.protocol)},
      {"scenario", "NAME", "rooms, hall, calm, steady, trickle, idle or grow (rooms)",
       TextInto(options.scenario)},
      {"servers", "NAME=PID,…", "the processes whose CPU time and memory count (none)",
       TextInto(given.servers)},
      {"client", "TYPE", "what the handshake says; empty or hubbub-web gets JSON (js-websocket)",
       TextInto(options.client)},
      {"clients", "N", "clients", NumberInto("clients", given.clients, 1, 50000)},
      {"rooms", "N", "rooms; client i is in room i modulo N", NumberInto("rooms", given.rooms, 1, 50000)},
      {"senders", "N", "senders in each room", NumberInto("senders", given.senders, 1, 1000)},
      {"window", "N", "sends under way of each sender; 0: by --rate",
       NumberInto("window", given.window, 0, 1000)},
      {"rate", "N", "sends a second in all, evenly spread; 0: by --window",
       NumberInto("rate", given.rate, 0, 100000, false)},
      {"text_bytes", "N", "length of a text (64)",
       NumberInto("text_bytes", options.text_bytes, kMinTextBytes, 32768)},
      {"warmup", "SECONDS", "load before measuring (2)",
       NumberInto("warmup", options.warmup_s, 0, 600, false)},
      {"seconds", "SECONDS", "how long to measure (10)",
       NumberInto("seconds", options.seconds, 0.1, 3600, false)},
      {"drain", "SECONDS", "wait at most so long for the last deliveries (20)",
       NumberInto("drain", options.drain_s, 0, 600, false)},
      {"connect_within", "SECONDS", "all clients must be in their rooms by then (120)",
       NumberInto("connect_within", options.connect_s, 1, 3600, false)},
      {"connecting", "N", "clients that sign in at a time (64)",
       NumberInto("connecting", options.connecting, 1, 1000)},
      {"label", "TEXT", "the system's name in the result", TextInto(options.label)},
      {"json", "FILE", "where to write the result as JSON", TextInto(options.json)},
      {"quiet", "", "no progress on standard error",
       [&options](std::string_view) {
         options.quiet = true;
         return absl::OkStatus();
       }},
      {"help", "", "this text", nullptr},
  };
}

std::string Help(const std::vector<Flag>& flags) {
  std::string text = kHead;
  for (const Flag& flag : flags) {
    std::string left = "  --" + std::string(flag.name) + " " + std::string(flag.value);
    left.resize(std::max<size_t>(28, left.size() + 1), ' ');
    text += left + std::string(flag.what) + "\n";
  }
  text.pop_back();
  return text;
}

absl::Status FillIn(const Given& given, Options& options) {
  if (options.scenario.empty()) options.scenario = "rooms";
  const auto found = kScenarios.find(options.scenario);
  if (found == kScenarios.end()) {
    return Wrong("there is no scenario '" + options.scenario +
                 "': it is rooms, hall, calm, steady, trickle, idle or grow");
  }
  Scenario scenario = found->second;
  if (options.scenario == "grow" && given.clients) {
    scenario.rooms = std::max(1, static_cast<int>(*given.clients) / kGrowRoom);
  }
  if (options.scenario == "grow") scenario.rate = kGrowRate * given.rooms.value_or(scenario.rooms);
  options.clients = static_cast<int>(given.clients.value_or(scenario.clients));
  options.rooms = static_cast<int>(given.rooms.value_or(scenario.rooms));
  options.senders = static_cast<int>(given.senders.value_or(scenario.senders));
  // A user who gives one of --window and --rate does not want the other one's default.
  options.window = static_cast<int>(given.window.value_or(given.rate.value_or(0) > 0 ? 0 : scenario.window));
  options.rate = given.rate.value_or(options.window > 0 ? 0 : scenario.rate);
  if (options.window > 0 && options.rate > 0)
    return Wrong("--window and --rate exclude each other: one of them must be 0");
  if (options.rooms * options.senders > options.clients) {
    return Wrong(std::to_string(options.clients) + " clients are too few for " +
                 std::to_string(options.rooms) + " rooms with " + std::to_string(options.senders) +
                 " senders each");
  }
  auto servers = ParseServers(given.servers);
  if (!servers.ok()) return Wrong("--servers: " + std::string(servers.status().message()));
  options.servers = *std::move(servers);
  for (size_t begin = 0; begin <= given.gate.size();) {
    const size_t end = std::min(given.gate.find(',', begin), given.gate.size());
    const std::string entry = given.gate.substr(begin, end - begin);
    begin = end + 1;
    const size_t colon = entry.rfind(':');
    int64_t port = 0;
    if (colon != std::string::npos)
      std::from_chars(entry.data() + colon + 1, entry.data() + entry.size(), port);
    auto endpoint = LoopbackEndpoint(entry.substr(0, colon), port);
    if (!endpoint.ok()) return Wrong("--gate: " + std::string(endpoint.status().message()));
    options.entries.push_back(*endpoint);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Endpoint> LoopbackEndpoint(const std::string& host, int64_t port) {
  in_addr address{};
  if (host == "localhost") {
    address.s_addr = htonl(INADDR_LOOPBACK);
  } else if (inet_pton(AF_INET, host.c_str(), &address) != 1) {
    return Wrong("'" + host + "' is no IPv4 address");
  }
  const uint32_t ip = ntohl(address.s_addr);
  if (ip >> 24 != 127)
    return Wrong(host + " is not of this machine: only loopback addresses, 127.x.x.x, may be loaded");
  if (port < 1 || port > 65535)
    return Wrong("the address needs a port from 1 to 65535, such as " + host + ":3014");
  return Endpoint{.ip = ip, .port = static_cast<uint16_t>(port)};
}

std::string ToString(const Endpoint& endpoint) {
  char host[INET_ADDRSTRLEN];
  const in_addr address{htonl(endpoint.ip)};
  inet_ntop(AF_INET, &address, host, sizeof host);
  return std::string(host) + ":" + std::to_string(endpoint.port);
}

absl::StatusOr<Options> ParseOptions(std::span<const char* const> args) {
  Options options;
  Given given;
  const std::vector<Flag> flags = Flags(options, given);
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string_view arg = args[i];
    const size_t equals = arg.find('=');
    const std::string_view name = arg.substr(0, equals);
    const Flag* found = nullptr;
    for (const Flag& flag : flags) {
      if (name.starts_with("--") && name.substr(2) == flag.name) found = &flag;
    }
    if (found == nullptr) return Wrong("there is no flag '" + std::string(name) + "': see --help");
    if (!found->set) return absl::FailedPreconditionError(Help(flags));
    std::string_view value;
    if (equals != std::string_view::npos) {
      value = arg.substr(equals + 1);
      if (found->value.empty()) return Wrong(std::string(name) + " takes no value");
    } else if (!found->value.empty()) {
      if (++i == args.size()) return Wrong(std::string(name) + " needs a value");
      value = args[i];
    }
    if (absl::Status status = found->set(value); !status.ok()) return status;
  }
  if (absl::Status status = FillIn(given, options); !status.ok()) return status;
  return options;
}

}  // namespace hubbub::bench
