#!/usr/bin/env bash
# The first process of a cluster, in namespaces of its own: run.sh starts it. It brings all up, runs what there is to run, and ends,
# and whatever it started ends with it: world.sh CONTEXT OVERLAY GROUP KEEP EVENT…
# In the environment: world, programs, dns_age; before_folder, if there is a version before this one: see ./dev cluster.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
root=$(readlink -f "$here/../..")
for part in lib network certificates control images store dns; do . "$here/$part.sh"; done
context=$1 overlay=$2 group=$3 keep=$4
shift 4

kubectl() { "$programs/kubectl" --kubeconfig="$world/certificates/admin.kubeconfig" "$@"; }

start_node() { launch "$1" at "$1" unshare --mount --uts --propagation private "$here/node.sh" "$1" "/$group/$1"; }

# Ends by a signal as soon as it comes, and not after the program that runs just now.
in_turn() {
  "$@" &
  wait $!
}

# The manifests of the version before: its own of the same overlay, with the image that images.sh has made.
make_before() {
  local theirs=$before_folder/source/${overlay#"$root"/}
  [ -f "$theirs/kustomization.yaml" ] || fail "the version before has no overlay ${overlay#"$root"/}"
  kubectl kustomize "$theirs" | sed 's/^\( *image: hubbub\)[^ ]*$/\1:before/' >"$world/before.yaml"
}

# What a failure can be understood by.
tell() {
  local code=$?
  [ $code -ne 0 ] && [ $code -ne 130 ] || return 0
  say "what there is"
  kubectl get nodes,pods --request-timeout=10s --all-namespaces --output wide || true
  kubectl get events --request-timeout=10s --all-namespaces --sort-by=.lastTimestamp | tail -n 15 || true
  tail -n 2 "$world"/logs/node?.log
  say "the logs of all programs are in $world/logs until the next run"
}

trap 'exit 130' INT TERM HUP
trap tell EXIT
mkdir -p "$world/logs" "$world/pids"
mount -t tmpfs tmpfs /run
make_network
make_certificates
say "the images"
make_images "$context" "$overlay"
say "a control plane and ${#nodes[@]} nodes"
start_control_plane
for node in "${nodes[@]}"; do start_node "$node"; done
start_store
start_dns "$dns_age"
for node in "${nodes[@]}"; do
  await 120 "$node to join" kubectl get node "$node"
  # What a cloud would say of its machines.
  kubectl label node "$node" topology.kubernetes.io/zone="zone-$node" >/dev/null
done
await 120 "the nodes to be ready" kubectl wait nodes --all --for=condition=Ready --timeout=1s
say "the suite of $overlay"
kubectl create namespace hubbub --dry-run=client --output yaml | kubectl apply -f - >/dev/null
make_store_secret
kubectl apply -f "$here/volume.yaml" >/dev/null
kubectl apply -k "$overlay" >"$world/logs/apply.log" 2>&1 || { cat "$world/logs/apply.log"; fail "the overlay cannot be applied: see above"; }
if grep -i warning "$world/logs/apply.log"; then fail "the API server warns of the overlay: see above"; fi
for kind in deployment/hubbub-gate statefulset/hubbub-connector statefulset/hubbub-chat; do
  in_turn kubectl rollout status "$kind" --timeout=180s >/dev/null || fail "$kind does not become ready"
done
kubectl get pods --output wide
code=0
if [ $# -gt 0 ]; then
  export KUBECTL=$programs/kubectl KUBECONFIG=$world/certificates/admin.kubeconfig overlay
  [ -z "${before_folder:-}" ] || make_before
  in_turn node "$here/main.mjs" "$@" || code=$?
fi
if [ "$keep" = yes ]; then
  say "the cluster stays until Ctrl-C. In another shell: tests/cluster/kubectl.sh get pods"
  in_turn sleep infinity
fi
exit "$code"
