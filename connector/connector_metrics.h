#pragma once

#include "connector/connector.h"
#include "services/metrics/metrics.h"

namespace hubbub::connector {

// Shows Prometheus what a connector does; deploy/README.md lists the names. `connector` must live until
// nobody scrapes any more. `max_connections`: how many clients it takes.
void AddConnectorMetrics(metrics::Metrics& metrics, const Connector& connector, int max_connections);

}  // namespace hubbub::connector
