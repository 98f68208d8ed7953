#include "bench/load.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "bench/client.h"
#include "bench/clock.h"
#include "bench/pomelo_client.h"
#include "bench/terms.h"
#include "bench/text_client.h"
#include "bench/traffic.h"
#include "services/pomelo/package.h"

namespace hubbub::bench {
namespace {

constexpr size_t kScratch = 2 << 20;  // Above what a connection may keep from one read to the next.
constexpr int64_t kProgressNs = 1'000'000'000;
// Others' comings are still being told when the last client is in; they must not fall into what is measured.
constexpr int64_t kSettleNs = 1'000'000'000;

class Load final : private Audience {
 public:
  explicit Load(const Options& options)
      : options_(options),
        traffic_(options, [this](int client, std::string_view text) { SendText(client, text); }),
        memory_(kScratch) {
    epoll = epoll_create1(EPOLL_CLOEXEC);
    entries = options.entries;
    pomelo::AppendPackage(pomelo::PackageType::kHandshake, HandshakeBody(options.client), handshake);
    run = absl::StrFormat("%x", (NowNs() / 1000) & 0xffffff);
    scratch = memory_;
  }
  ~Load() { close(epoll); }

  absl::StatusOr<Result> Run();

 private:
  void OnEntered(Client& client) override;
  void OnAnswer(Client& client, const absl::Status& status) override;
  void OnDelivery(Client& client, std::string_view body) override {
    traffic_.OnDelivery(client.number(), body, now_ns_);
  }
  void OnRead() override { now_ns_ = NowNs(); }
  absl::StatusOr<std::shared_ptr<const Terms>> TermsOf(std::string_view answer) override;

  absl::Status SignIn();
  std::unique_ptr<Client> MakeClient(int number, Audience& audience) const;
  void StartClients();
  absl::Status Measure();
  // Turns the loop until `done` or until it is `until_ns`.
  void Turn(
      int64_t until_ns, const std::function<bool()>& done = [] { return false; });
  void Handle(Client& client, const absl::Status& status);
  void SendText(int client, std::string_view text);
  void SendHeartbeats();
  absl::Status Take(std::vector<Usage>& usages);
  void Say(const std::string& line) const {
    if (!options_.quiet) std::fprintf(stderr, "hubbub-load: %s\n", line.c_str());
  }

  const Options& options_;
  Result result_;
  Traffic traffic_;
  std::vector<char> memory_;
  int64_t now_ns_ = NowNs();
  int64_t progress_ns_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<int64_t> started_ns_;
  size_t failed_ = 0;
  std::deque<std::pair<int64_t, int>> heartbeats_;  // When, and whose, the earliest first.
  std::string terms_text_;
  std::shared_ptr<const Terms> terms_;
};

absl::StatusOr<std::shared_ptr<const Terms>> Load::TermsOf(std::string_view answer) {
  if (terms_ != nullptr && terms_text_ == answer) return terms_;
  auto terms = Terms::Parse(answer);
  if (!terms.ok()) return terms.status();
  terms_ = std::make_shared<const Terms>(*std::move(terms));
  terms_text_ = answer;
  return terms_;
}

void Load::OnEntered(Client& client) {
  ++result_.entered;
  result_.enter_ns.Record(static_cast<uint64_t>(now_ns_ - started_ns_[static_cast<size_t>(client.number())]));
  if (client.heartbeat_ns() > 0) heartbeats_.emplace_back(now_ns_ + client.heartbeat_ns(), client.number());
}

void Load::OnAnswer(Client& client, const absl::Status& status) {
  if (!status.ok()) result_.AddError(std::string(status.message()));
  traffic_.OnAnswer(client.number(), now_ns_);
}

void Load::Handle(Client& client, const absl::Status& status) {
  if (status.ok()) return;
  ++failed_;
  result_.AddError(std::string(status.message()));
  client.Stop();
}

void Load::SendText(int client, std::string_view text) {
  Client& sender = *clients_[static_cast<size_t>(client)];
  sender.Send(text);
  // What goes by the clock goes at once. What an arrival has let go is sent when all that arrived with it is
  // read.
  if (options_.rate > 0) Handle(sender, sender.Flush());
}

void Load::SendHeartbeats() {
  while (!heartbeats_.empty() && heartbeats_.front().first <= now_ns_) {
    const int number = heartbeats_.front().second;
    heartbeats_.pop_front();
    Client& client = *clients_[static_cast<size_t>(number)];
    client.SendHeartbeat();
    Handle(client, client.Flush());
    heartbeats_.emplace_back(now_ns_ + client.heartbeat_ns(), number);
  }
}

void Load::Turn(int64_t until_ns, const std::function<bool()>& done) {
  std::array<epoll_event, 256> events;
  while (!done()) {
    now_ns_ = NowNs();
    if (now_ns_ >= until_ns) return;
    traffic_.SendDue(now_ns_);
    SendHeartbeats();
    int64_t wake_ns = std::min(until_ns, traffic_.NextAt().value_or(until_ns));
    if (!heartbeats_.empty()) wake_ns = std::min(wake_ns, heartbeats_.front().first);
    const int64_t wait_ns = std::max<int64_t>(0, wake_ns - NowNs());
    const timespec timeout{.tv_sec = wait_ns / 1'000'000'000, .tv_nsec = wait_ns % 1'000'000'000};
    const int count = epoll_pwait2(epoll, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
      Client& client = *clients_[events[static_cast<size_t>(i)].data.u64];
      Handle(client, client.OnReady(events[static_cast<size_t>(i)].events));
      // Sends must not wait for a long round of reads.
      if (options_.rate > 0) traffic_.SendDue(NowNs());
    }
  }
}

std::unique_ptr<Client> Load::MakeClient(int number, Audience& audience) const {
  const int room = Traffic::RoomOf(number, options_);
  if (options_.protocol == Protocol::kPomelo) return std::make_unique<PomeloClient>(number, room, audience);
  return std::make_unique<TextClient>(number, room, audience, options_.protocol);
}

void Load::StartClients() {
  Audience& audience = *this;
  const auto under_way = [&] { return clients_.size() - result_.entered - failed_; };
  while (clients_.size() < static_cast<size_t>(options_.clients) &&
         under_way() < static_cast<size_t>(options_.connecting)) {
    const int number = static_cast<int>(clients_.size());
    clients_.push_back(MakeClient(number, audience));
    started_ns_.push_back(NowNs());
    Handle(*clients_.back(), clients_.back()->Start());
  }
}

absl::Status Load::SignIn() {
  if (absl::Status status = Take(result_.before); !status.ok()) return status;
  const int64_t start_ns = NowNs();
  const auto wanted = static_cast<uint64_t>(options_.clients);
  Turn(start_ns + SecondsToNs(options_.connect_s), [&] {
    if (failed_ > 0) return true;  // What follows would not be what was asked for.
    StartClients();
    if (now_ns_ >= progress_ns_) {
      Say(absl::StrFormat("%d of %d clients are in their rooms", result_.entered, wanted));
      progress_ns_ = now_ns_ + kProgressNs;
    }
    return result_.entered == wanted;
  });
  result_.connect_seconds = static_cast<double>(NowNs() - start_ns) / 1e9;
  if (absl::Status status = Take(result_.entered_usage); !status.ok()) return status;
  if (result_.entered == wanted) return absl::OkStatus();
  if (failed_ == 0) {
    return absl::DeadlineExceededError(
        absl::StrFormat("only %d of %d clients were in their rooms after %g seconds", result_.entered, wanted,
                        options_.connect_s));
  }
  return absl::UnavailableError(absl::StrFormat("client %d of %d could not sign in: %s", result_.entered + 1,
                                                wanted, result_.errors.front()));
}

absl::Status Load::Measure() {
  Turn(NowNs() + kSettleNs);
  const int64_t start_ns = NowNs();
  const int64_t measure_ns = start_ns + SecondsToNs(options_.warmup_s);
  const int64_t end_ns = measure_ns + SecondsToNs(options_.seconds);
  traffic_.Start(start_ns, measure_ns, end_ns);
  // The first windows: nothing need arrive for them to go.
  for (const auto& client : clients_) Handle(*client, client->Flush());
  Turn(measure_ns);
  // After the settling, so that freed memory is given back and what is left is the sessions'.
  if (absl::Status status = Take(result_.measured_from); !status.ok()) return status;
  const int64_t from_ns = NowNs();
  const uint64_t deliveries = traffic_.deliveries();
  const uint64_t answers = traffic_.answered();
  const double own_cpu = OwnCpuSeconds();
  for (int64_t next_ns = from_ns; next_ns < end_ns;) {
    const uint64_t before = traffic_.deliveries();
    const int64_t step_ns = std::min(kProgressNs, end_ns - next_ns);
    next_ns += step_ns;
    Turn(next_ns, [&] { return failed_ > 0; });
    if (failed_ > 0) break;
    Say(absl::StrFormat(
        "%.0f of %.0f seconds measured, %.0f deliveries/s", static_cast<double>(next_ns - from_ns) / 1e9,
        options_.seconds,
        static_cast<double>(traffic_.deliveries() - before) * 1e9 / static_cast<double>(step_ns)));
  }
  if (absl::Status status = Take(result_.measured_to); !status.ok()) return status;
  result_.measured_seconds = static_cast<double>(NowNs() - from_ns) / 1e9;
  result_.deliveries = traffic_.deliveries() - deliveries;
  result_.answers = traffic_.answered() - answers;
  result_.own_cpu_seconds = OwnCpuSeconds() - own_cpu;
  traffic_.Stop();
  Turn(NowNs() + SecondsToNs(options_.drain_s), [&] { return traffic_.Complete() || failed_ > 0; });
  if (traffic_.answered() < traffic_.sent()) {
    result_.AddError(absl::StrFormat("%d of %d sends were never answered",
                                     traffic_.sent() - traffic_.answered(), traffic_.sent()));
  }
  return absl::OkStatus();
}

absl::Status Load::Take(std::vector<Usage>& usages) {
  auto taken = UsageOf(options_.servers);
  if (!taken.ok()) return taken.status();
  usages = *std::move(taken);
  return absl::OkStatus();
}

absl::StatusOr<Result> Load::Run() {
  if (epoll < 0) return absl::ResourceExhaustedError("this machine has no epoll left");
  if (absl::Status status = SignIn(); !status.ok()) return status;
  if (absl::Status status = Measure(); !status.ok()) return status;
  result_.sent = traffic_.sent();
  result_.all_deliveries = traffic_.deliveries();
  result_.expected = traffic_.expected();
  result_.faults = traffic_.Finish();
  result_.latency_ns = traffic_.latency_ns();
  result_.lateness_ns = traffic_.lateness_ns();
  return std::move(result_);
}

// A client needs a descriptor, for a moment two.
absl::Status RaiseDescriptorLimit(int clients) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t needed = static_cast<rlim_t>(clients) + 100;
  if (limit.rlim_max < needed) {
    return absl::ResourceExhaustedError(absl::StrFormat(
        "%d clients need %d open files and this process may have %d: raise the hard limit (ulimit -Hn)",
        clients, needed, limit.rlim_max));
  }
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Result> RunLoad(const Options& options) {
  if (absl::Status status = RaiseDescriptorLimit(options.clients); !status.ok()) return status;
  return Load(options).Run();
}

}  // namespace hubbub::bench
