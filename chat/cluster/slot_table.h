#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "chat/cluster/cluster_membership.h"
#include "chat/cluster/slot_record.h"
#include "chat/store/store.h"
#include "services/base/mutex.h"
#include "services/base/string_map.h"

namespace hubbub::chat {

// What this chat server knows of the slots and of the chat servers in the store: which slots are its own,
// which are to be claimed, and which are to be given away. The store decides; this is the latest that was
// read there or answered by it. Joins a SlotRecord for each slot to the ClusterMembership, under one lock, so
// that all questions are answered by the same view. Knows nothing of gRPC. Thread-safe; calls nobody with its
// lock held.
class SlotTable {
 public:
  // `id` is the one of this server.
  explicit SlotTable(std::string id) : members_(std::move(id)) {}

  // For a server without a store, which is alone: it has all slots. With `restoring` the rooms of its run
  // before wait for Restored.
  void OwnAll(bool restoring);

  // StoreMeta::epoch, as last read; 0: never, or without a store.
  uint64_t epoch() const;
  // This run of the server; 0 before the first.
  uint64_t incarnation() const;
  // A new run, which holds nothing.
  void BeginAnew(uint64_t incarnation);
  // While it drains, this server should have no slot. Others are told by the store.
  void SetDraining(bool draining);
  bool draining() const;
  // The chat servers that the directory lists. A server that it does not list is given no slot, unless this
  // one drains: connectors could not find it yet.
  void SetListed(StringSet ids);

  // The runs that are gone by this view and that, as known so far, lived or owned slots. If there are any,
  // AllClaimed() is false until SetView gets the view.
  std::vector<StoredServer> NewlyGone(const StoreView& view);
  // What is new in a view.
  struct News {
    std::vector<int> lost;  // Slots that were this server's, open, and are not any more.
    bool namesake = false;  // Another run with this server's id lives.
  };
  // Takes a view that was read after everything that is known here was answered.
  News SetView(const StoreView& view);

  // Slots that this server should claim: nobody has them, or a server that is gone, and this server is the
  // best of those that live.
  std::vector<int> Wanted() const;
  // The runs that are gone and still have slots that this server should claim.
  std::vector<StoredServer> WantedFrom() const;
  // The store has given these slots to this server. The rooms of a slot whose owner is gone wait for
  // Restored.
  void Claimed(const std::vector<SlotGeneration>& slots);
  // A hand-over has given these slots to this server. They stay closed until Open.
  void TakenOver(const std::vector<SlotGeneration>& slots);
  void Open(const std::vector<SlotGeneration>& slots);
  // Opens the slots that waited for the rooms of servers that are not among `lost` any more.
  void Restored(const std::vector<std::string>& lost);

  // The slots of this server that another should have, by the id of the other, unless they are closed.
  StringMap<std::vector<int>> ToGive() const;
  // Closes open slots of this server, so that no room is made there; the result has those that it closed.
  std::vector<SlotGeneration> Close(const std::vector<int>& slots);
  // The run `taker` owns these slots now.
  void Given(const std::vector<SlotGeneration>& slots, uint64_t taker);
  // True if this server holds no slot that another should have.
  bool Settled() const;
  // True if no slot is left that this server should claim.
  bool AllClaimed() const;

  // How many slots there are; 0 while that is not known.
  int slots() const;
  // How many this server has.
  int owned() const;
  // The generation by which this server has the slot; 0 if it does not.
  int64_t Held(int slot) const;
  // The slot of a room, 0 while nothing is known.
  int SlotOfRoom(std::string_view room) const;
  // What holds for a room, by its slot.
  struct Standing {
    enum class Of : uint8_t {
      kUnknown,  // The store was never read.
      kNobody,   // Or of a server that is gone.
      kOther,
      kSelf,
    };
    Of of = Of::kUnknown;
    StoredServer owner = {};                             // kOther.
    SlotRecord::State state = SlotRecord::State::kOpen;  // kSelf.
    std::string lost = {};                               // kSelf, while it restores: the server that is gone.
  };
  Standing StandingOf(std::string_view room) const;
  // The id of the server that has the slot, or this server's if no server that lives has it.
  std::string OwnerOf(int slot) const;
  // The run of a server that lives; 0 if there is none.
  uint64_t LivingRun(std::string_view id) const;
  // True if the run is listed and not gone.
  bool Lives(uint64_t incarnation) const;
  // True if another server that lives drains too.
  bool OthersDrain() const;
  using Peer = ClusterMembership::Peer;
  std::vector<Peer> Peers() const;

 private:
  bool IsMine(const SlotRecord& slot) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return slot.BelongsTo(members_.incarnation());
  }
  // True if it is nobody's, or of a server that is gone.
  bool IsFree(const SlotRecord& slot) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // True if this server should claim it.
  bool IsWanted(size_t slot) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ChooseHeirs() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  uint64_t epoch_ ABSL_GUARDED_BY(mu_) = 0;
  bool view_is_due_ ABSL_GUARDED_BY(mu_) = false;  // NewlyGone has named runs.
  ClusterMembership members_ ABSL_GUARDED_BY(mu_);
  std::vector<SlotRecord> slots_ ABSL_GUARDED_BY(mu_);
  std::vector<uint64_t> heirs_ ABSL_GUARDED_BY(mu_);  // For each slot the run that should have it; 0: none.
};

}  // namespace hubbub::chat
