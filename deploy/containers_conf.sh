#!/usr/bin/env bash
# Prints a containers.conf for podman and buildah on a machine without systemd, be it a container or a bare virtual machine:
# what Debian's packages take for granted is not there.
set -euo pipefail
least() { if [ "$1" = unlimited ] || [ "$1" -gt "$2" ]; then echo "$2"; else echo "$1"; fi; }
# Root without CAP_SYS_RESOURCE cannot raise a limit, and podman would otherwise try. It takes no more processes than there
# are numbers for.
files=$(least "$(ulimit -Hn)" 1048576)
processes=$(least "$(ulimit -Hu)" "$(cat /proc/sys/kernel/pid_max)")
# runc, because crun refuses control groups of both versions at once, and no more of podman's pieces than need be.
cat <<END
[containers]
default_ulimits = ["nofile=$files:$files", "nproc=$processes:$processes"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
END
