# The control plane, on a machine of its own.
# shellcheck shell=bash

start_control_plane() {
  local keys=$world/certificates
  # Nothing here outlives the test, so nothing waits for the disk.
  launch etcd at control etcd --data-dir="$world/etcd" --unsafe-no-fsync --name=control --initial-cluster=control=http://127.0.0.1:2380 \
    --initial-advertise-peer-urls=http://127.0.0.1:2380 --listen-peer-urls=http://127.0.0.1:2380 \
    --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379
  launch apiserver at control "$programs/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 \
    --advertise-address="$control_address" --secure-port=6443 --service-cluster-ip-range="$service_range" \
    --tls-cert-file="$keys/apiserver.crt" --tls-private-key-file="$keys/apiserver.key" --client-ca-file="$keys/ca.crt" \
    --kubelet-certificate-authority="$keys/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --kubelet-client-certificate="$keys/kubelet-client.crt" --kubelet-client-key="$keys/kubelet-client.key" \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file="$keys/accounts.pub" --service-account-signing-key-file="$keys/accounts.key" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true
  await 120 "the API server" kubectl get --raw /readyz
  # A node that is silent for 20 seconds is NotReady; the default of 50 would make the test longer and nothing else.
  launch controller-manager at control "$programs/kube-controller-manager" --leader-elect=false --bind-address=127.0.0.1 \
    --kubeconfig="$keys/controller-manager.kubeconfig" --use-service-account-credentials \
    --service-account-private-key-file="$keys/accounts.key" --root-ca-file="$keys/ca.crt" \
    --cluster-cidr="$pod_range" --allocate-node-cidrs=false --node-monitor-grace-period=20s
  launch scheduler at control "$programs/kube-scheduler" --leader-elect=false --bind-address=127.0.0.1 \
    --kubeconfig="$keys/scheduler.kubeconfig"
}
