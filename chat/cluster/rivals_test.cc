#include "chat/cluster/rivals.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/rpc/owner_hint.h"

namespace hubbub::chat {
namespace {

using ::testing::HasSubstr;

TEST(RivalsTest, AServerWithoutAStoreServesWhileItIsAlone) {
  Rivals rivals("a");
  EXPECT_TRUE(rivals.MayServe().ok());
  rivals.Set({"b", "c"});
  const absl::Status status = rivals.MayServe();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_EQ(rpc::OwnerIn(status), "") << "nobody can be asked instead";
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("\"a\" has no store, and the directory lists chat server \"b\" too: start both with "
                        "the same --store"));
  rivals.Set({});
  EXPECT_TRUE(rivals.MayServe().ok());
}

}  // namespace
}  // namespace hubbub::chat
