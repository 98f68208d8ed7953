#include "services/program/file_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

#include "services/base/cores.h"
#include "spdlog/spdlog.h"

namespace hubbub::program {
namespace {

// The more files there are, the more back ends and other servers are likely to be there.
constexpr int64_t kReservedPart = 8;
constexpr int64_t kMostReserved = 1'024;
// What a server needs that talks to few others: gRPC's connections both ways, listeners, files of /proc and
// of the directory. A loop has four.
constexpr int64_t kLeastReserved = 64;
constexpr int64_t kFilesOfALoop = 4;
// Clients that are being told why they cannot stay: an eighth of those that can (net::Seats::MostGuests).
constexpr int64_t kTurnedAwayPart = 9;
constexpr int64_t kLeastTurnedAway = 16;
constexpr int64_t kMostTurnedAway = 512;
// Of what is reserved, not for connections to the gRPC port.
constexpr int64_t kOwn = 32;
constexpr int64_t kLeastGrpc = 16;
constexpr int64_t kMostGrpc = 1'000;

int64_t AsNumber(rlim_t limit) {
  return limit > static_cast<rlim_t>(std::numeric_limits<int64_t>::max())
             ? std::numeric_limits<int64_t>::max()
             : static_cast<int64_t>(limit);
}

int64_t FileLimit() {
  rlimit limit = {};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? AsNumber(limit.rlim_cur) : 1'024;
}

}  // namespace

int64_t RaiseFileLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
      spdlog::warn("the limit of open files stays at {}: {}", before, std::system_category().message(errno));
  }
  return FileLimit();
}

FileShares ShareFiles(int64_t limit, int cores, int clients) {
  const int64_t loops = kFilesOfALoop * cores;
  const int64_t wanted = std::max(kLeastReserved + loops, std::min(limit / kReservedPart, kMostReserved));
  const int64_t reserved = std::min(limit / 2, wanted);
  const int64_t room = limit - reserved;
  const int64_t taken = std::min<int64_t>(
      clients, room - std::clamp(room / kTurnedAwayPart, kLeastTurnedAway, kMostTurnedAway));
  const int64_t turned_away =
      clients == 0 ? 0 : std::clamp(taken / (kTurnedAwayPart - 1), kLeastTurnedAway, kMostTurnedAway);
  const int64_t grpc = limit - taken - turned_away - kOwn - loops;
  return {.clients = static_cast<int>(taken),
          .grpc = static_cast<int>(std::clamp(grpc, kLeastGrpc, kMostGrpc))};
}

FileShares ShareFilesOfProcess(int max_connections) {
  return ShareFiles(FileLimit(), UsableCores(), max_connections);
}

void WarnOfFewFiles(const FileShares& shares, int max_connections) {
  if (shares.clients >= max_connections) return;
  spdlog::warn(
      "--max_connections={} is more than a limit of {} open files allows: {} clients at a time are taken, "
      "and "
      "the rest is kept for gRPC and files; for more, raise the hard limit (ulimit -Hn, systemd's "
      "LimitNOFILE=)",
      max_connections, FileLimit(), shares.clients);
}

}  // namespace hubbub::program
