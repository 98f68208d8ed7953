# The cluster's certificate authority, the certificates that it signs, and a kubeconfig for each of those who call the API server.
# shellcheck shell=bash

sign() { # file subject [names]
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout "$1.key" -subj "$2" 2>/dev/null |
    openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out "$1.crt" \
      -extfile <(printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n%s\n' "${3:+subjectAltName=$3}") 2>/dev/null
}

kubeconfig() { # file subject [names]
  sign "$@"
  cat >"$1.kubeconfig" <<END
apiVersion: v1
kind: Config
clusters:
  - name: test
    cluster: {server: "https://$control_address:6443", certificate-authority: $PWD/ca.crt}
users:
  - name: $1
    user: {client-certificate: $PWD/$1.crt, client-key: $PWD/$1.key}
contexts:
  - name: test
    context: {cluster: test, user: $1, namespace: hubbub}
current-context: test
END
}

make_certificates() (
  mkdir "$world/certificates"
  cd "$world/certificates"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout ca.key -out ca.crt -days 30 -subj /CN=test-ca \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
  # What service account tokens are signed with.
  openssl genrsa -out accounts.key 2048 2>/dev/null
  openssl rsa -in accounts.key -pubout -out accounts.pub 2>/dev/null
  sign apiserver /CN=kube-apiserver \
    "IP:$control_address,IP:$api_service,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  sign kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client
  sign store /CN=store "IP:$store_address"
  kubeconfig admin /O=system:masters/CN=admin
  kubeconfig controller-manager /CN=system:kube-controller-manager
  kubeconfig scheduler /CN=system:kube-scheduler
  kubeconfig proxy /CN=system:kube-proxy
  kubeconfig firewall /O=system:masters/CN=firewall
  local node
  for node in "${nodes[@]}"; do
    kubeconfig "$node" "/O=system:nodes/CN=system:node:$node" "DNS:$node,IP:$(node_address "$node")"
  done
)
