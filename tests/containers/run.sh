#!/usr/bin/env bash
# Runs the suite of deploy/compose.yaml as containers, and containers.test.mjs against it: run.sh IMAGE_CONTEXT PODMAN_COMPOSE
#
# All of it happens in namespaces of its own, with storage of its own in build/containers: the ports and names of the compose
# file may be in use on this machine, no packet leaves it, and what is started here ends with this script, however it ends.
# The database's image is made here, of this machine's PostgreSQL.
# Exit code 77: this machine cannot run containers at all; a line says what it refused.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

fail() { printf 'containers: %s\n' "$*" >&2; exit 1; }
try() { # need command…
  local said
  said=$("${@:2}" 2>&1) || { printf 'containers: they need %s, which this machine refuses: %s\n' "$1" "${said:-no reason given}" >&2; exit 77; }
}
make_group() { mkdir "$1" && rmdir "$1"; }

outside() { # context compose
  [ "$(id -u)" -eq 0 ] || fail "only root can make bridges and control groups; run this as root"
  try "namespaces of processes, mounts and networks" unshare --net --mount --pid --fork --mount-proc true
  try "a bridge" unshare --net ip link add name bridge0 type bridge
  try "virtual Ethernet" unshare --net ip link add name veth0 type veth peer name veth1
  try "address translation" unshare --net iptables --table nat --list
  local group=/sys/fs/cgroup
  [ ! -d "$group/freezer" ] || group=$group/freezer
  try "control groups that can be made and removed" make_group "$group/hubbub-test-$$"

  world=$PWD/build/containers
  rm -rf "$world"
  mkdir -p "$world/storage" "$world/networks"
  trap 'rm -rf "$world"' EXIT
  tests/containers/postgres/context.sh "$world/postgres"
  deploy/containers_conf.sh >"$world/containers.conf"
  echo "network_config_dir = \"$world/networks\"" >>"$world/containers.conf"
  # Its own first process cleans up: it is told when this script is interrupted, and hears of it when this script is killed.
  setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child=TERM --mount-proc \
    "$PWD/tests/containers/run.sh" --inside "$world" "$@" &
  local child=$! code=0
  trap 'pkill -TERM --parent "$child" || true' INT TERM HUP
  while kill -0 "$child" 2>/dev/null; do
    code=0
    wait "$child" || code=$?
  done
  exit "$code"
}

inside() { # world context compose
  # Whatever podman shares between its calls lies here.
  mkdir -p /var/lib/containers
  mount --bind "$1/storage" /var/lib/containers
  mount -t tmpfs tmpfs /run
  mount -t tmpfs tmpfs /dev/shm
  export CONTAINERS_CONF=$1/containers.conf
  ip link set lo up

  # A paused container cannot be ended, not even with the namespace that it is in. What podman cannot remove ends with that.
  trap 'podman unpause --all >/dev/null 2>&1 || true; podman rm --all --force --time 0 >/dev/null 2>&1 || true' EXIT
  trap 'exit 130' INT TERM HUP
  podman build --quiet --tag hubbub:latest "$2" >/dev/null
  podman images --format 'the image has {{.Size}}' hubbub:latest
  # The name that the compose file asks for: what is here already is not pulled.
  podman build --quiet --tag postgres:15 "$1/postgres" >/dev/null
  "$3" --file deploy/compose.yaml up --detach >"$1/up.log" 2>&1 || { cat "$1/up.log"; fail "the compose file's suite did not start"; }
  # In the background, so that a signal is heard meanwhile.
  PODMAN_COMPOSE=$3 node --test tests/containers/containers.test.mjs &
  wait $! && return
  local name
  for name in $(podman ps --all --format '{{.Names}}'); do
    printf '== the last of what %s said\n' "$name"
    podman logs --tail 20 "$name" 2>&1
  done
  return 1
}

if [ "$1" = --inside ]; then inside "${@:2}"; else outside "$(realpath "$1")" "$(realpath -s "$2")"; fi
