#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace hubbub::chat {

// A file system for SQLite that fails when told, and knows what a power cut would leave: real files, of which
// it remembers what was synced. Used by one thread; the store's connections end before it.
class FaultyVfs {
 public:
  enum class Fault {
    kFull,      // Writes find no room.
    kWrite,     // Writes fail.
    kSync,      // Waiting for the disk fails; what was written may be there or not.
    kRead,      // Reads fail.
    kReadOnly,  // The database, not its log, is opened for reading alone.
    kPowerOff,  // Nothing is done any more.
  };

  FaultyVfs();
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  // For SqliteOptions::vfs.
  const std::string& name() const { return name_; }
  // The `nth` operation of the kind from now on fails, and all after it. 1: the next one. Of kPowerOff each
  // write, sync, truncation and removal counts.
  void Fail(Fault fault, int nth = 1);
  void Heal() { failing_ = false; }
  // True if the fault has struck.
  bool Struck() const { return failing_ && left_ <= 0; }
  // Writes into the folder `to` what a power cut just now would leave of the files in `from`: what was
  // synced, and of what was not some, whole or torn.
  void Salvage(const std::string& from, const std::string& to, uint32_t seed) const;

 private:
  struct Change {
    int64_t at = 0;
    std::string bytes;
    bool truncates = false;  // To `at` bytes.
  };
  struct Disk {
    std::string synced;
    std::vector<Change> pending;
  };
  struct File;

  static FaultyVfs& Of(sqlite3_vfs* vfs) { return *static_cast<FaultyVfs*>(vfs->pAppData); }
  static int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags);
  static int Delete(sqlite3_vfs* vfs, const char* path, int sync);
  static const sqlite3_io_methods& Methods();
  static void Apply(const Change& change, std::string& bytes);
  // True if an operation of this kind fails now.
  bool Fails(Fault fault);

  sqlite3_vfs* const real_;
  const std::string name_;
  sqlite3_vfs vfs_;
  std::map<std::string, Disk> disks_;  // By path.
  bool failing_ = false;
  Fault fault_ = Fault::kFull;
  int left_ = 0;  // Operations until it strikes.
};

}  // namespace hubbub::chat
