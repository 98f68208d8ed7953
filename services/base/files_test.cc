#include "services/base/files.h"

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub {
namespace {

class WatchedFiles : public ::testing::Test {
 protected:
  WatchedFiles() { EXPECT_NE(::mkdtemp(folder_.data()), nullptr); }
  ~WatchedFiles() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const { std::ofstream(Path(name)) << text; }

  std::string folder_ = std::filesystem::temp_directory_path() / "hubbub-files-XXXXXX";
};

TEST_F(WatchedFiles, AFileIsReadUpToItsBound) {
  Write("a", "12345");
  EXPECT_EQ(ReadFile(Path("a"), 5).value(), "12345");
  EXPECT_EQ(ReadFile(Path("a"), 4).status().message(), Path("a") + " has more than 4 bytes");
  EXPECT_EQ(ReadFile(Path("b"), 4).status().message(),
            Path("b") + " cannot be read: No such file or directory");
}

TEST_F(WatchedFiles, AStampChangesWithTheFile) {
  EXPECT_EQ(FileStamp(Path("a")), "");
  Write("a", "one");
  const std::string before = FileStamp(Path("a"));
  EXPECT_EQ(FileStamp(Path("a")), before);
  Write("b", "two");
  std::filesystem::rename(Path("b"), Path("a"));
  EXPECT_NE(FileStamp(Path("a")), before);
}

TEST_F(WatchedFiles, AStampFollowsLinks) {
  Write("one", "1");
  Write("two", "1");
  std::filesystem::create_symlink("one", Path("link"));
  const std::string before = FileStamp(Path("link"));
  std::filesystem::create_symlink("two", Path("next"));
  std::filesystem::rename(Path("next"), Path("link"));
  EXPECT_NE(FileStamp(Path("link")), before);
}

}  // namespace
}  // namespace hubbub
