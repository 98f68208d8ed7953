#pragma once

#include <sched.h>

#include <memory>

#include "services/program/home_core.h"

namespace hubbub::program {

// Keeps this process's threads on the core that HomeCore chooses, of those that it might use when this was
// made. Made and owned by main, once all threads are there that share the work; Tick is main's. Where the
// system does not tell what it needs to know (/proc, sched_setaffinity), threads run anywhere.
class ThreadHome {
 public:
  ThreadHome();
  // Several times a second.
  void Tick();

 private:
  HomeCore::Sample Look() const;
  // Has all threads run where home_ says.
  void Apply();

  cpu_set_t allowed_;
  HomeCore home_;
};

}  // namespace hubbub::program
