#!/usr/bin/env bash
# One node: containerd, kubelet and kube-proxy. world.sh runs it in namespaces of the node's own: node.sh NODE GROUP, with the
# control group, below each controller's root, that its pods are in.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/lib.sh"
node=$1
keys=$world/certificates
state=$world/$node

hostname "$node"
# What the programs of a node take for granted is this node's own.
mkdir -p "$state"/{containerd,kubelet,log} /var/lib/containerd /var/lib/kubelet
for folder in containerd kubelet; do mount --bind "$state/$folder" "/var/lib/$folder"; done
mount --bind "$state/log" /var/log
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/hubbub
mount --make-rshared /

mkdir -p "$state/cni"
cat >"$state/cni/pods.conflist" <<END
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local", "dataDir": "/run/cni", "subnet": "$(node_pods "$node")",
   "routes": [{"dst": "0.0.0.0/0"}]}}]}
END
# Where a container has this machine, root may neither protect a process from the kernel's killer nor load AppArmor profiles.
cat >"$state/containerd.toml" <<END
version = 2
oom_score = 0
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:cluster"
  restrict_oom_score_adj = true
  disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "$state/cni"
END
launch "$node-containerd" containerd --config "$state/containerd.toml"
await 30 "containerd of $node" ctr version
ctr --namespace k8s.io images import "$world/images.tar" >>"$world/logs/$node-images.log" 2>&1 ||
  fail "containerd of $node does not take the images: see $world/logs/$node-images.log"

echo "nameserver $dns_service" >"$state/resolv.conf"
cat >"$state/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
authentication: {anonymous: {enabled: false}, x509: {clientCAFile: $keys/ca.crt}}
tlsCertFile: $keys/$node.crt
tlsPrivateKeyFile: $keys/$node.key
clusterDomain: cluster.local
clusterDNS: [$dns_service]
resolvConf: $state/resolv.conf
cgroupDriver: cgroupfs
cgroupRoot: $2
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
nodeStatusUpdateFrequency: 5s
# The disk is the machine's, which may be fuller than Kubernetes likes.
evictionHard: {memory.available: 100Mi}
imageGCHighThresholdPercent: 100
END
launch "$node-kubelet" "$programs/kubelet" --config="$state/kubelet.yaml" --kubeconfig="$keys/$node.kubeconfig" \
  --hostname-override="$node" --node-ip="$(node_address "$node")" --cert-dir="$state/pki"
# The limits of conntrack are the machine's.
launch "$node-proxy" "$programs/kube-proxy" --kubeconfig="$keys/proxy.kubeconfig" --hostname-override="$node" --proxy-mode=iptables \
  --cluster-cidr="$pod_range" --conntrack-max-per-core=0 --conntrack-min=0 \
  --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0
# Its firewall alone, which enforces NetworkPolicies. It ends where the API server does not know the node yet.
await 120 "the API server to know $node" "$programs/kubectl" --kubeconfig="$keys/$node.kubeconfig" get node "$node"
NODE_NAME=$node launch "$node-firewall" "$programs/kube-router" --kubeconfig="$keys/firewall.kubeconfig" --hostname-override="$node" \
  --run-firewall=true --run-router=false --run-service-proxy=false --run-loadbalancer=false --health-port=0 --metrics-port=0 \
  --service-cluster-ip-range="$service_range" --service-node-port-range=30000-32767
wait
