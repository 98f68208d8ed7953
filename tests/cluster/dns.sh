# CoreDNS, whose answers may be some seconds old: kubeadm's settings with `dns_age` 0, NodeLocal DNSCache's with 30.
# shellcheck shell=bash

start_dns() { # seconds
  local cache=''
  [ "$1" -gt 0 ] || cache=$'disable success cluster.local\n        disable denial cluster.local'
  local text
  text=$(<"$here/dns.yaml")
  text=${text//DNS_ADDRESS/$dns_service}
  text=${text//DNS_TTL/30}
  text=${text//DNS_CACHE/$cache}
  kubectl apply -f - <<<"$text" >/dev/null
}
