#include "services/directory/file_directory.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::directory {
namespace {

using ::testing::HasSubstr;

class FileDirectoryTest : public ::testing::Test {
 protected:
  FileDirectoryTest()
      : folder_(::testing::TempDir() + "/" + ::testing::UnitTest::GetInstance()->current_test_info()->name() +
                "-" + std::to_string(::getpid())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~FileDirectoryTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/servers.json"; }
  void Write(const std::string& text) const { std::ofstream(path()) << text; }
  static std::string OneChat(const std::string& id) {
    return R"({"development": {"chat": [{"id": ")" + id + R"(", "host": "h", "port": 1}]}})";
  }

  const std::string folder_;
};

TEST_F(FileDirectoryTest, OpensAFile) {
  Write(OneChat("a"));
  const auto directory = FileDirectory::Open(path(), "development");
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_EQ((*directory)->servers()->chats.at(0).id, "a");
}

TEST_F(FileDirectoryTest, SaysWhichFileItCanNotRead) {
  const auto missing = FileDirectory::Open(path(), "development").status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.message()), HasSubstr(path()));
  Write("{");
  const auto broken = FileDirectory::Open(path(), "development").status();
  EXPECT_EQ(broken.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(broken.message()), HasSubstr(path() + ": line 1"));
}

TEST_F(FileDirectoryTest, TellsOfAChangeAndOfNothingElse) {
  Write(OneChat("a"));
  auto directory = *FileDirectory::Open(path(), "development");
  std::vector<std::string> told;
  directory->OnChange([&](const auto& servers) {
    told.push_back(servers->chats.at(0).id);
    EXPECT_EQ(directory->servers(), servers) << "a listener can ask";
  });
  const auto before = directory->servers();
  directory->Poll();
  EXPECT_EQ(directory->servers(), before);

  Write(OneChat("b"));
  directory->Poll();
  directory->Poll();
  EXPECT_EQ(told, std::vector<std::string>{"b"});
  EXPECT_EQ(before->chats.at(0).id, "a") << "an old view stays as it was";

  Write(OneChat("b") + "\n");
  directory->Poll();
  EXPECT_EQ(told.size(), 1u) << "the same servers in other words";
}

TEST_F(FileDirectoryTest, ABrokenFileLeavesEverythingAsItWas) {
  Write(OneChat("a"));
  auto directory = *FileDirectory::Open(path(), "development");
  int told = 0;
  directory->OnChange([&](const auto&) { ++told; });
  const auto before = directory->servers();
  for (const char* broken : {"", "{", "{}", R"({"development": {"chat": [{}]}})"}) {
    Write(broken);
    directory->Poll();
    EXPECT_EQ(directory->servers(), before) << broken;
  }
  std::filesystem::remove(path());
  directory->Poll();
  EXPECT_EQ(directory->servers(), before);
  EXPECT_EQ(told, 0);
  // It is mended, and back as it was: no change either.
  Write(OneChat("a"));
  directory->Poll();
  EXPECT_EQ(told, 0);
  Write(OneChat("b"));
  directory->Poll();
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace hubbub::directory
