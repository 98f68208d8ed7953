#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <random>

namespace hubbub::program {

// Decides whether a process that needs less than one core keeps to one, and to which. Where each server is in
// a scheduling group of its own, as containers and units of systemd are, Linux shares a group's weight out to
// the cores by what its threads do there. So a thread that does little weighs next to nothing on any core but
// that of its busy sibling: on a busy machine it waits there for 50 to 100 ms, and with it everybody whom it
// serves. Kept together, the threads of a connector are served like one, and find their caches warm
// (bench/README.md).
//
// Where nobody waits the process runs anywhere, since an idle core serves best. It keeps to one core once its
// threads wait for a good part of the time, moves when another core has much more idle time, and runs
// anywhere again when the machine is less busy or it needs more than a core. Not thread-safe; knows nothing
// of the system.
class HomeCore {
 public:
  using Seconds = std::chrono::duration<double>;
  // Each counts from any moment in the past, the same one each time.
  struct Sample {
    std::chrono::steady_clock::time_point at;
    Seconds used{0};              // Processor time of this process.
    Seconds waited{0};            // Time for which its threads wanted to run and could not, the sum.
    std::map<int, Seconds> idle;  // Of each core that it may use.
  };
  static constexpr int kAnywhere = -1;

  // Begins anywhere. `seed`: so that not all servers of a machine decide alike.
  HomeCore(const Sample& first, unsigned seed);

  // The core, or kAnywhere.
  int core() const { return core_; }
  // True once it is time for the next look, which costs some reading of files. `used`: as Sample's. A process
  // that does next to nothing need not look.
  bool Due(std::chrono::steady_clock::time_point now, Seconds used);
  // Looks at what has happened since the last look; true if core() has changed. If that was long ago, this
  // one is just the first again.
  bool Update(const Sample& sample);

 private:
  static constexpr std::chrono::seconds kWindow{1};
  static constexpr std::chrono::seconds kLongAgo{3};

  int Decide(double used, double waited, const std::map<int, double>& idle);

  std::mt19937 random_;
  int core_ = kAnywhere;
  Sample last_;
  std::chrono::steady_clock::time_point asked_at_{};
  Seconds used_then_{0};
};

}  // namespace hubbub::program
