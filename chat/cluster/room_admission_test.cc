#include "chat/cluster/room_admission.h"

#include <functional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/rpc/owner_hint.h"

namespace hubbub::chat {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kA = 11;
constexpr uint64_t kB = 22;
// All rooms of the suite lie in one slot.
constexpr SlotGeneration kClaim{.slot = 0, .generation = 2};

StoreView View(uint64_t owner, bool b_is_gone) {
  StoreView view;
  view.meta.slots = 1;
  view.servers = {{.incarnation = kA, .id = "a", .address = "a:1"},
                  {.incarnation = kB, .id = "b", .address = "b:1", .gone = b_is_gone}};
  view.slots = {{.slot = 0, .owner = owner, .generation = 1}};
  return view;
}

struct Case {
  std::string name;
  std::function<void(SlotTable&)> come_to;  // This standing.
  bool may_make = false;
  bool may_take = false;
  bool may_recover = false;
  std::string refusal = {};  // What the others are told.
  std::string owner = {};    // Whom it names; empty: nobody, and it says to try again.
};

class RoomAdmissionTest : public ::testing::TestWithParam<Case> {};

TEST_P(RoomAdmissionTest, Admits) {
  SlotTable slots("a");
  slots.BeginAnew(kA);
  GetParam().come_to(slots);
  const RoomAdmission admission("a", slots);
  EXPECT_EQ(admission.MayMake("lobby").ok(), GetParam().may_make);
  EXPECT_EQ(admission.MayTake("lobby").ok(), GetParam().may_take);
  EXPECT_EQ(admission.MayRecover("lobby").ok(), GetParam().may_recover);
  for (const absl::Status& status :
       {admission.MayMake("lobby"), admission.MayTake("lobby"), admission.MayRecover("lobby")}) {
    if (status.ok()) continue;
    EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().refusal));
    EXPECT_EQ(rpc::OwnerIn(status), GetParam().owner);
    EXPECT_EQ(status.code(),
              GetParam().owner.empty() ? absl::StatusCode::kAborted : absl::StatusCode::kFailedPrecondition);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, RoomAdmissionTest,
    ::testing::Values(
        Case{.name = "BeforeTheStoreIsRead",
             .come_to = [](SlotTable&) {},
             .refusal = "chat server \"a\" has not reached its store yet: try again soon"},
        Case{.name = "Nobodys",
             .come_to = [](SlotTable& slots) { slots.SetView(View(0, false)); },
             .refusal = "room \"lobby\" belongs to no chat server just now: try again soon"},
        Case{.name = "OfAServerThatIsGone",
             .come_to = [](SlotTable& slots) { slots.SetView(View(kB, true)); },
             .refusal = "room \"lobby\" belongs to no chat server just now: try again soon"},
        Case{
            .name = "Others",
            .come_to = [](SlotTable& slots) { slots.SetView(View(kB, false)); },
            .refusal = "room \"lobby\" belongs to chat server \"b\" at b:1, as far as \"a\" knows: ask there",
            .owner = "b"},
        Case{.name = "Open",
             .come_to =
                 [](SlotTable& slots) {
                   slots.SetView(View(0, false));
                   slots.Claimed({kClaim});
                 },
             .may_make = true,
             .may_take = true,
             .may_recover = true},
        Case{.name = "Restoring",
             .come_to =
                 [](SlotTable& slots) {
                   slots.SetView(View(kB, true));
                   slots.Claimed({kClaim});
                 },
             .may_take = true,
             .may_recover = true,
             .refusal =
                 "room \"lobby\" is being restored after the loss of chat server \"b\": try again soon"},
        Case{.name = "Closed",
             .come_to =
                 [](SlotTable& slots) {
                   slots.SetView(View(kB, false));
                   slots.TakenOver({kClaim});
                 },
             .may_take = true,
             .refusal = "room \"lobby\" is on its way to another chat server: try again soon"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace hubbub::chat
