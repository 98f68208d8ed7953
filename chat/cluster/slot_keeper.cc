#include "chat/cluster/slot_keeper.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "fmt/format.h"
#include "services/base/clock.h"
#include "services/base/duty.h"
#include "services/base/random_id.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {
namespace {

std::shared_ptr<Duty<SlotKeeper::Slots>> NewDuty(SlotKeeper::SlotsDone done) {
  return std::make_shared<Duty<SlotKeeper::Slots>>(std::move(done),
                                                   absl::CancelledError("this chat server ends"));
}

// It will not get better by waiting.
bool IsOfNoUse(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsInvalidArgument(status);
}

absl::Status NotRegistered() {
  return absl::AbortedError("this chat server has not reached its store yet: try again soon");
}

}  // namespace

absl::Status SlotKeeper::Start(std::string address) {
  address_ = std::move(address);
  auto first = std::make_shared<std::promise<absl::Status>>();
  std::future<absl::Status> tried = first->get_future();
  thread_.Start([this, first = std::move(first)]() mutable {
    const absl::Status status = failure() ? absl::OkStatus() : DoRound();
    if (!reached() && IsOfNoUse(status)) {
      MutexLock lock(mu_);
      failure_ = status;
    } else {
      health_.Tell(status);
    }
    if (const auto told = std::exchange(first, nullptr)) told->set_value(status);
    return PauseAfter(status);
  });
  // What it finds later is told by failure().
  if (tried.wait_for(kFirstRound) != std::future_status::ready) return absl::OkStatus();
  const absl::Status status = tried.get();
  return IsOfNoUse(status) ? status : absl::OkStatus();
}

void SlotKeeper::Leave() {
  leaving_ = true;
  auto left = std::make_shared<std::promise<void>>();
  const std::future<void> done = left->get_future();
  // Behind what is under way. The thread that calls the store is not the one that ends it if there is no
  // answer.
  thread_.Post([this, left = std::move(left)] {
    if (registered_) health_.Tell(line_->Leave(table_.incarnation()));
    registered_ = false;
    left->set_value();
  });
  done.wait_for(kLeave);
  Stop();
}

void SlotKeeper::Stop() {
  {
    MutexLock lock(mu_);
    stopped_ = true;
    if (store_ != nullptr) store_->Interrupt();
  }
  thread_.Stop();
}

void SlotKeeper::Refused(uint64_t incarnation) {
  thread_.Post([this, incarnation] { health_.Tell(DoRefused(incarnation)); });
}

void SlotKeeper::SetDraining(bool draining) {
  drain_told_ = false;
  table_.SetDraining(draining);
  const bool posted = thread_.Post([this, draining] {
    draining_ = draining;
    if (registered_) health_.Tell(line_->SetDraining(table_.incarnation(), draining));
    health_.Tell(DoRound());
    drain_told_ = true;
  });
  if (!posted) draining_ = draining;  // Start will tell.
}

void SlotKeeper::TakeOver(std::vector<SlotOffer> offers, SlotsDone done) {
  thread_.Post([this, offers = std::move(offers), duty = NewDuty(std::move(done))] {
    if (!registered_) return duty->Answer(NotRegistered());
    duty->Answer(Changes().TakeOver(table_.incarnation(), offers));
  });
}

void SlotKeeper::Keep(Slots slots, SlotsDone done) {
  thread_.Post([this, slots = std::move(slots), duty = NewDuty(std::move(done))] {
    if (!registered_) return duty->Answer(NotRegistered());
    duty->Answer(Changes().Keep(table_.incarnation(), slots));
  });
}

SlotChanges SlotKeeper::Changes() {
  return {*line_, [this] {
            thread_.Pause(kAgain);
            return !thread_.stopping();
          }};
}

std::optional<absl::Status> SlotKeeper::failure() const {
  MutexLock lock(mu_);
  return failure_;
}

SlotKeeper::Counts SlotKeeper::counts() const {
  const int64_t renewed_ms = renewed_ms_;
  return {.servers_lost = servers_lost_.value(),
          .claimed = claimed_.value(),
          .errors = health_.errors(),
          .beat_age_s = renewed_ms == 0 ? 0 : static_cast<double>(SteadyNowMs() - renewed_ms) / 1e3};
}

std::chrono::milliseconds SlotKeeper::PauseAfter(const absl::Status& status) const {
  if (failure()) return kBeat;
  if (!status.ok()) return kBeat / 2;
  if (!table_.AllClaimed()) return kAgain;
  const int64_t next_ms = renewed_ms_ + kBeat.count() - SteadyNowMs();
  return std::chrono::milliseconds(std::clamp<int64_t>(next_ms, 1, kBeat.count()));
}

absl::Status SlotKeeper::DoRound() {
  if (leaving_) return absl::OkStatus();
  if (line_ == nullptr) {
    if (absl::Status status = Connect(); !status.ok()) return status;
  }
  if (!registered_) {
    if (absl::Status status = Register(); !status.ok()) return status;
  } else if (SteadyNowMs() - renewed_ms_ >= kBeat.count()) {
    if (absl::Status status = Renew(); !status.ok()) return status;
  }
  if (absl::Status status = Read(); !status.ok()) return status;
  if (failure()) {
    GiveUp();
    return absl::OkStatus();
  }
  for (const StoredServer& server : beats_.Observe(view_, table_.incarnation(), SteadyNowMs())) {
    if (absl::Status status = MarkGone(server, "its beat has stood still"); !status.ok()) return status;
  }
  return Claim();
}

absl::Status SlotKeeper::Connect() {
  absl::StatusOr<std::unique_ptr<Store>> store = open_();
  if (!store.ok()) return store.status();
  MutexLock lock(mu_);
  store_ = *std::move(store);
  line_ = store_.get();
  if (stopped_) line_->Interrupt();
  return absl::OkStatus();
}

absl::Status SlotKeeper::Register() {
  const StoredServer self{
      .incarnation = RandomId(), .id = id_, .address = address_, .history = history_, .draining = draining_};
  const int64_t asked_ms = SteadyNowMs();
  if (absl::Status status = line_->Register(self); !status.ok()) return status;
  table_.BeginAnew(self.incarnation);
  registered_ = true;
  renewed_ms_ = asked_ms;
  listener_.on_renewed(asked_ms);
  return absl::OkStatus();
}

absl::Status SlotKeeper::Renew() {
  const int64_t asked_ms = SteadyNowMs();
  const absl::StatusOr<bool> lives = line_->Renew(table_.incarnation());
  if (!lives.ok()) return lives.status();
  if (*lives) {
    renewed_ms_ = asked_ms;
    listener_.on_renewed(asked_ms);
    return absl::OkStatus();
  }
  // Who took the slots may be a process with the same id, which would only be put out in its turn.
  if (absl::Status status = Read(); !status.ok()) return status;
  GiveUp();
  if (failure()) return absl::OkStatus();
  spdlog::warn("chat server {} was taken for gone, and begins anew", id_);
  return Register();
}

void SlotKeeper::GiveUp() {
  if (!std::exchange(registered_, false)) return;
  table_.BeginAnew(0);
  listener_.on_replaced();
}

absl::Status SlotKeeper::Read() {
  absl::StatusOr<StoreView> view = line_->Read();
  if (!view.ok()) return view.status();
  view_ = *std::move(view);
  // Before the table says that they are gone: a connector that reports the loss just then must be waited for.
  for (const StoredServer& server : table_.NewlyGone(view_)) {
    if (server.id != id_) servers_lost_.Add();
    listener_.on_gone(server);
  }
  const uint64_t epoch = table_.epoch();
  const SlotTable::News news = table_.SetView(view_);
  if (history_ == "durable" && epoch != 0 && epoch != view_.meta.epoch) {
    MutexLock lock(mu_);
    failure_ =
        absl::DataLossError(fmt::format("the store has another epoch than before, so that what chat server "
                                        "\"{}\" knows of rooms may not be in "
                                        "it: start it again",
                                        id_));
  }
  if (news.namesake) {
    MutexLock lock(mu_);
    failure_ = absl::AlreadyExistsError(fmt::format(
        "another process has begun as chat server \"{}\" in the store: give one of them another --id", id_));
  }
  if (!news.lost.empty()) listener_.on_lost(news.lost);
  return absl::OkStatus();
}

absl::Status SlotKeeper::MarkGone(const StoredServer& server, const char* why) {
  const absl::StatusOr<bool> gone = line_->MarkGone(server.incarnation, server.beat);
  if (!gone.ok()) return gone.status();
  if (!*gone) return absl::OkStatus();
  spdlog::warn("chat server {} at {} is gone: {}", server.id, server.address, why);
  return Read();
}

absl::Status SlotKeeper::Claim() {
  const std::vector<int> wanted = table_.Wanted();
  if (wanted.empty()) return absl::OkStatus();
  const std::vector<StoredServer> from = table_.WantedFrom();
  // Before the claim too: else the rooms could be opened before they are known to be lost.
  for (const StoredServer& server : from) listener_.on_gone(server);
  const absl::StatusOr<Slots> claimed = line_->Claim(table_.incarnation(), wanted, 0);
  if (!claimed.ok()) return claimed.status();
  table_.Claimed(*claimed);
  claimed_.Add(claimed->size());
  for (const StoredServer& server : from) listener_.on_gone(server);
  if (!claimed->empty()) spdlog::info("chat server {} has claimed {} slots", id_, claimed->size());
  return absl::OkStatus();
}

absl::Status SlotKeeper::DoRefused(uint64_t incarnation) {
  if (!registered_ || !table_.Lives(incarnation)) return absl::OkStatus();
  if (absl::Status status = Read(); !status.ok()) return status;
  if (const auto gone = refusals_.Observe(view_, incarnation, SteadyNowMs())) {
    if (absl::Status status = MarkGone(*gone, "nobody listens there any more"); !status.ok()) return status;
  }
  return Claim();
}

}  // namespace hubbub::chat
