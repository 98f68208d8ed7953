#!/bin/sh
# Gathers what the Dockerfile beside it copies, from Debian's package postgresql-15 of this machine: context.sh OUT
set -eu
here=$(dirname "$(readlink -f "$0")")
out=$1
bin=/usr/lib/postgresql/15/bin
[ -x "$bin/postgres" ] || { echo "context.sh: $bin/postgres is missing; install postgresql-15" >&2; exit 1; }
rm -rf "$out"
mkdir -p "$out/data" "$out/root/bin" "$out/root/etc" "$out/root/tmp" "$out/root/var/run/postgresql" "$out/root$bin" \
  "$out/root/usr/lib/postgresql/15/lib" "$out/root/usr/share/postgresql" "$out/root/usr/share/zoneinfo"
# A tmpfs of podman's has the rights of what is below it.
chmod 1777 "$out/root/var/run/postgresql" "$out/root/tmp"
cp "$here/Dockerfile" "$out"
cp "$here/entrypoint.sh" "$out/root"
cp -L /bin/sh "$out/root/bin/sh"
cp "$bin/postgres" "$bin/initdb" "$bin/pg_isready" "$out/root$bin"
cp -L /usr/share/zoneinfo/UTC "$out/root/usr/share/zoneinfo"
cp -RL /usr/share/postgresql/15 "$out/root/usr/share/postgresql"
# Without the compiler for queries, which is larger than all the rest.
find /usr/lib/postgresql/15/lib -maxdepth 1 -name '*.so' ! -name 'llvm*' -exec cp {} "$out/root/usr/lib/postgresql/15/lib" \;
"$here/../../../deploy/copy_libraries.sh" "$out/root" /bin/sh "$bin/postgres" "$bin/initdb" "$bin/pg_isready"
printf 'root:x:0:0:root:/:/bin/sh\npostgres:x:999:999:postgres:/:/bin/sh\n' >"$out/root/etc/passwd"
printf 'root:x:0:\npostgres:x:999:\n' >"$out/root/etc/group"
