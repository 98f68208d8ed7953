#include "services/dns/testing/test_dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <utility>

namespace hubbub::dns {
namespace {

// RFC 1035, 4.1.
constexpr size_t kHeaderBytes = 12;
constexpr char kServFail = 2;
constexpr char kNxDomain = 3;
constexpr char kTypeA = 1;
constexpr char kTypeAaaa = 28;

// The name of the first question, and where it ends with its type and class.
std::pair<std::string, size_t> NameOf(const std::string& question) {
  std::string name;
  size_t at = kHeaderBytes;
  while (at < question.size() && question[at] != 0) {
    const auto length = static_cast<unsigned char>(question[at]);
    if (!name.empty()) name += '.';
    name += question.substr(at + 1, length);
    at += 1 + length;
  }
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return {name, at + 5};
}

}  // namespace

TestDnsServer::TestDnsServer() : socket_(socket(AF_INET, SOCK_DGRAM, 0)) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

TestDnsServer::~TestDnsServer() {
  shutdown(socket_, SHUT_RDWR);  // Wakes the thread, with nothing received.
  thread_.join();
  close(socket_);
}

std::string TestDnsServer::address() const {
  return "127.0.0.1:" + std::to_string(port_);
}

void TestDnsServer::Set(const std::string& name, std::vector<std::string> hosts) {
  MutexLock lock(mu_);
  names_[name] = std::move(hosts);
}

void TestDnsServer::Remove(const std::string& name) {
  MutexLock lock(mu_);
  names_.erase(name);
}

void TestDnsServer::SetBroken(bool broken) {
  MutexLock lock(mu_);
  broken_ = broken;
}

void TestDnsServer::SetSilent(bool silent) {
  MutexLock lock(mu_);
  silent_ = silent;
}

int TestDnsServer::questions() const {
  MutexLock lock(mu_);
  return questions_;
}

void TestDnsServer::Run() {
  while (true) {
    std::array<char, 1500> buffer;
    sockaddr_in from = {};
    socklen_t size = sizeof(from);
    const auto got =
        recvfrom(socket_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got <= static_cast<ssize_t>(kHeaderBytes)) return;
    const std::string answer = Answer(std::string(buffer.data(), static_cast<size_t>(got)));
    if (!answer.empty())
      sendto(socket_, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from), size);
  }
}

std::string TestDnsServer::Answer(const std::string& question) {
  const auto [name, end] = NameOf(question);
  if (end > question.size()) return "";
  MutexLock lock(mu_);
  ++questions_;
  if (silent_) return "";
  std::string answer = question.substr(0, end);
  const auto known = names_.find(name);
  const char type = question[end - 3];
  std::vector<std::string> hosts;
  if (!broken_ && known != names_.end()) hosts = known->second;
  std::erase_if(hosts, [type](const std::string& host) {
    return type != (host.find(':') == std::string::npos ? kTypeA : kTypeAaaa);
  });
  answer[2] = static_cast<char>(0x85);  // An answer, authoritative, recursion was asked for.
  answer[3] = broken_ ? kServFail : known == names_.end() ? kNxDomain : char{0};
  answer[7] = static_cast<char>(hosts.size());
  answer[9] = answer[11] = 0;
  for (const std::string& host : hosts) {
    // The question's name, its type, class IN, valid for 0 seconds, 4 or 16 bytes.
    const char size = type == kTypeA ? 4 : 16;
    answer += std::string("\xC0\x0C\x00", 3) + type + std::string("\x00\x01\x00\x00\x00\x00\x00", 7) + size;
    in6_addr bytes = {};
    inet_pton(type == kTypeA ? AF_INET : AF_INET6, host.c_str(), &bytes);
    answer.append(reinterpret_cast<const char*>(&bytes), static_cast<size_t>(size));
  }
  return answer;
}

}  // namespace hubbub::dns
