#include "services/net/kept_connections.h"

#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Connections by their names, and who was lost.
class KeptConnectionsTest : public ::testing::Test {
 protected:
  bool Add(const std::string& name, KeptConnections::Machine machine) {
    auto added = connections_.Add(machine, [this, name] { lost_.push_back(name); });
    EXPECT_EQ(added.one_is_lost, added.tell != nullptr);
    if (added.tell) added.tell();
    if (added.kept == nullptr) return false;
    kept_[name] = std::move(added.kept);
    return true;
  }

  KeptConnections connections_{/*most=*/6, /*most_of_one=*/4};
  std::map<std::string, std::shared_ptr<KeptConnections::Kept>> kept_;
  std::vector<std::string> lost_;
};

TEST_F(KeptConnectionsTest, WhoHasItsPartLosesItsOldest) {
  for (const char* name : {"a1", "a2", "a3", "a4"}) EXPECT_TRUE(Add(name, 1));
  EXPECT_TRUE(connections_.Renew(*kept_["a1"]));
  EXPECT_THAT(lost_, IsEmpty());
  EXPECT_TRUE(Add("a5", 1));
  EXPECT_THAT(lost_, ElementsAre("a2"));
  EXPECT_FALSE(connections_.Renew(*kept_["a2"]));
  EXPECT_FALSE(connections_.Remove(*kept_["a2"]));
  EXPECT_EQ(connections_.size(), 4);
}

TEST_F(KeptConnectionsTest, WhoHasMostMakesRoom) {
  for (const char* name : {"a1", "a2", "a3", "a4"}) EXPECT_TRUE(Add(name, 1));
  for (const char* name : {"b1", "b2"}) EXPECT_TRUE(Add(name, 2));
  EXPECT_TRUE(Add("c1", 3));
  EXPECT_THAT(lost_, ElementsAre("a1"));
  EXPECT_TRUE(Add("c2", 3));
  EXPECT_THAT(lost_, ElementsAre("a1", "a2"));
  EXPECT_TRUE(Add("c3", 3)) << "all have as many";
  EXPECT_THAT(lost_, ElementsAre("a1", "a2", "c1"));
  EXPECT_TRUE(Add("d1", 4));
  EXPECT_EQ(lost_.size(), 4u);
  EXPECT_NE(lost_.back()[0], 'd');
  EXPECT_EQ(connections_.size(), 6);
}

TEST_F(KeptConnectionsTest, WhereEachMachineHasOneNoneIsTakenFromIt) {
  for (KeptConnections::Machine machine = 1; machine <= 6; ++machine)
    EXPECT_TRUE(Add(std::to_string(machine), machine));
  EXPECT_FALSE(Add("late", 7));
  EXPECT_THAT(lost_, IsEmpty());
  EXPECT_TRUE(connections_.Remove(*kept_["3"]));
  EXPECT_TRUE(Add("late", 7));
  EXPECT_TRUE(Add("again", 7));
  EXPECT_THAT(lost_, ElementsAre("late"));
}

}  // namespace
}  // namespace hubbub::net
