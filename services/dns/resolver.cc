#include "services/dns/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "fmt/format.h"

namespace hubbub::dns {
namespace {

// A server that does not answer is asked twice. Together well under the time that a start waits for DNS.
constexpr int kTryMs = 700;
constexpr int kTries = 2;

class Channel {
 public:
  explicit Channel(const std::string& server) {
    static const int library = ares_library_init(ARES_LIB_INIT_ALL);
    ares_options options = {};
    options.timeout = kTryMs;
    options.tries = kTries;
    error_ = library != ARES_SUCCESS
                 ? library
                 : ares_init_options(&channel_, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    if (error_ != ARES_SUCCESS) return;
    if (!server.empty()) error_ = ares_set_servers_ports_csv(channel_, server.c_str());
  }
  ~Channel() {
    if (channel_ != nullptr) ares_destroy(channel_);
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  int error() const { return error_; }
  ares_channel get() const { return channel_; }

 private:
  ares_channel channel_ = nullptr;
  int error_ = ARES_SUCCESS;
};

struct Question {
  std::string name;
  int family = AF_INET;  // The one that is asked for; AF_UNSPEC: both.
  bool due = true;       // It is to be asked.
  bool done = false;
  absl::StatusOr<Resolver::Hosts> answer = absl::CancelledError("the resolver was stopped");
};

Resolver::Hosts Addresses(const ares_addrinfo* info, int family) {
  Resolver::Hosts hosts;
  for (const auto* node = info->nodes; node != nullptr; node = node->ai_next) {
    if (family != AF_UNSPEC && node->ai_family != family) continue;
    char text[INET6_ADDRSTRLEN] = {};
    const void* address =
        node->ai_family == AF_INET
            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(node->ai_addr)->sin_addr)
            : &reinterpret_cast<const sockaddr_in6*>(node->ai_addr)->sin6_addr;
    if (inet_ntop(node->ai_family, address, text, sizeof(text)) == nullptr) continue;
    if (std::find(hosts.begin(), hosts.end(), text) == hosts.end()) hosts.emplace_back(text);
  }
  if (family != AF_UNSPEC) std::sort(hosts.begin(), hosts.end());
  return hosts;
}

void OnAnswer(void* argument, int status, int /*timeouts*/, ares_addrinfo* info) {
  auto& question = *static_cast<Question*>(argument);
  const absl::Cleanup free = [info] {
    if (info != nullptr) ares_freeaddrinfo(info);
  };
  // The channel goes away with the question open: it was cancelled, and its answer says so already.
  if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) return;
  if (status == ARES_SUCCESS && info != nullptr) {
    question.answer = Addresses(info, question.family);
    question.done = !question.answer->empty();
    if (question.done) return;
    status = ARES_ENODATA;
  }
  const bool nothing = status == ARES_ENODATA || status == ARES_ENOTFOUND || status == ARES_ENONAME;
  question.answer = nothing ? absl::NotFoundError("DNS has no address for it")
                            : absl::UnavailableError(fmt::format("DNS: {}", ares_strerror(status)));
  // Most names have IPv4: only where there is none, the other question is asked too.
  question.due = nothing && question.family == AF_INET;
  question.done = !question.due;
  question.family = AF_INET6;
}

bool IsAddress(const std::string& text) {
  in6_addr address = {};
  return inet_pton(AF_INET, text.c_str(), &address) == 1 || inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

// Of one link, as fe80::1%eth0: only the system knows its interfaces by name.
bool IsScopedAddress(const std::string& text) {
  const size_t percent = text.find('%');
  if (percent == std::string::npos || percent + 1 == text.size()) return false;
  in6_addr address = {};
  return inet_pton(AF_INET6, text.substr(0, percent).c_str(), &address) == 1;
}

bool IsServer(const std::string& text) {
  if (IsAddress(text)) return true;
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  std::string host = text.substr(0, colon);
  const std::string port = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return IsAddress(host) && !port.empty() && port.size() <= 5 &&
         port.find_first_not_of("0123456789") == std::string::npos && std::stoi(port) > 0 &&
         std::stoi(port) <= 65535;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Resolver>> Resolver::Create(std::string server, Families families) {
  // c-ares takes what it understands of a list and passes over the rest.
  if (!server.empty() && !IsServer(server)) {
    return absl::InvalidArgumentError(
        fmt::format("\"{}\" is no DNS server: it must be an address or address:port", server));
  }
  const Channel probe(server);
  if (probe.error() != ARES_SUCCESS) {
    return absl::InvalidArgumentError(
        fmt::format("\"{}\" is no DNS server that can be asked: {}", server, ares_strerror(probe.error())));
  }
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) {
    return absl::UnavailableError(
        fmt::format("no eventfd could be had: {}", std::generic_category().message(errno)));
  }
  return std::unique_ptr<Resolver>(new Resolver(std::move(server), families, wake));
}

Resolver::~Resolver() {
  close(wake_);
}

void Resolver::Cancel() {
  const uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_, &one, sizeof(one));
}

std::vector<absl::StatusOr<Resolver::Hosts>> Resolver::Resolve(const std::vector<std::string>& names) {
  std::vector<Question> questions(names.size());
  {
    // A channel of its own for each call: it reads resolv.conf again, and holds no socket between calls.
    const Channel channel(server_);
    for (size_t i = 0; i < names.size(); ++i) {
      questions[i].name = names[i];
      if (families_ == Families::kBoth) questions[i].family = AF_UNSPEC;
      if (IsAddress(names[i]) || IsScopedAddress(names[i])) {
        questions[i].done = true;
        questions[i].answer = Hosts{names[i]};
      } else if (channel.error() != ARES_SUCCESS) {
        questions[i].done = true;
        questions[i].answer = absl::UnavailableError(ares_strerror(channel.error()));
      }
    }
    const auto ask = [&] {
      for (Question& question : questions) {
        // An answer may come before the call returns.
        while (!question.done && std::exchange(question.due, false)) {
          ares_addrinfo_hints hints = {};
          hints.ai_family = question.family;
          if (families_ == Families::kOne) hints.ai_flags = ARES_AI_NOSORT;
          ares_getaddrinfo(channel.get(), question.name.c_str(), nullptr, &hints, OnAnswer, &question);
        }
      }
    };
    const auto open = [&] {
      return !std::all_of(questions.begin(), questions.end(), [](const Question& q) { return q.done; });
    };
    for (ask(); open(); ask()) {
      ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
      const auto mask = static_cast<unsigned>(ares_getsock(channel.get(), sockets, ARES_GETSOCK_MAXNUM));
      std::vector<pollfd> polled = {{.fd = wake_, .events = POLLIN, .revents = 0}};
      for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
        const bool reads = ARES_GETSOCK_READABLE(mask, i) != 0;
        const bool writes = ARES_GETSOCK_WRITABLE(mask, i) != 0;
        if (!reads && !writes) continue;
        polled.push_back({.fd = sockets[i],
                          .events = static_cast<int16_t>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)),
                          .revents = 0});
      }
      timeval most = {.tv_sec = 1, .tv_usec = 0};
      timeval next = {};
      const timeval* wait = ares_timeout(channel.get(), &most, &next);
      const int wait_ms = static_cast<int>(wait->tv_sec * 1000 + wait->tv_usec / 1000) + 1;
      if (poll(polled.data(), polled.size(), wait_ms) < 0 && errno != EINTR) break;
      if (polled[0].revents != 0) break;
      // Also when nothing came: that is how c-ares notices its own time-outs.
      ares_process_fd(channel.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      for (size_t i = 1; i < polled.size(); ++i) {
        const auto events = static_cast<unsigned>(polled[i].revents);
        if (events == 0) continue;
        ares_process_fd(channel.get(),
                        (events & (POLLIN | POLLERR | POLLHUP)) ? polled[i].fd : ARES_SOCKET_BAD,
                        (events & POLLOUT) ? polled[i].fd : ARES_SOCKET_BAD);
      }
    }
  }
  std::vector<absl::StatusOr<Hosts>> answers;
  answers.reserve(questions.size());
  for (Question& question : questions) answers.push_back(std::move(question.answer));
  return answers;
}

}  // namespace hubbub::dns
