#include <memory>
#include <string>
#include <string_view>

#include "services/http2/connection.h"
#include "services/testing/fuzz_check.h"

// What a server may send to a connection with two calls, after its first word. Each call ends once, and
// nothing is told after it.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hubbub::http2;                               // NOLINT(google-build-using-namespace)
  constexpr std::string_view kHello("\0\0\0\4\0\0\0\0\0", 9);  // SETTINGS without any.
  const std::string_view input = FuzzInput(data, size);
  int ends[2] = {0, 0};
  int outputs = 0;
  Connection connection("fuzz:1", [&outputs] { ++outputs; });
  std::shared_ptr<Call> calls[2];
  for (int i = 0; i < 2; ++i) {
    int& end = ends[i];
    calls[i] =
        connection.Open({.method = "/a/b"}, {.on_message = [&end](std::string_view) { FUZZ_CHECK(end == 0); },
                                             .on_written = [&end] { FUZZ_CHECK(end == 0); },
                                             .on_end = [&end](const absl::Status&) { ++end; }});
  }
  std::string output;
  FUZZ_CHECK(connection.Receive(kHello).ok());
  calls[0]->Write(std::string("\0\0\0\0\0", 5));
  FUZZ_CHECK(connection.TakeOutput(output, 1 << 20).ok());
  // In two pieces, as sockets cut.
  const size_t half = size / 2;
  for (const std::string_view piece : {input.substr(0, half), input.substr(half)}) {
    if (!connection.Receive(piece).ok() || !connection.TakeOutput(output, 1 << 20).ok()) break;
    FUZZ_CHECK(output.size() < (1 << 20) + 65'536);
  }
  connection.Fail(absl::UnavailableError("over"));
  FUZZ_CHECK(ends[0] == 1 && ends[1] == 1);
  FUZZ_CHECK(connection.calls() == 0);
  return 0;
}
