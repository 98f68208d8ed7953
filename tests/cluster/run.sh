#!/usr/bin/env bash
# Brings up a Kubernetes cluster with the suite in it, and lets things happen to it: see --help. Its image is made from build/image, and its
# programs are in .cache/cluster; ./dev cluster makes both.
#
# All of it happens in namespaces of processes, mounts and networks of its own: no port or name of this machine is in the way, no
# packet leaves it, and what is started here ends with this script, however it ends. Control groups and a few settings of the
# kernel have no namespace; this script puts them back.
# Exit code 77: this machine cannot run a cluster; a line says what it refuses.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cd "$here/../.."

usage() {
  cat <<END
usage: ./dev cluster [EVENT…] [--keep] [--overlay FOLDER] [--dns-age SECONDS]

Brings up a Kubernetes cluster of two nodes with the suite in it. While people chat and others arrive, the events happen one after the
other. A checker proves from what every client saw that nothing was lost, doubled or reordered, that all lists of members are
true, and that everybody who came got in. The results are printed, and written to build/cluster/result.json.

  EVENT          one or more of these names, and of the groups at their end; without a name, all:
$(node "$here/main.mjs" --names | fold --spaces --width=100 | sed 's/^/                 /')
  --keep         leave the cluster to be used by kubectl, until Ctrl-C; without a name of an event, none happens
  --overlay F    what is applied; default tests/cluster/overlay, the production overlay with its database outside the cluster.
                 deploy/kubernetes/overlays/one-node has its chat servers on one node
  --dns-age S    how old the answers of the cluster's DNS may be: 0, as kubeadm sets CoreDNS up, or 30, as caches on the nodes
                 make it; default 0
  --list         print which events that would be, and do nothing

The event 'upgrade' goes from the version before to this one. HUBBUB_BEFORE=REVISION in the environment names that version, a revision of git;
without it the newest tag before this commit is meant. Where there is none, all other events happen.
END
}
fail() { printf 'cluster: %s\n' "$*" >&2; exit 1; }

events=() keep=no list=no overlay=tests/cluster/overlay
dns_age=0
while [ $# -gt 0 ]; do
  case $1 in
    --help) usage; exit ;;
    --keep) keep=yes; shift ;;
    --list) list=yes; shift ;;
    --overlay) overlay=${2:?--overlay needs a folder}; shift 2 ;;
    --dns-age) dns_age=${2:?--dns-age needs seconds}; shift 2 ;;
    -*) fail "unknown option $1: see ./dev cluster --help" ;;
    *) events+=("$1"); shift ;;
  esac
done
[[ $dns_age =~ ^(0|30)$ ]] || fail "--dns-age is '$dns_age': it must be 0 or 30"
[ -f "$overlay/kustomization.yaml" ] || fail "$overlay has no kustomization.yaml: --overlay needs the folder of an overlay"
[ ${#events[@]} -gt 0 ] || [ $keep = yes ] || events=(all)
names=$(node "$here/main.mjs" --list "${events[@]}") || exit 1
[ $list = no ] || { printf '%s\n' "$names"; exit; }
overlay=$(realpath "$overlay")
context=$PWD/build/image
programs=$(realpath .cache/cluster)
world=$PWD/build/cluster
export world programs dns_age

try() { # need command…
  local said
  said=$("${@:2}" 2>&1) || { printf 'cluster: it needs %s, which this machine refuses: %s\n' "$1" "${said:-no reason given}" >&2; exit 77; }
}

[ "$(id -u)" -eq 0 ] || fail "only root can make namespaces and control groups; run this as root"
mkdir -p build
exec 9>build/cluster.lock
flock --nonblock 9 || fail "a cluster of this checkout runs already: end it first"

# The roots of the control groups: one with version 2, one for each controller with version 1.
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  roots=(/sys/fs/cgroup)
else
  roots=()
  for one in /sys/fs/cgroup/*/; do [ "$one" = /sys/fs/cgroup/unified/ ] || [ ! -f "$one/cgroup.procs" ] || roots+=("${one%/}"); done
fi
# Beside version 1, runc makes groups of version 2 too, without a controller.
all_roots=("${roots[@]}")
[ ! -d /sys/fs/cgroup/unified ] || all_roots+=(/sys/fs/cgroup/unified)
group=hubbub-cluster-$$

make_groups() {
  local one node file
  for one in "${roots[@]}"; do
    [ ! -f "$one/cgroup.controllers" ] || for file in $(<"$one/cgroup.controllers"); do echo "+$file" >"$one/cgroup.subtree_control" || return; done
    for node in '' /node1 /node2; do
      mkdir "$one/$group$node" || return
      if [ -f "$one/cgroup.controllers" ]; then
        for file in $(<"$one/cgroup.controllers"); do echo "+$file" >"$one/$group$node/cgroup.subtree_control" || return; done
      elif [ -f "$one/cpuset.cpus" ]; then
        # With version 1 a group of processors is empty until it is told, and takes no process.
        for file in cpuset.cpus cpuset.mems; do cat "$one/$file" >"$one/$group$node/$file" || return; done
      fi
    done
  done
}
remove_groups() { # Processes that were killed just now may still be on their way out.
  local end=$((SECONDS + 20)) one left
  while :; do
    left=''
    for one in "${all_roots[@]}"; do
      [ ! -d "$one/$group" ] || find "$one/$group" -depth -type d -exec rmdir {} + 2>/dev/null || left=$one/$group
    done
    [ -n "$left" ] || return 0
    [ "$SECONDS" -lt "$end" ] || { printf 'cluster: the control group %s cannot be removed\n' "$left" >&2; return 1; }
    sleep 0.2
  done
}
# What a kubelet and kube-proxy set that has no namespace.
settings=(vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes)
declare -A before
remember_settings() { local one; for one in "${settings[@]}"; do before[$one]=$(<"/proc/sys/$one"); done; }
restore_settings() {
  local one
  for one in "${settings[@]}"; do [ "$(<"/proc/sys/$one")" = "${before[$one]}" ] || echo "${before[$one]}" >"/proc/sys/$one"; done
}

# The kernel ends what is in a PID namespace with its first process; here it is seen.
nothing_left() { # namespace of the processes, namespace of the networks
  local one code=0
  for one in /proc/[0-9]*; do
    case $(readlink "$one/ns/pid" "$one/ns/net") in
      *"${1:-none}"* | *"${2:-none}"*) printf 'cluster: process %s is left: %s\n' "${one#/proc/}" "$(tr '\0' ' ' <"$one/cmdline")" >&2; code=1 ;;
    esac
  done
  if grep -F " $world" /proc/self/mountinfo; then printf 'cluster: these mounts are left\n' >&2; code=1; fi
  for one in "${all_roots[@]}"; do
    [ ! -d "$one/$group" ] || { printf 'cluster: the control group %s is left\n' "$one/$group" >&2; code=1; }
  done
  for one in "${settings[@]}"; do
    [ "$(<"/proc/sys/$one")" = "${before[$one]}" ] || { printf 'cluster: the setting %s is %s and was %s\n' "$one" "$(<"/proc/sys/$one")" "${before[$one]}" >&2; code=1; }
  done
  return $code
}

try "namespaces of processes, mounts, names and networks" unshare --net --mount --pid --uts --fork --mount-proc true
try "a bridge" unshare --net ip link add name bridge0 type bridge
try "virtual Ethernet" unshare --net ip link add name veth0 type veth peer name veth1
try "address translation" unshare --net iptables --table nat --list
try "a tmpfs" unshare --mount mount -t tmpfs tmpfs /run
remember_settings
trap 'remove_groups' EXIT
try "control groups that can be made" make_groups

rm -rf "$world"
mkdir -p "$world"
# The first process inside hears of it when this script is interrupted or killed, and ends with all that it has started.
setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child=TERM --mount-proc \
  "$here/world.sh" "$context" "$overlay" "$group" "$keep" "${events[@]}" 9>&- &
child=$!
trap 'pkill -TERM --parent "$child" || true' INT TERM HUP
# Its first process, for kubectl.sh and for the last look.
first=''
until first=$(pgrep --parent "$child") || ! kill -0 "$child" 2>/dev/null; do sleep 0.05; done
echo "$first" >"$world/pid"
spaces=("$(readlink "/proc/$first/ns/pid" || true)" "$(readlink "/proc/$first/ns/net" || true)")
code=0
while kill -0 "$child" 2>/dev/null; do
  code=0
  wait "$child" || code=$?
done
restore_settings
remove_groups || code=1
trap - EXIT
nothing_left "${spaces[@]}" || code=1
# The logs stay, to be read.
find "$world" -mindepth 1 -maxdepth 1 ! -name logs ! -name '*.json' -exec rm -rf {} +
exit "$code"
