#include <string>

#include "boost/json.hpp"
#include "services/pomelo/handshake.h"
#include "services/testing/fuzz_check.h"

using namespace hubbub::pomelo;  // NOLINT(google-build-using-namespace)

namespace {

struct Server {
  Dictionary dictionary = *Dictionary::Make({"connector.entryHandler.enter", "chat.chatHandler.send"});
  Schema protos = *Schema::Parse({{"onChat", {{"required string msg", 1}}}});
  ServerHandshake handshake{HandshakeOptions{std::chrono::seconds(3), &dictionary, &protos, nullptr}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Server server;
  const HandshakeRequest request = ParseHandshakeRequest(FuzzInput(data, size));
  FUZZ_CHECK(request.has_sys || request.type.empty());
  const std::string answer = server.handshake.Accept(request, &request.user);
  const boost::json::value parsed = boost::json::parse(answer);
  FUZZ_CHECK(parsed.at("code") == 200);
  const boost::json::object& sys = parsed.at("sys").as_object();
  FUZZ_CHECK(sys.contains("dict") == (request.dict_version != server.dictionary.version()));
  FUZZ_CHECK(sys.contains("protos") == (request.proto_version != server.handshake.protos_version()));
  return 0;
}
