#!/usr/bin/env bash
# kubectl for the cluster that `./dev cluster --keep` has left: kubectl.sh get pods. `kubectl.sh --shell` is a shell outside the cluster, on
# the network that its nodes are on, where all of kubectl's and the nodes' ports are to be had.
set -euo pipefail
root=$(dirname "$(readlink -f "$0")")/../..
world=$(realpath "$root/build/cluster")
[ -r "$world/pid" ] || { echo "kubectl.sh: no cluster of this checkout runs: ./dev cluster --keep makes one" >&2; exit 1; }
first=$(<"$world/pid")
export KUBECONFIG=$world/certificates/admin.kubeconfig PATH=$(realpath "$root/.cache/cluster"):$PATH
[ "${1:-}" != --shell ] || set -- -c 'exec "$SHELL"'
if [ "${1:-}" = -c ]; then exec nsenter --target "$first" --net --mount --pid --wd="$PWD" "${SHELL:-bash}" "$@"; fi
exec nsenter --target "$first" --net --mount --wd="$PWD" kubectl "$@"
