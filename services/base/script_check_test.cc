#include "services/base/script_check.h"

#include "gtest/gtest.h"

namespace hubbub {
namespace {

TEST(ScriptCheck, FindsNamesThatMixScripts) {
  const ScriptCheck check;
  for (const char* one : {"ada", "ada-99_x", "Łucja", "алиса", "γιαννης", "太郎", "太郎とAda", "김민수 Kim",
                          "محمد", "lobby #1", "😀 ada", "𝓪"})
    EXPECT_FALSE(check.MixesScripts(one)) << one;
  for (const char* mixed : {"p\u0430ypal", "\u0430lice", "аliса", "adα", "ада-α"})
    EXPECT_TRUE(check.MixesScripts(mixed)) << mixed;
}

}  // namespace
}  // namespace hubbub
