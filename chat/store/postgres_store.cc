#include "chat/store/postgres_store.h"

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/store/postgres_log.h"
#include "chat/store/postgres_reads.h"
#include "chat/store/postgres_servers.h"
#include "chat/store/postgres_session.h"
#include "chat/store/postgres_slots.h"

namespace hubbub::chat {
namespace {

class PostgresStore : public Store {
 public:
  PostgresStore(PostgresSettings settings, const StoreOptions& options,
                std::unique_ptr<dns::Resolver> resolver)
      : session_(std::move(settings), options, std::move(resolver)) {}

  absl::Status Open() { return session_.Open(); }

  void Interrupt() override { session_.Interrupt(); }
  const std::string& name() const override { return session_.name(); }
  // Three batches are on their way to the database while it writes one.
  int writers() const override { return 3; }

  absl::StatusOr<StoreView> Read() override { return servers_.Read(); }
  absl::Status Register(const StoredServer& server) override { return servers_.Register(server); }
  absl::StatusOr<bool> Renew(uint64_t incarnation) override { return servers_.Renew(incarnation); }
  absl::Status SetDraining(uint64_t incarnation, bool draining) override {
    return servers_.SetDraining(incarnation, draining);
  }
  absl::StatusOr<bool> MarkGone(uint64_t incarnation, int64_t beat) override {
    return servers_.MarkGone(incarnation, beat);
  }
  absl::Status Leave(uint64_t incarnation) override { return servers_.Leave(incarnation); }

  absl::StatusOr<std::vector<SlotGeneration>> Claim(uint64_t owner, const std::vector<int>& slots,
                                                    int64_t greatest_heard) override {
    return slots_.Claim(owner, slots, greatest_heard);
  }
  absl::StatusOr<std::vector<SlotGeneration>> TakeOver(uint64_t owner, const std::vector<SlotOffer>& offers,
                                                       int64_t greatest_heard) override {
    return slots_.TakeOver(owner, offers, greatest_heard);
  }
  absl::StatusOr<std::vector<SlotGeneration>> Keep(uint64_t owner,
                                                   const std::vector<SlotGeneration>& slots) override {
    return slots_.Keep(owner, slots);
  }

  absl::StatusOr<AppendAnswer> Append(const AppendBatch& batch) override { return log_.Append(batch); }
  absl::Status Trim(std::string_view room, int64_t offset) override { return log_.Trim(room, offset); }
  absl::StatusOr<Deletion> DeleteTrimmed(std::string_view room, int limit, int64_t since_ms) override {
    return log_.DeleteTrimmed(room, limit, since_ms);
  }

  absl::StatusOr<std::vector<RoomHead>> Heads(const std::vector<std::string>& rooms) override {
    return reads_.Heads(rooms);
  }
  absl::StatusOr<std::vector<LoggedEvent>> Recent(std::string_view room, int64_t after, int limit) override {
    return reads_.Recent(room, after, limit);
  }
  absl::StatusOr<std::vector<LoggedEvent>> Ids(std::string_view room, int64_t head,
                                               int64_t since_ms) override {
    return reads_.Ids(room, head, since_ms);
  }
  absl::StatusOr<HistoryPage> History(const HistoryQuery& query) override { return reads_.History(query); }
  absl::StatusOr<int64_t> OffsetAt(std::string_view room, int64_t time_ms) override {
    return reads_.OffsetAt(room, time_ms);
  }
  absl::StatusOr<std::vector<RoomHead>> Rooms(const std::vector<int>& slots, std::string_view after,
                                              int limit) override {
    return reads_.Rooms(slots, after, limit);
  }

 private:
  PostgresSession session_;
  PostgresServers servers_{session_};
  PostgresSlots slots_{session_};
  PostgresLog log_{session_};
  PostgresReads reads_{session_};
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenPostgresStore(const StoreOptions& options,
                                                         const PostgresTimes& times) {
  absl::StatusOr<PostgresSettings> settings = PostgresSettings::Parse(options, times);
  if (!settings.ok()) return settings.status();
  auto resolver = dns::Resolver::Create(options.dns_server, dns::Resolver::Families::kBoth);
  if (!resolver.ok()) return resolver.status();
  auto store = std::make_unique<PostgresStore>(*std::move(settings), options, *std::move(resolver));
  const std::stop_callback on_stop(options.stop, [&store] { store->Interrupt(); });
  if (absl::Status status = store->Open(); !status.ok()) return status;
  return store;
}

absl::Status CheckPostgresUrl(const std::string& url) {
  StoreOptions options;
  options.url = url;
  return PostgresSettings::Parse(options, {}).status();
}

}  // namespace hubbub::chat
