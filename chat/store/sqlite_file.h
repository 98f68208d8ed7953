#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hubbub::chat {

// The file of a store and what may lie beside it. It never opens the file: closing a file drops all locks
// that this process has on it, including SQLite's.
class SqliteFile {
 public:
  // `name`: what errors call it.
  SqliteFile(std::string path, std::string name);

  // False: there is none yet, and it may be made. FAILED_PRECONDITION: something else is there. UNAVAILABLE:
  // its folder is not there or cannot be entered.
  absl::StatusOr<bool> Exists() const;
  // Where a new one is made: a path beside it that nobody else has.
  const std::string& draft() const { return draft_; }
  // Gives the draft, which is closed, the file's name, unless another process was faster. Removes the draft.
  absl::Status Publish() const;
  void RemoveDraft() const;

 private:
  const std::string path_;
  const std::string name_;
  const std::string folder_;
  const std::string draft_;
};

}  // namespace hubbub::chat
