#include <map>
#include <string>

#include "services/client/pitaya_protocol.h"
#include "services/client/testing/fake_session.h"
#include "services/testing/fuzz_check.h"
#include "spdlog/spdlog.h"

// A client that may say anything, cut anywhere, to a session whose program answers at once, later or never.
// The first byte of the input chooses the program, the client's transport and where the rest is cut. Nothing
// may crash, and no request may be answered twice.

namespace {

using namespace hubbub;          // NOLINT(google-build-using-namespace)
using namespace hubbub::client;  // NOLINT(google-build-using-namespace)

// How often each request id was asked with, as far as the bytes can be read, and answered.
std::map<uint64_t, int> RequestsIn(std::string_view bytes) {
  std::map<uint64_t, int> requests;
  while (true) {
    const auto decoded = pomelo::DecodePackage(bytes, 64 * 1024);
    if (!decoded.ok() || !decoded->has_value()) return requests;
    if ((*decoded)->package.type == pomelo::PackageType::kData) {
      const auto message = pomelo::DecodeMessage((*decoded)->package.body);
      if (message.ok() && message->type == pomelo::MessageType::kRequest) ++requests[message->id.number()];
    }
    bytes.remove_prefix((*decoded)->size);
  }
}

void Play(net::Loop& loop, std::string_view input) {
  const ClientContract contract(/*use_dict=*/true, /*use_protobuf=*/true, std::chrono::seconds(3));
  PushEncodings encodings;
  const PomeloPushes pushes(contract, encodings);
  const PitayaTerms pitaya(contract, encodings, std::chrono::seconds(3), PomeloOptions().max_package_bytes);
  const PomeloOptions pomelo{
      .contract = &contract, .pushes = &pushes, .heartbeat = std::chrono::seconds(3), .pitaya = &pitaya};
  const SessionOptions options;
  const uint8_t choice = input.empty() ? 0 : static_cast<uint8_t>(input.front());
  if (!input.empty()) input.remove_prefix(1);

  FakeSession session(loop, pomelo, options);
  session.script.answer = static_cast<FakeHandler::Answer>((choice & 3) % 3);
  const bool frames = (choice & 4) != 0;
  const size_t piece = 1 + (choice >> 3);
  const auto answer = [&] {
    while (!session.script.replies.empty()) {
      session.script.replies.clear();
      session.connection.Offer();
    }
  };
  if (frames) {
    // One frame for all: where a frame ends in the middle of a package, the session ends too.
    session.connection.Feed(input, /*frame_end=*/true);
    answer();
  } else {
    for (size_t at = 0; at < input.size(); at += piece) {
      session.connection.Feed(input.substr(at, piece));
      if (at % 3 == 0) answer();
    }
    answer();
  }
  session->OnTick(net::Clock::now() + std::chrono::seconds(100));
  FUZZ_CHECK(session.connection.closed);
  session->OnClosed(net::CloseReason::kClientLeft, "left");

  std::map<uint64_t, int> answers;
  for (const std::string& line : session.connection.log) {
    FUZZ_CHECK(line != "no package" && line != "no message" && line != "an empty payload");
    for (const std::string_view kind : {"response ", "error "}) {
      if (line.starts_with(kind)) ++answers[std::stoull(line.substr(kind.size()))];
    }
  }
  const auto requests = RequestsIn(input);
  for (const auto& [id, count] : answers) {
    const auto asked = requests.find(id);
    FUZZ_CHECK(asked != requests.end() && count <= asked->second);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  spdlog::set_level(spdlog::level::off);
  static net::Loops loops(1);
  OnLoop(loops.at(0), [&] { Play(loops.at(0), FuzzInput(data, size)); });
  return 0;
}
