#!/usr/bin/env bash
# Builds the programs of Kubernetes, CoreDNS and kube-router that are not there yet, from the Go module proxy: programs.sh OUT
# The go.mod and go.sum files beside this say which, down to the last byte. From nothing it takes 15 minutes on two processors, and 2 GB in
# Go's caches.
# Exit code 77: this machine cannot; a line says why.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
out=$(realpath -m "$1")
mkdir -p "$out"
export CGO_ENABLED=0 GOFLAGS='-mod=readonly -buildvcs=false -trimpath' GOTOOLCHAIN=local

build() { # module program package [linker's flags]
  local stamp=$out/.$2
  # Another version is another program.
  cmp --silent "$here/programs/$1/go.mod" "$stamp" && [ -x "$out/$2" ] && return
  command -v go >/dev/null || { echo "programs.sh: Go 1.24 or newer is needed to build Kubernetes, and there is no Go" >&2; exit 77; }
  [ "$(printf '%s\n' go1.24 "$(go env GOVERSION)" | sort -V | head -n 1)" = go1.24 ] ||
    { echo "programs.sh: Go 1.24 or newer is needed to build Kubernetes; this one is $(go env GOVERSION)" >&2; exit 77; }
  printf '== building %s\n' "$2"
  (cd "$here/programs/$1" && go build -ldflags "-s -w ${4:-}" -o "$out/$2" "$3") ||
    { echo "programs.sh: $2 could not be built: see above" >&2; exit 77; }
  cp "$here/programs/$1/go.mod" "$stamp"
}

version=$(sed -n 's/^require k8s.io\/kubernetes v//p' "$here/programs/kubernetes/go.mod")
minor=${version#*.}
# Built from its repository, Kubernetes would know its version by itself.
numbers="-X k8s.io/component-base/version.gitVersion=v$version -X k8s.io/component-base/version.gitMajor=${version%%.*}"
numbers+=" -X k8s.io/component-base/version.gitMinor=${minor%%.*}"
for program in kubectl kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy; do
  build kubernetes "$program" "k8s.io/kubernetes/cmd/$program" "$numbers"
done
build coredns coredns .
build kube-router kube-router github.com/cloudnativelabs/kube-router/v2/cmd/kube-router
