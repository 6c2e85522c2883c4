#!/bin/sh
# Builds the static binary of the image and of the Debian package, and prints where it is:
#
#   sh scripts/static-binary.sh            for this machine
#   sh scripts/static-binary.sh arm64      for another one: amd64 or arm64; on Debian, as root, with rustup: it installs Rust's
#                                          standard library for it and a C compiler (for SQLite, ring and mimalloc)
set -eu
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
case ${1:-} in
"") target=$host ;;
amd64) target=x86_64-unknown-linux-gnu ;;
arm64) target=aarch64-unknown-linux-gnu ;;
*)
    echo "no such architecture: $1 (amd64, arm64)" >&2
    exit 1
    ;;
esac
if [ "$target" != "$host" ]; then
    gnu=${target%%-*}-linux-gnu
    rustup target add "$target" >&2
    if ! command -v "$gnu-gcc" >/dev/null; then
        apt-get update -q >&2
        # Debian writes x86_64 as x86-64 in the names of packages.
        apt-get install -qy --no-install-recommends "gcc-$(echo "$gnu" | tr _ -)" "libc6-dev-$1-cross" >&2
    fi
    variable=$(echo "$target" | tr a-z- A-Z_)
    export "CARGO_TARGET_${variable}_LINKER=$gnu-gcc" "CC_$(echo "$target" | tr - _)=$gnu-gcc"
fi
# With --target, these flags are not applied to build scripts and macros, which cannot be static. Where a position is filled in
# at the start is packed: a twentieth of the file. Rust's own linker, which is the default for x86_64 alone, also keeps functions
# of the same code once, where no address of them is compared.
flags="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs"
[ "$target" != x86_64-unknown-linux-gnu ] || flags="$flags -C link-arg=-Wl,--icf=safe"
RUSTFLAGS=$flags cargo build --profile dist --locked --target-dir target --target "$target" >&2
echo "target/$target/dist/hookglot"
