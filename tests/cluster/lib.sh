# Names, addresses and helpers of the scripts in this folder, which have $world, the folder for all that a cluster writes, and
# $programs, the folder of Kubernetes' programs.
# shellcheck shell=bash disable=SC2034

nodes=(node1 node2)
control_address=10.77.0.10
store_address=10.77.0.20
service_range=10.96.0.0/16
api_service=10.96.0.1
dns_service=10.96.0.10
pod_range=10.244.0.0/16
node_address() { echo "10.77.0.10${1#node}"; }
node_pods() { echo "10.244.${1#node}.0/24"; }

say() { printf '\033[1m== %s\033[0m\n' "$*"; }
fail() { printf 'cluster: %s\n' "$*" >&2; exit 1; }

# Runs something in the network of a machine of the cluster. `ip netns exec` would hide the control groups.
at() { nsenter --net="/run/netns/$1" "${@:2}"; }

# Starts a program in the background: launch NAME COMMAND… Its log and its process id are kept under that name.
launch() {
  "${@:2}" >>"$world/logs/$1.log" 2>&1 &
  echo $! >"$world/pids/$1"
}

# Tries a command until it succeeds: await SECONDS WHAT COMMAND…
await() {
  local end=$((SECONDS + $1)) said=''
  until said=$("${@:3}" 2>&1); do
    [ "$SECONDS" -lt "$end" ] || fail "waited $1 seconds in vain for $2: $said"
    sleep 0.1
  done
}
