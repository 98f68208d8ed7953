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
  ldd "$build/$program"
done | sed -n 's/.*not found.*/MISSING &/p; s/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (0x.*/\1/p' | sort -u |
  while read -r library rest; do
    [ "$library" != MISSING ] || { echo "image_root.sh: $rest" >&2; exit 1; }
    # As files under the names that the loader asks for: no links, no package's other files.
    mkdir -p "$out${library%/*}"
    cp -L "$library" "$out$library"
  done
printf 'hubbub:x:65532:65532:hubbub:/:/usr/sbin/nologin\n' >"$out/etc/passwd"
printf 'hubbub:x:65532:\n' >"$out/etc/group"
printf 'hosts: files dns\n' >"$out/etc/nsswitch.conf"
