#pragma once

namespace hubbub::rpc {

// While this object lives, the messages of gRPC and protobuf go through this program's log
// (services/base/log), with its format and level, instead of to standard error as it is: a line's message
// begins with the library's name, and its field `source` tells the place in the library that wrote it. A peer
// can cause many of these lines, for example by breaking the protocol: each place may write 10 of them in 10
// seconds (LineLimit).
//
// gRPC has errors alone unless the environment's GRPC_VERBOSITY asks for more. One for a process, owned by
// main: made after SetUpLog and before anything that uses gRPC.
class LibraryLogs {
 public:
  LibraryLogs();
  ~LibraryLogs();
  LibraryLogs(const LibraryLogs&) = delete;
  LibraryLogs& operator=(const LibraryLogs&) = delete;
};

}  // namespace hubbub::rpc
