#include <string>

#include "services/net/client_address.h"
#include "services/net/networks.h"
#include "services/net/proxy_header.h"
#include "services/testing/fuzz_check.h"

// What a proxy says of a client, of anybody's making: a PROXY header, and a list of addresses. What is whole
// is judged by its own bytes alone, and what is judged once is judged so with more bytes behind it.

using namespace hubbub::net;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = FuzzInput(data, size);
  const ProxyHeader header = ReadProxyHeader(bytes);
  if (header.kind == ProxyHeader::Kind::kWhole) {
    FUZZ_CHECK(header.size <= bytes.size() && header.size <= kMaxProxyHeaderBytes);
    const ProxyHeader alone = ReadProxyHeader(bytes.substr(0, header.size));
    FUZZ_CHECK(alone.kind == header.kind && alone.size == header.size && alone.client == header.client);
  }
  if (header.kind != ProxyHeader::Kind::kIncomplete)
    FUZZ_CHECK(ReadProxyHeader(std::string(bytes) + "x").kind == header.kind);
  else
    FUZZ_CHECK(bytes.size() < kMaxProxyHeaderBytes);

  static const auto* const kTrusted = new Networks(Networks::Parse({"10.0.0.0/8"}).value());
  HttpHead head;
  for (const char* field : {"X-Forwarded-For", "Forwarded"}) {
    head.fields = {{field, bytes}};
    const auto said = ForwardedClient(head, *kTrusted);
    const auto* const client = std::get_if<std::optional<std::string>>(&said);
    FUZZ_CHECK(client != nullptr);
    // Beside another field it is not believed, unless that says the same.
    head.fields = {{"X-Forwarded-For", "192.0.2.1"}, {"Forwarded", "for=192.0.2.1"}};
    head.fields[field == std::string_view("Forwarded") ? 1 : 0].value = bytes;
    const auto both = ForwardedClient(head, *kTrusted);
    if (const auto* const agreed = std::get_if<std::optional<std::string>>(&both))
      FUZZ_CHECK(*agreed == "192.0.2.1:0");
    if (!*client) continue;
    boost::asio::ip::address address;
    FUZZ_CHECK(ReadAddress(std::string_view(**client).substr(0, (*client)->rfind(':')), address));
    FUZZ_CHECK(!kTrusted->Contain(address));
  }
  return 0;
}
