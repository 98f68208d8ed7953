#!/bin/sh
# Gathers the image's whole file system: image_root.sh BUILD_FOLDER OUT
# The three programs, the shared libraries that they load and no others, and the few files that libc reads.
set -eu
build=$1
out=$2
rm -rf "$out"
mkdir -p "$out/usr/bin" "$out/etc"
for program in gateway/hubbub-gate connector/hubbub-connector chat/hubbub-chat; do
  [ -x "$build/$program" ] || { echo "image_root.sh: $build/$program is missing; build it first" >&2; exit 1; }
  strip -o "$out/usr/bin/${program#*/}" "$build/$program"
done
"${0%/*}/copy_libraries.sh" "$out" "$build/gateway/hubbub-gate" "$build/connector/hubbub-connector" "$build/chat/hubbub-chat"
printf 'hubbub:x:65532:65532:hubbub:/:/usr/sbin/nologin\n' >"$out/etc/passwd"
printf 'hubbub:x:65532:\n' >"$out/etc/group"
printf 'hosts: files dns\n' >"$out/etc/nsswitch.conf"
