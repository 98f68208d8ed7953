#include "services/program/flags.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

ABSL_FLAG(std::string, test_text, "x", "A text");
ABSL_FLAG(int64_t, test_count, -1, "A count");
ABSL_FLAG(int, test_number, 1, "A number");
ABSL_FLAG(bool, test_bool, true, "Yes or no");
ABSL_FLAG(absl::Duration, test_wait, absl::Seconds(1), "A time");

namespace hubbub::program {
namespace {

using ::testing::HasSubstr;

absl::Status Set(std::vector<std::string> arguments) {
  std::vector<char*> argv = {nullptr};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return SetFlags(static_cast<int>(argv.size()), argv.data());
}

class FlagsTest : public ::testing::Test {
 protected:
  ~FlagsTest() override { std::remove(path_.c_str()); }
  void Write(const std::string& text) const { std::ofstream(path_) << text; }

  const std::string path_ = ::testing::TempDir() + "/flags-" + std::to_string(::getpid());
  const absl::FlagSaver saver_;
};

TEST_F(FlagsTest, AreSetInEveryForm) {
  ASSERT_TRUE(Set({"--test_text=a=b", "--test_number", "-7", "--notest_bool"}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_test_text), "a=b");
  EXPECT_EQ(absl::GetFlag(FLAGS_test_number), -7);
  EXPECT_FALSE(absl::GetFlag(FLAGS_test_bool));
  ASSERT_TRUE(Set({"--test_bool", "-test_number=3", "--test_text", ""}).ok());
  EXPECT_TRUE(absl::GetFlag(FLAGS_test_bool));
  EXPECT_EQ(absl::GetFlag(FLAGS_test_number), 3);
  EXPECT_EQ(absl::GetFlag(FLAGS_test_text), "");
}

TEST_F(FlagsTest, HaveBounds) {
  ASSERT_TRUE(Set({"--test_number=-7", "--test_wait=90s"}).ok());
  EXPECT_TRUE(CheckFlag(FLAGS_test_number, -7, 0).ok());
  EXPECT_TRUE(CheckFlag(FLAGS_test_number, -8, -7).ok());
  EXPECT_EQ(CheckFlag(FLAGS_test_number, 0, 1024).message(), "--test_number must be from 0 to 1024, not -7");
  EXPECT_EQ(CheckFlag(FLAGS_test_count, int64_t{0}, int64_t{1} << 40).message(),
            "--test_count must be from 0 to 1099511627776, not -1");
  EXPECT_EQ(CheckFlag(FLAGS_test_wait, absl::Seconds(1), absl::Minutes(1)).message(),
            "--test_wait must be from 1s to 1m, not 1m30s");
  ASSERT_TRUE(Set({"--test_wait=inf"}).ok());
  EXPECT_FALSE(CheckFlag(FLAGS_test_wait, absl::ZeroDuration(), absl::Hours(1)).ok());
}

TEST_F(FlagsTest, AFileStandsForItsLinesAndTheLastWordCounts) {
  Write("# what an operator wrote\n\n  --test_number=5\r\n--test_text=a b\n--test_bool=false");
  ASSERT_TRUE(Set({"--flagfile=" + path_, "--test_number=6"}).ok());
  EXPECT_EQ(absl::GetFlag(FLAGS_test_number), 6);
  EXPECT_EQ(absl::GetFlag(FLAGS_test_text), "a b");
  EXPECT_FALSE(absl::GetFlag(FLAGS_test_bool));
}

TEST_F(FlagsTest, SayInOneLineWhatIsWrong) {
  Write("--test_number=5\n--test_number=x\n");
  const struct {
    std::vector<std::string> arguments;
    std::string why;
  } cases[] = {
      {{"--nosuch"}, "there is no flag --nosuch; --help lists them"},
      {{"--nosuch=1"}, "there is no flag --nosuch;"},
      {{"--notest_number"}, "there is no flag --notest_number"},
      {{"--test_number"}, "--test_number needs a value"},
      {{"--test_number=many"}, "--test_number cannot be \"many\""},
      {{"--test_bool=perhaps"}, "--test_bool cannot be \"perhaps\""},
      {{"word"}, "\"word\" is no flag"},
      {{"--"}, "is no flag"},
      {{"-"}, "is no flag"},
      {{"--flagfile=/nowhere"}, "--flagfile: /nowhere cannot be read"},
      {{"--flagfile=" + path_}, path_ + " line 2: --test_number cannot be \"x\""},
  };
  for (const auto& c : cases) {
    const absl::Status status = Set(c.arguments);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.why;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.why));
    EXPECT_EQ(std::string(status.message()).find('\n'), std::string::npos) << c.why;
  }
}

TEST_F(FlagsTest, AProgramEndsWithCodeTwo) {
  std::string wrong = "--nosuch";
  char* argv[] = {nullptr, wrong.data()};
  EXPECT_EXIT(ParseFlags("hubbub-test", "tests.", 2, argv), ::testing::ExitedWithCode(2),
              "^hubbub-test: there is no flag --nosuch; --help lists them\n$");
}

}  // namespace
}  // namespace hubbub::program
