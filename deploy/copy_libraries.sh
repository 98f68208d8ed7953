#!/bin/sh
# Copies the shared libraries that programs load to where they stand below another root: copy_libraries.sh OUT PROGRAM…
set -eu
out=$1
shift
for program in "$@"; do ldd "$program"; done |
  sed -n 's/.*not found.*/MISSING &/p; s/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (0x.*/\1/p' | sort -u |
  while read -r library rest; do
    [ "$library" != MISSING ] || { echo "copy_libraries.sh: $rest" >&2; exit 1; }
    # As files under the names that the loader asks for: no links, no package's other files.
    mkdir -p "$out${library%/*}"
    cp -L "$library" "$out$library"
  done
