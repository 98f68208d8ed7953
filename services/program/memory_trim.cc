#include "services/program/memory_trim.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>

namespace hubbub::program {

size_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

bool MemoryTrim::IsWorthIt(size_t resident, size_t in_use, size_t resident_before) {
  return resident > in_use + kIdle && resident > resident_before + kGrown;
}

void MemoryTrim::Tick(Clock::time_point now) {
  if (now < next_) return;
  next_ = now + kEvery;
  const auto info = mallinfo2();
  if (!IsWorthIt(ResidentBytes(), info.uordblks + info.hblkhd, resident_before_)) return;
  malloc_trim(0);
  resident_before_ = ResidentBytes();
}

}  // namespace hubbub::program
