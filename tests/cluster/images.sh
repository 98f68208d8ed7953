# The images that the pods run, in one archive that each node's containerd takes.
# shellcheck shell=bash

make_images() { # context of the image of the suite, overlay
  mkdir -p "$world/podman" "$world/images/pause" "$world/images/coredns" /var/lib/containers
  mount --bind "$world/podman" /var/lib/containers
  "$root/deploy/containers_conf.sh" >"$world/containers.conf"
  export CONTAINERS_CONF=$world/containers.conf
  cc -O2 -static -o "$world/images/pause/pause" "$here/images/pause.c"
  printf 'FROM scratch\nCOPY pause /\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n' >"$world/images/pause/Dockerfile"
  ln "$programs/coredns" "$world/images/coredns/" 2>/dev/null || cp "$programs/coredns" "$world/images/coredns/"
  printf 'FROM scratch\nCOPY coredns /\nENTRYPOINT ["/coredns"]\n' >"$world/images/coredns/Dockerfile"
  local names=(localhost/pause:cluster localhost/coredns:cluster) name
  podman build --quiet --tag "${names[0]}" "$world/images/pause" >/dev/null
  podman build --quiet --tag "${names[1]}" "$world/images/coredns" >/dev/null
  podman build --quiet --tag localhost/hubbub "$1" >/dev/null
  # A kubelet looks for a name without a registry at the registry that is Docker's.
  while read -r name; do
    names+=("docker.io/library/$name")
    podman tag localhost/hubbub "docker.io/library/$name"
  done < <(kubectl kustomize "$2" | sed -n 's/^ *image: \(hubbub[^ ]*\)$/\1/p' | sort -u)
  if [ -n "${before_folder:-}" ]; then
    names+=(docker.io/library/hubbub:before)
    podman build --quiet --tag "${names[-1]}" "$before_folder/image" >/dev/null
  fi
  podman save --quiet --format docker-archive --multi-image-archive --output "$world/images.tar" "${names[@]}"
}
