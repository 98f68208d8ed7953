// hubbub-load: loads a chat suite and measures it.
#include <cstdio>
#include <fstream>
#include <span>

#include "bench/load.h"
#include "bench/options.h"
#include "bench/result.h"

namespace {

int Complain(const absl::Status& status, int code) {
  std::fprintf(stderr, "hubbub-load: %s\n", std::string(status.message()).c_str());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  using hubbub::bench::Options;
  const auto options =
      hubbub::bench::ParseOptions(std::span<const char* const>(argv, static_cast<size_t>(argc)).subspan(1));
  if (options.status().code() == absl::StatusCode::kFailedPrecondition) {
    std::printf("%s\n", std::string(options.status().message()).c_str());
    return 0;
  }
  if (!options.ok()) return Complain(options.status(), 2);

  // Opened first: a result that cannot be written must not cost a whole load.
  std::ofstream json;
  if (!options->json.empty()) {
    json.open(options->json);
    if (!json) return Complain(absl::NotFoundError("--json: " + options->json + " cannot be written"), 2);
  }
  const auto result = hubbub::bench::RunLoad(*options);
  if (!result.ok()) return Complain(result.status(), 1);
  json << ToJson(*options, *result) << "\n";
  std::printf("%s\n", ToText(*options, *result).c_str());
  return result->ok() ? 0 : 1;
}
