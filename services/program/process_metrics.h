#pragma once

#include "services/directory/directory.h"
#include "services/metrics/metrics.h"

namespace hubbub::program {

// What every program tells: which server it is, the servers that it knows, and its process's memory, time and
// open files under the names that Prometheus' own libraries give them. `directory` must live until nobody
// scrapes any more.
void AddProcessMetrics(metrics::Metrics& metrics, const directory::ServerInfo& self,
                       const directory::Directory& directory);

}  // namespace hubbub::program
