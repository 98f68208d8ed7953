// Chat servers that come, go, are taken for gone and give slots to each other, while answers of the store and
// of each other get lost at random. What must hold: chat/cluster/README.md, "Who owns a slot".
#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "chat/cluster/hand_over.h"
#include "chat/cluster/room_admission.h"
#include "chat/cluster/slot_table.h"
#include "chat/testing/fake_store.h"
#include "chat/testing/fake_subscriber.h"
#include "gtest/gtest.h"
#include "services/base/clock.h"
#include "services/base/slot.h"

namespace hubbub::chat {
namespace {

constexpr int kSlots = 32;
constexpr int kServers = 4;
constexpr int kRooms = 64;
constexpr int kSteps = 3'000;

class World {
 public:
  explicit World(unsigned seed) : random_(seed), database_(std::make_shared<FakeDatabase>(kSlots)) {
    database_->Before(
        [this](std::string_view) { return Fails("the store is away", absl::StatusCode::kUnavailable); });
    database_->After(
        [this](std::string_view) { return Fails("the answer is lost", absl::StatusCode::kUnknown); });
    for (int i = 0; i < kServers; ++i) servers_.push_back(std::make_unique<Server>(*this, i));
  }

  void Step() {
    now_ms_ += 50;
    Server& server = *servers_[Below(kServers)];
    switch (Below(8)) {
      case 0:
        server.Claim();
        break;
      case 1:
        server.hand_over.Tick(now_ms_);
        break;
      case 2:
        server.DoLater();
        break;
      case 3:
        server.slots.SetDraining(Below(4) == 0);
        server.TellDraining();
        break;
      case 4:
        if (Below(10) == 0) (void)server.store.MarkGone(AnyRun(), AnyBeat());
        break;
      case 5:
        server.Speak();
        break;
      default:
        server.Look();
    }
    Check();
  }

  // Without failures all must come to rest: each slot at the living server that should have it.
  void Settle() {
    failing_ = false;
    for (const auto& server : servers_) {
      server->slots.SetDraining(false);
      server->Look();
      server->TellDraining();
    }
    for (int i = 0; i < 200; ++i) {
      now_ms_ += 1'000;
      for (const auto& server : servers_) {
        server->Look();
        server->Claim();
        server->hand_over.Tick(now_ms_);
        while (server->DoLater()) {
        }
        server->slots.Restored({});
      }
      Check();
    }
    int owned = 0;
    for (const auto& server : servers_) {
      owned += server->slots.owned();
      EXPECT_TRUE(server->slots.Settled());
      EXPECT_TRUE(server->slots.AllClaimed());
      EXPECT_GT(server->slots.owned(), 0);
    }
    EXPECT_EQ(owned, kSlots);
    for (int i = 0; i < kRooms; ++i) {
      int takers = 0;
      for (const auto& server : servers_) takers += server->Say(RoomName(i)).ok() ? 1 : 0;
      EXPECT_EQ(takers, 1) << RoomName(i);
    }
  }

 private:
  struct Server {
    Server(World& the_world, int number) : world(the_world), id("server-" + std::to_string(number)) {
      slots.SetListed({"server-0", "server-1", "server-2", "server-3"});
      Look();
    }

    // Shows that it lives, and reads.
    void Look() {
      if (slots.incarnation() == 0) {
        const uint64_t run = ++world.runs_;
        if (!store.Register({.incarnation = run, .id = id, .address = id}).ok()) return;
        slots.BeginAnew(run);
      }
      const absl::StatusOr<bool> lives = store.Renew(slots.incarnation());
      if (!lives.ok()) return;
      if (!*lives) {
        hand_over.Forget();
        rooms.Clear();
        slots.BeginAnew(0);
        return;
      }
      const absl::StatusOr<StoreView> view = store.Read();
      if (!view.ok()) return;
      for (const int slot : slots.SetView(*view).lost) {
        for (const std::string& room : rooms.InSlot(slot, kSlots))
          rooms.moves().Lost(room, slots.OwnerOf(slot));
      }
    }
    void Claim() {
      const std::vector<int> wanted = slots.Wanted();
      if (wanted.empty()) return;
      if (const auto claimed = store.Claim(slots.incarnation(), wanted, 0); claimed.ok())
        slots.Claimed(*claimed);
      slots.Restored({});
    }
    void TellDraining() { (void)store.SetDraining(slots.incarnation(), slots.draining()); }
    absl::Status Say(const std::string& room) { return rooms.Send(room, id, kEverybody, "hi").status(); }
    void Speak() { (void)Say(RoomName(static_cast<int>(world.Below(kRooms)))); }
    // An answer that was on its way arrives. False if there was none.
    bool DoLater() {
      if (later.empty()) return false;
      const std::function<void()> first = std::move(later.front());
      later.erase(later.begin());
      first();
      return true;
    }
    // Takes slots over as PeerService does, but for an answer that is lost at the store's end: then what it
    // has is looked up, as SlotKeeper does.
    absl::StatusOr<HandOver::Taken> Take(uint64_t owner, const HandOver::Batch& batch) {
      if (slots.incarnation() == 0 || slots.draining()) return absl::FailedPreconditionError("it takes none");
      std::vector<SlotOffer> offers;
      for (const SlotGeneration& slot : batch.slots)
        offers.push_back({.slot = slot.slot, .owner = owner, .generation = slot.generation});
      auto taken = store.TakeOver(slots.incarnation(), offers, 0);
      if (absl::IsUnknown(taken.status())) {
        HandOver::Taken mine;
        const StoreView view = world.database_->view();
        for (const SlotOffer& offer : offers) {
          const StoredSlot& row = view.slots[static_cast<size_t>(offer.slot)];
          if (row.owner == slots.incarnation() && row.generation > offer.generation)
            mine.push_back({.slot = row.slot, .generation = row.generation});
        }
        taken = mine;
      }
      if (!taken.ok()) return taken.status();
      slots.TakenOver(*taken);
      for (const RoomState& room : batch.rooms) {
        const bool here = std::any_of(taken->begin(), taken->end(), [&](const SlotGeneration& slot) {
          return slot.slot == SlotOf(room.room, kSlots);
        });
        if (here) {
          EXPECT_TRUE(rooms.moves().Import(room, {}).ok());
        }
      }
      slots.Open(*taken);
      return *taken;
    }
    void Keep(const std::vector<SlotGeneration>& wanted, const HandOver::Done& done) {
      const uint64_t run = slots.incarnation();
      auto kept = store.Keep(run, wanted);
      if (absl::IsUnknown(kept.status())) {
        HandOver::Taken mine;
        const StoreView view = world.database_->view();
        for (const SlotGeneration& slot : wanted) {
          const StoredSlot& row = view.slots[static_cast<size_t>(slot.slot)];
          if (row.owner == run && row.generation > slot.generation)
            mine.push_back({.slot = row.slot, .generation = row.generation});
        }
        kept = mine;
      }
      done(kept);
    }

    World& world;
    const std::string id;
    FakeStore store{world.database_};
    SlotTable slots{id};
    RoomAdmission admission{id, slots};
    RoomTable rooms{{}, &admission};
    std::vector<std::function<void()>> later;
    HandOver hand_over{rooms, slots,
                       [this](const std::string& to, const HandOver::BatchPtr& batch, HandOver::Done done) {
                         world.Import(*this, to, batch, std::move(done));
                       },
                       [this](const std::vector<SlotGeneration>& wanted, const HandOver::Done& done) {
                         later.push_back([this, wanted, done] { Keep(wanted, done); });
                       }};
  };

  // The call may get lost, its answer may, and both may be late.
  void Import(Server& from, const std::string& to, const HandOver::BatchPtr& batch, HandOver::Done done) {
    const uint64_t owner = from.slots.incarnation();
    Server& taker =
        **std::find_if(servers_.begin(), servers_.end(), [&](const auto& s) { return s->id == to; });
    const bool lost = failing_ && Below(4) == 0;
    const bool answer_lost = failing_ && Below(4) == 0;
    from.later.push_back([=, &taker] {
      if (lost) return done(absl::UnavailableError("the call is lost"));
      const auto taken = taker.Take(owner, *batch);
      if (answer_lost) return done(absl::DeadlineExceededError("the answer is lost"));
      done(taken);
    });
  }

  void Check() {
    const StoreView view = database_->view();
    for (const StoredSlot& row : view.slots) {
      for (const auto& server : servers_) {
        const int64_t held = server->slots.Held(row.slot);
        if (held == 0) continue;
        EXPECT_LE(held, row.generation) << "no server has what the store has not given";
        if (held == row.generation) {
          EXPECT_EQ(row.owner, server->slots.incarnation()) << "slot " << row.slot;
        }
      }
    }
  }

  absl::Status Fails(const char* text, absl::StatusCode code) {
    return failing_ && Below(10) == 0 ? absl::Status(code, text) : absl::OkStatus();
  }
  unsigned Below(unsigned most) { return std::uniform_int_distribution<unsigned>(0, most - 1)(random_); }
  uint64_t AnyRun() { return 1 + Below(static_cast<unsigned>(runs_)); }
  int64_t AnyBeat() {
    const StoreView view = database_->view();
    return view.servers[Below(static_cast<unsigned>(view.servers.size()))].beat;
  }
  static std::string RoomName(int i) { return "room" + std::to_string(i); }

  std::mt19937 random_;
  std::shared_ptr<FakeDatabase> database_;
  bool failing_ = true;
  int64_t now_ms_ = SteadyNowMs();
  uint64_t runs_ = 0;
  std::vector<std::unique_ptr<Server>> servers_;
};

TEST(SlotsPropertyTest, NoSlotIsHeldByTwoByTheStoresPresentGenerationAndAllComesToRest) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    World world(seed);
    for (int i = 0; i < kSteps; ++i) world.Step();
    world.Settle();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace hubbub::chat
