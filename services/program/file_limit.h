#pragma once

#include <cstdint>

namespace hubbub::program {

// The process's limit of open files (RLIMIT_NOFILE), and who may have how many of them. A connection is an
// open file; where none is left, nobody is accepted and no other server can be reached.

// Raises the soft limit to the hard one, as a server may: shells and systemd set the soft one to 1,024 for
// programs that use select(). Answers the soft limit after it.
int64_t RaiseFileLimit();

struct FileShares {
  int clients = 0;  // Connections of clients at a time.
  int grpc = 0;     // Connections to the gRPC port at a time.
};

// Shares `limit` files out: to `clients`, if there is a reserve left for the gRPC port, connections to other
// servers, event loops (`cores` tells how many), files, and clients that are being told why they cannot stay
// (net::Seats::MostGuests). `clients` is 0 for a program that takes none.
FileShares ShareFiles(int64_t limit, int cores, int clients);

// The same with this process's limit.
FileShares ShareFilesOfProcess(int max_connections);

// Says in one log line if --max_connections cannot be held, for want of files. For main, once the program
// serves: what is wrong with its flags is to be its only line.
void WarnOfFewFiles(const FileShares& shares, int max_connections);

}  // namespace hubbub::program
