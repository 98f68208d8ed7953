#include "chat/log/history.h"

#include <algorithm>
#include <utility>

#include "services/base/duty.h"

namespace hubbub::chat {
namespace {

absl::Status Ends() {
  return absl::UnavailableError("the chat server is shutting down");
}

absl::StatusOr<std::vector<LoggedEvent>> EventsAfter(Store& store, const std::string& room, int64_t after,
                                                     int64_t window) {
  const absl::StatusOr<std::vector<RoomHead>> heads = store.Heads({room});
  if (!heads.ok()) return heads.status();
  after = std::max(after, heads->front().trimmed);
  std::vector<LoggedEvent> events;
  for (; events.empty() && after < heads->front().head; after += window) {
    absl::StatusOr<HistoryPage> page = store.History({.room = room,
                                                      .user = {},
                                                      .everything = true,
                                                      .before = after + window + 1,
                                                      .limit = static_cast<int>(window)});
    if (!page.ok()) return page.status();
    for (LoggedEvent& event : page->events) {
      if (event.offset > after) events.push_back(std::move(event));
    }
  }
  return events;
}

}  // namespace

void History::Start() {
  thread_.Start([this] { return Round(); });
}

void History::Stop() {
  {
    MutexLock lock(mu_);
    stopped_ = true;
    if (store_ != nullptr) store_->Interrupt();
  }
  thread_.Stop();
}

void History::Page(HistoryQuery query, Done<HistoryPage> done) {
  Ask<HistoryPage>([query = std::move(query)](Store& store) { return store.History(query); },
                   std::move(done));
}

void History::After(std::string room, int64_t after, Done<std::vector<LoggedEvent>> done) {
  Ask<std::vector<LoggedEvent>>(
      [room = std::move(room), after](Store& store) { return EventsAfter(store, room, after, kWindow); },
      std::move(done));
}

void History::Delete(std::string room, int64_t offset, Done<int64_t> done) {
  Ask<int64_t>(
      [this, room = std::move(room), offset](Store& store) -> absl::StatusOr<int64_t> {
        int64_t up_to = offset;
        if (up_to == 0) {
          const absl::StatusOr<std::vector<RoomHead>> heads = store.Heads({room});
          if (!heads.ok()) return heads.status();
          up_to = heads->front().head;
        }
        if (absl::Status status = store.Trim(room, up_to); !status.ok()) return status;
        retention_.Deleted(room);
        return up_to;
      },
      std::move(done));
}

template <typename Result>
void History::Ask(std::function<absl::StatusOr<Result>(Store&)> ask, Done<Result> done) {
  const auto duty = std::make_shared<Duty<Result>>(std::move(done), Ends());
  if (++waiting_ > kMostWaiting) {
    --waiting_;
    return duty->Answer(
        absl::ResourceExhaustedError("too many calls wait for the store already: try again later"));
  }
  const bool posted = thread_.Post([this, ask = std::move(ask), duty] {
    --waiting_;
    const absl::StatusOr<Store*> line = Line();
    duty->Answer(line.ok() ? ask(**line) : absl::StatusOr<Result>(line.status()));
  });
  if (!posted) --waiting_;
}

absl::StatusOr<Store*> History::Line() {
  {
    MutexLock lock(mu_);
    if (stopped_) return Ends();
    if (store_ != nullptr) return store_.get();
  }
  absl::StatusOr<std::unique_ptr<Store>> opened = open_();
  if (!opened.ok()) return opened.status();
  MutexLock lock(mu_);
  store_ = *std::move(opened);
  if (stopped_) store_->Interrupt();
  return store_.get();
}

std::chrono::milliseconds History::Round() {
  const absl::StatusOr<Store*> line = Line();
  return line.ok() ? retention_.Round(**line) : Retention::kPause;
}

}  // namespace hubbub::chat
