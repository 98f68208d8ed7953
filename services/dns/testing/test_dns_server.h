#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "services/base/mutex.h"

namespace hubbub::dns {

// A DNS server on loopback, over UDP, whose answers a test changes. Knows A and AAAA records. Thread-safe.
class TestDnsServer {
 public:
  TestDnsServer();
  ~TestDnsServer();

  // address:port.
  std::string address() const;
  // The addresses of a name from now on; none: the name is there and has none.
  void Set(const std::string& name, std::vector<std::string> hosts) ABSL_LOCKS_EXCLUDED(mu_);
  // The name is not there any more (NXDOMAIN), as it is with every name at first.
  void Remove(const std::string& name) ABSL_LOCKS_EXCLUDED(mu_);
  // From now on the server cannot say anything (SERVFAIL), or can again.
  void SetBroken(bool broken) ABSL_LOCKS_EXCLUDED(mu_);
  // From now on questions are not answered, or are again.
  void SetSilent(bool silent) ABSL_LOCKS_EXCLUDED(mu_);
  // How many questions have come.
  int questions() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run();
  std::string Answer(const std::string& question) ABSL_LOCKS_EXCLUDED(mu_);

  int socket_ = -1;
  uint16_t port_ = 0;
  mutable Mutex mu_;
  std::map<std::string, std::vector<std::string>> names_ ABSL_GUARDED_BY(mu_);
  bool broken_ ABSL_GUARDED_BY(mu_) = false;
  bool silent_ ABSL_GUARDED_BY(mu_) = false;
  int questions_ ABSL_GUARDED_BY(mu_) = 0;
  std::thread thread_;
};

}  // namespace hubbub::dns
