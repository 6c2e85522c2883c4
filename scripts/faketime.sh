#!/bin/sh
# Installs the library that sets the clock of one process (tests/it/owners.rs, tests/it/day.rs), from Debian, as root or by sudo, unless
# it is there already, and prints its path. Whoever runs the tests by hand then says
#
#   HOOKGLOT_FAKETIME=$(sh scripts/faketime.sh) cargo test
set -eu

library() {
    for file in /usr/lib/*/faketime/libfaketimeMT.so.1; do
        if [ -e "$file" ]; then
            echo "$file"
            return 0
        fi
    done
    return 1
}
if library; then
    exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    as_root="sudo -n"
fi
if ! command -v apt-get >/dev/null || ! $as_root true 2>/dev/null; then
    echo "please install: libfaketime" >&2
    exit 1
fi
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends libfaketime >&2
library || { echo "libfaketime has no libfaketimeMT.so.1 below /usr/lib" >&2; exit 1; }
