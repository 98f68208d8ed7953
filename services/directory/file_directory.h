#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "services/base/mutex.h"
#include "services/directory/directory.h"

namespace hubbub::directory {

// The directory that is a file in the shape of Pomelo's servers.json.
class FileDirectory final : public Directory {
 public:
  // Reads the file once; NOT_FOUND or INVALID_ARGUMENT with its path.
  static absl::StatusOr<std::unique_ptr<FileDirectory>> Open(std::string path, std::string environment);

  std::shared_ptr<const ServerList> servers() const override ABSL_LOCKS_EXCLUDED(mu_);

  // Reads the file again. One that cannot be read or is wrong leaves everything as it was and is logged
  // once.
  void Poll() override ABSL_LOCKS_EXCLUDED(mu_);
  void OnChange(Listener listener) override { listeners_.push_back(std::move(listener)); }

 private:
  FileDirectory(std::string path, std::string environment)
      : path_(std::move(path)), environment_(std::move(environment)) {}

  const std::string path_;
  const std::string environment_;
  std::vector<Listener> listeners_;  // Polling thread only, as text_ is.
  std::string text_;
  mutable Mutex mu_;
  std::shared_ptr<const ServerList> servers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::directory
