#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/store/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {

// The tests that every kind of store must pass: store_contract_*.cc beside this header. A test program of a
// kind compiles them and says HUBBUB_TEST_STORE(Kind, (StoreKind{…})).

// A fresh, empty store of 1,024 slots, removed with this object. Connect is thread-safe.
class TestStore {
 public:
  virtual ~TestStore() = default;
  // One more connection to it, as another process would have it.
  virtual absl::StatusOr<std::unique_ptr<Store>> Connect() = 0;
};

struct StoreKind {
  std::string name;
  // Null: this machine cannot run such a store, and the tests are skipped.
  std::function<std::unique_ptr<TestStore>()> make;
};
inline void PrintTo(const StoreKind& kind, std::ostream* out) {
  *out << kind.name;
}

MATCHER_P(HasCode, code, "") {
  *result_listener << arg.ToString();
  return arg.code() == code;
}

class StoreContract : public testing::TestWithParam<StoreKind> {
 protected:
  static constexpr uint64_t kA = 11, kB = 22, kC = 33;  // Incarnations.

  void SetUp() override;

  Store& store() { return *first_; }
  // Null, and a failure of the test, if it cannot be had.
  std::unique_ptr<Store> Another();

  // What was asked for. A failure of the test, and an empty value, if it is an error.
  template <typename T>
  static T Get(absl::StatusOr<T> got) {
    EXPECT_TRUE(got.ok()) << got.status();
    return got.ok() ? *std::move(got) : T();
  }
  static void Ok(const absl::Status& status) { EXPECT_TRUE(status.ok()) << status; }

  static StoredServer Server(uint64_t incarnation, std::string id, std::string history = "durable");
  // A server with an id of its own.
  void Register(uint64_t incarnation);
  void MakeGone(uint64_t incarnation);
  StoredServer ListedServer(uint64_t incarnation);
  StoredSlot ListedSlot(int slot);
  // The generation by which `owner` gets a slot of nobody's or of a gone server's; 0: it does not get it.
  static int64_t Claim(Store& store, uint64_t owner, int slot);

  // Unlike any other one of the room; its time is 1,000 ms times its offset.
  static LoggedEvent Event(std::string room, int64_t offset, std::string content = "hello");
  static AppendBatch Batch(SlotGeneration slot, std::vector<LoggedEvent> events);
  // One slot's events. True if the slot's generation still holds.
  static bool Append(Store& store, SlotGeneration slot, std::vector<LoggedEvent> events);
  static RoomHead Head(Store& store, const std::string& room);
  static std::vector<LoggedEvent> Log(Store& store, std::string_view room);
  static std::vector<int64_t> Offsets(const std::vector<LoggedEvent>& events);

  // Invariant 2: offsets without a hole above `trimmed`, generations and times that never fall.
  void CheckLog(const std::string& room);

 private:
  std::unique_ptr<TestStore> place_;
  std::unique_ptr<Store> first_;
};

// With two servers, kA and kB, and a connection for each.
class StoreContractFence : public StoreContract {
 protected:
  void SetUp() override;
  Store& other() { return *other_; }

 private:
  std::unique_ptr<Store> other_;
};

// With a server that owns the slot of the room "lobby".
class StoreContractHistory : public StoreContract {
 protected:
  void SetUp() override;
  // Offsets 1 to `count`, in batches.
  void Fill(int64_t count);
  HistoryPage History(int64_t before, int limit, std::string user = "", bool everything = false);
  // All pages' offsets, from the newest to the oldest.
  std::vector<int64_t> Pages(int limit, const std::string& user);
  bool AppendHere(std::vector<LoggedEvent> events) { return Append(store(), slot_, std::move(events)); }

 private:
  SlotGeneration slot_;
};

// Of all tests, for one kind of store.
#define HUBBUB_TEST_STORE(name, kind)                                        \
  INSTANTIATE_TEST_SUITE_P(name, StoreContract, testing::Values(kind));      \
  INSTANTIATE_TEST_SUITE_P(name, StoreContractFence, testing::Values(kind)); \
  INSTANTIATE_TEST_SUITE_P(name, StoreContractHistory, testing::Values(kind))

}  // namespace hubbub::chat
