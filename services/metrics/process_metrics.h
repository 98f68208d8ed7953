#pragma once

#include "services/directory.h"
#include "services/metrics/metrics.h"

namespace hubbub {

// What every program tells: which server it is, the servers that it knows, and its process's memory, time and
// open files under the names that Prometheus' own libraries give them. `directory` must live until nobody
// scrapes any more.
void AddProcessMetrics(Metrics& metrics, const ServerInfo& self, const Directory& directory);

}  // namespace hubbub
