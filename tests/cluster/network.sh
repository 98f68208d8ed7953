# The machines of the cluster, as network namespaces around one bridge, without a way out: the control plane, the nodes, and the
# machine of the database. The bridge's own namespace is the world outside: it reaches the machines, and no pod.
# shellcheck shell=bash

make_machine() { # name address
  ip netns add "$1"
  ip link add "$1" type veth peer name eth0 netns "$1"
  ip link set "$1" master fabric up
  at "$1" ip link set lo up
  at "$1" ip address add "$2/24" dev eth0
  at "$1" ip link set eth0 up
  at "$1" ip route add default via 10.77.0.1
}

make_network() {
  mkdir -p /run/netns
  ip link set lo up
  ip link add fabric type bridge
  ip address add 10.77.0.1/24 dev fabric
  ip link set fabric up
  make_machine control "$control_address"
  make_machine store "$store_address"
  local node machine
  for node in "${nodes[@]}"; do
    make_machine "$node" "$(node_address "$node")"
    at "$node" sysctl -qw net.ipv4.ip_forward=1
  done
  # Pods are reached by way of their node.
  for machine in control store "${nodes[@]}"; do
    for node in "${nodes[@]}"; do
      [ "$machine" = "$node" ] || at "$machine" ip route add "$(node_pods "$node")" via "$(node_address "$node")"
    done
  done
}
