#include "services/base/line_limit.h"

#include <string>

#include "gtest/gtest.h"

namespace hubbub {
namespace {

class LineLimitTest : public ::testing::Test {
 protected:
  uint64_t Admitted(const std::string& source, int lines) {
    uint64_t admitted = 0;
    for (int i = 0; i < lines; ++i) admitted += limit_.Admit(source, now_).has_value() ? 1 : 0;
    return admitted;
  }

  LineLimit::Clock::time_point now_{std::chrono::hours(1)};
  LineLimit limit_;
};

TEST_F(LineLimitTest, ASourceHasSoManyLinesInAWindow) {
  EXPECT_EQ(Admitted("a.cc:1", 1'000), LineLimit::kLines);
  now_ += LineLimit::kWindow - std::chrono::milliseconds(1);
  EXPECT_EQ(Admitted("a.cc:1", 1), 0u);
  EXPECT_EQ(Admitted("a.cc:2", 1'000), LineLimit::kLines) << "another source has its own";
}

TEST_F(LineLimitTest, TheNextLineSaysHowManyWereLeftOut) {
  EXPECT_EQ(limit_.Admit("a.cc:1", now_), 0u);
  Admitted("a.cc:1", 1'000);
  now_ += LineLimit::kWindow;
  EXPECT_EQ(limit_.Admit("a.cc:1", now_), 1'001 - LineLimit::kLines);
  EXPECT_EQ(limit_.Admit("a.cc:1", now_), 0u) << "once";
}

TEST_F(LineLimitTest, ManySourcesTakeNoMoreThanTheirShare) {
  for (size_t i = 0; i < LineLimit::kSources; ++i) EXPECT_EQ(Admitted("a.cc:" + std::to_string(i), 1), 1u);
  uint64_t admitted = 0;
  for (int i = 0; i < 10'000; ++i) admitted += Admitted("b.cc:" + std::to_string(i), 1);
  EXPECT_EQ(admitted, LineLimit::kLines);
}

}  // namespace
}  // namespace hubbub
