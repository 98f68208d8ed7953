#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"
#include "services/pomelo/testing/vectors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace hubbub::testing {
namespace {

// What a fuzzer has found stays checked in builds that have no fuzzer. Its name comes from the build, one for
// each fuzzer.
TEST(HUBBUB_CORPUS_TEST, HoldsForTheCorpus) {
  int inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(HUBBUB_CORPUS)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const pomelo::Tight input(std::string{std::istreambuf_iterator<char>(file), {}});
    SCOPED_TRACE(entry.path().string());
    EXPECT_EQ(
        LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.view().data()), input.view().size()),
        0);
    ++inputs;
  }
  EXPECT_GT(inputs, 0) << "no inputs in " << HUBBUB_CORPUS;
}

}  // namespace
}  // namespace hubbub::testing
