#include "chat/store/testing/faulty_vfs.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "fmt/format.h"

namespace hubbub::chat {

// SQLite allots the room for this and, behind it, for the real file.
struct FaultyVfs::File {
  sqlite3_file base;
  FaultyVfs* vfs;
  Disk* disk;  // Null: of no interest.
  sqlite3_file* real;

  static File& Of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
};

FaultyVfs::FaultyVfs()
    : real_(sqlite3_vfs_find(nullptr)), name_(fmt::format("faulty-{}", fmt::ptr(this))), vfs_(*real_) {
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
  vfs_.pNext = nullptr;
  vfs_.xOpen = &FaultyVfs::Open;
  vfs_.xDelete = &FaultyVfs::Delete;
  // The others know nothing of this object, and use what the real one has put into its own data.
  vfs_.xAccess = [](sqlite3_vfs* vfs, const char* path, int flags, int* out) {
    return Of(vfs).real_->xAccess(Of(vfs).real_, path, flags, out);
  };
  vfs_.xFullPathname = [](sqlite3_vfs* vfs, const char* path, int size, char* out) {
    return Of(vfs).real_->xFullPathname(Of(vfs).real_, path, size, out);
  };
  sqlite3_vfs_register(&vfs_, 0);
}

FaultyVfs::~FaultyVfs() {
  sqlite3_vfs_unregister(&vfs_);
}

void FaultyVfs::Fail(Fault fault, int nth) {
  failing_ = true;
  fault_ = fault;
  left_ = nth;
}

bool FaultyVfs::Fails(Fault fault) {
  if (!failing_) return false;
  const bool reading = fault == Fault::kRead || fault == Fault::kReadOnly;
  if (fault_ == Fault::kPowerOff && reading) return left_ <= 0;
  // A disk without room still syncs; one that cannot be written is told so by its writes.
  const bool writing = fault == Fault::kWrite && (fault_ == Fault::kFull || fault_ == Fault::kWrite);
  if (fault_ != fault && fault_ != Fault::kPowerOff && !writing) return false;
  return --left_ <= 0;
}

void FaultyVfs::Apply(const Change& change, std::string& bytes) {
  const auto at = static_cast<size_t>(change.at);
  if (change.truncates) {
    bytes.resize(std::min(bytes.size(), at));
    return;
  }
  bytes.resize(std::max(bytes.size(), at + change.bytes.size()));
  bytes.replace(at, change.bytes.size(), change.bytes);
}

int FaultyVfs::Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  FaultyVfs& me = Of(vfs);
  File& mine = File::Of(file);
  mine = File{{nullptr}, &me, nullptr, reinterpret_cast<sqlite3_file*>(&mine + 1)};
  std::memset(static_cast<void*>(mine.real), 0, static_cast<size_t>(me.real_->szOsFile));
  if (me.Fails(Fault::kReadOnly) && me.fault_ == Fault::kPowerOff) return SQLITE_CANTOPEN;
  if (me.failing_ && me.fault_ == Fault::kReadOnly && (flags & SQLITE_OPEN_MAIN_DB) != 0) {
    flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
  }
  const int code = me.real_->xOpen(me.real_, path, mine.real, flags, out_flags);
  if (code != SQLITE_OK) return code;
  mine.base.pMethods = &Methods();
  if (path == nullptr) return code;
  const auto [disk, fresh] = me.disks_.try_emplace(path);
  mine.disk = &disk->second;
  if (fresh) {
    // Through SQLite, for who closes the file by itself drops the locks of this process.
    sqlite3_int64 size = 0;
    mine.real->pMethods->xFileSize(mine.real, &size);
    mine.disk->synced.resize(static_cast<size_t>(size));
    mine.real->pMethods->xRead(mine.real, mine.disk->synced.data(), static_cast<int>(size), 0);
  }
  return code;
}

int FaultyVfs::Delete(sqlite3_vfs* vfs, const char* path, int sync) {
  FaultyVfs& me = Of(vfs);
  if (me.failing_ && me.fault_ == Fault::kPowerOff && me.Fails(Fault::kPowerOff)) return SQLITE_IOERR_DELETE;
  me.disks_[path] = Disk();  // Connections may still have it open.
  return me.real_->xDelete(me.real_, path, sync);
}

const sqlite3_io_methods& FaultyVfs::Methods() {
  static const sqlite3_io_methods methods = [] {
    sqlite3_io_methods m{};
    m.iVersion = 2;  // With shared memory, and without mapped files, whose writes nobody would see.
    m.xClose = [](sqlite3_file* file) { return File::Of(file).real->pMethods->xClose(File::Of(file).real); };
    m.xRead = [](sqlite3_file* file, void* out, int size, sqlite3_int64 at) {
      File& mine = File::Of(file);
      if (mine.vfs->Fails(Fault::kRead)) return SQLITE_IOERR_READ;
      return mine.real->pMethods->xRead(mine.real, out, size, at);
    };
    m.xWrite = [](sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
      File& mine = File::Of(file);
      if (mine.vfs->Fails(Fault::kWrite))
        return mine.vfs->fault_ == Fault::kFull ? SQLITE_FULL : SQLITE_IOERR_WRITE;
      if (mine.disk != nullptr) {
        mine.disk->pending.push_back(
            {at, std::string(static_cast<const char*>(bytes), static_cast<size_t>(size)), false});
      }
      return mine.real->pMethods->xWrite(mine.real, bytes, size, at);
    };
    m.xTruncate = [](sqlite3_file* file, sqlite3_int64 size) {
      File& mine = File::Of(file);
      if (mine.vfs->Fails(Fault::kWrite)) return SQLITE_IOERR_TRUNCATE;
      if (mine.disk != nullptr) mine.disk->pending.push_back({size, "", true});
      return mine.real->pMethods->xTruncate(mine.real, size);
    };
    // Waits for no disk: what is synced is what this object remembers.
    m.xSync = [](sqlite3_file* file, int) {
      File& mine = File::Of(file);
      if (mine.vfs->Fails(Fault::kSync)) return SQLITE_IOERR_FSYNC;
      if (mine.disk != nullptr) {
        for (const Change& change : mine.disk->pending) Apply(change, mine.disk->synced);
        mine.disk->pending.clear();
      }
      return SQLITE_OK;
    };
    m.xFileSize = [](sqlite3_file* file, sqlite3_int64* size) {
      return File::Of(file).real->pMethods->xFileSize(File::Of(file).real, size);
    };
    m.xLock = [](sqlite3_file* file, int lock) {
      return File::Of(file).real->pMethods->xLock(File::Of(file).real, lock);
    };
    m.xUnlock = [](sqlite3_file* file, int lock) {
      return File::Of(file).real->pMethods->xUnlock(File::Of(file).real, lock);
    };
    m.xCheckReservedLock = [](sqlite3_file* file, int* out) {
      return File::Of(file).real->pMethods->xCheckReservedLock(File::Of(file).real, out);
    };
    m.xFileControl = [](sqlite3_file* file, int what, void* argument) {
      return File::Of(file).real->pMethods->xFileControl(File::Of(file).real, what, argument);
    };
    m.xSectorSize = [](sqlite3_file* file) {
      return File::Of(file).real->pMethods->xSectorSize(File::Of(file).real);
    };
    m.xDeviceCharacteristics = [](sqlite3_file* file) {
      return File::Of(file).real->pMethods->xDeviceCharacteristics(File::Of(file).real);
    };
    m.xShmMap = [](sqlite3_file* file, int page, int size, int extend, void volatile** out) {
      return File::Of(file).real->pMethods->xShmMap(File::Of(file).real, page, size, extend, out);
    };
    m.xShmLock = [](sqlite3_file* file, int offset, int count, int flags) {
      return File::Of(file).real->pMethods->xShmLock(File::Of(file).real, offset, count, flags);
    };
    m.xShmBarrier = [](sqlite3_file* file) {
      File::Of(file).real->pMethods->xShmBarrier(File::Of(file).real);
    };
    m.xShmUnmap = [](sqlite3_file* file, int remove) {
      return File::Of(file).real->pMethods->xShmUnmap(File::Of(file).real, remove);
    };
    return m;
  }();
  return methods;
}

void FaultyVfs::Salvage(const std::string& from, const std::string& to, uint32_t seed) const {
  std::minstd_rand random(seed);
  for (const auto& [path, disk] : disks_) {
    const std::filesystem::path file(path);
    // By name: what was never linked, or was removed, is not there.
    if (file.parent_path() != std::filesystem::path(from) || !std::filesystem::exists(file)) continue;
    std::string bytes = disk.synced;
    for (Change change : disk.pending) {
      const auto fate = random() % 4;
      if (fate == 0) continue;
      if (fate == 1) change.bytes.resize(change.bytes.size() / 1024 * 512);  // Torn between two sectors.
      Apply(change, bytes);
    }
    std::ofstream(std::filesystem::path(to) / file.filename(), std::ios::binary) << bytes;
  }
}

}  // namespace hubbub::chat
