// What a delivery costs in allocations. A program of its own, because it replaces operator new.
#include "connector/testing/fan_out.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include "gtest/gtest.h"

namespace {

std::atomic<size_t> allocations{0};

}  // namespace

void* operator new(size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

namespace hubbub::connector {
namespace {

// The allocations of delivering one batch of messages to so many sessions.
size_t AllocationsOf(size_t sessions, size_t messages) {
  net::Loops loops(1);
  size_t counted = 0;
  client::OnLoop(loops.at(0), [&] {
    FanOut out(loops.at(0), sessions);
    // What grows once has grown then.
    for (int i = 0; i < 20; ++i) out.Deliver(out.Batch(messages));
    const auto batch = out.Batch(messages);
    const size_t sent_before = out.sent();
    const size_t before = allocations;
    out.Deliver(batch);
    counted = allocations - before;
    EXPECT_EQ(out.sent() - sent_before, sessions) << "one write for each session, whatever the messages";
  });
  return counted;
}

TEST(FanOutTest, TheCounterCounts) {
  const size_t before = allocations;
  const auto one = std::make_unique<std::string>(100, 'x');
  EXPECT_EQ(allocations - before, 2u);
}

TEST(FanOutTest, NoDeliveryAllocates) {
  // What it takes, it takes for a batch or a message, and not for each of those who get it.
  for (const size_t messages : {1, 8, 64}) {
    const size_t few = AllocationsOf(10, messages);
    EXPECT_EQ(AllocationsOf(1'000, messages), few) << messages << " messages";
    EXPECT_LE(few, 2 * messages + 4) << messages << " messages";
  }
}

TEST(FanOutTest, EncodingDoesNotDependOnHowManyGetIt) {
  const auto encode = [](size_t sessions) {
    net::Loops loops(1);
    size_t counted = 0;
    client::OnLoop(loops.at(0), [&] {
      FanOut out(loops.at(0), sessions);
      const size_t before = allocations;
      (void)out.Batch(8);
      counted = allocations - before;
    });
    return counted;
  };
  EXPECT_EQ(encode(10), encode(1'000));
}

}  // namespace
}  // namespace hubbub::connector
