// spdlog makes its logger at the first line. In a test the first two lines may come from two threads at once,
// and the ThreadSanitizer does not see how spdlog keeps them apart: so it is made here, before there are
// threads.
#include "spdlog/spdlog.h"

namespace hubbub::testing {
namespace {

[[maybe_unused]] const auto* const kDefaultLog = spdlog::default_logger_raw();

}  // namespace
}  // namespace hubbub::testing
