#!/bin/sh
# Builds the Debian package of this machine's architecture into target/debian, and prints its path:
#
#   sh scripts/deb.sh [--binary FILE] [--version VERSION]
#
# FILE is packed in place of the static binary that it builds otherwise. It installs cargo-deb into target/tools, unless this
# version is there already.
set -eu
cd "$(dirname "$0")/.."

binary="" number=""
while [ $# -gt 0 ]; do
    case $1 in
    --binary) binary=$2 ;;
    --version) number=$2 ;;
    *)
        echo "no such option: $1" >&2
        exit 1
        ;;
    esac
    shift 2
done
[ -n "$binary" ] || binary=$(sh scripts/static-binary.sh)

wanted=3.8.0 tool=target/tools/bin/cargo-deb
if [ "$("$tool" --version 2>/dev/null)" != "cargo-deb $wanted" ]; then
    # Unoptimised, and without its own compressor (xz does it): built in a third of the time.
    cargo install --quiet --force --locked --debug --no-default-features --root target/tools --target-dir target/tools/build \
        cargo-deb --version "$wanted" >&2
fi

# What the binary says of itself, if it can: the manual and the completions of the shells.
share=target/share
rm -rf "$share"
sh scripts/sbom.sh "$share/doc/hookglot/sbom.cdx.json"
if "$binary" man >/dev/null 2>&1; then
    mkdir -p "$share/man/man1"
    "$binary" man --dir "$share/man/man1" >&2
else
    echo "NOT PACKED: the manual: this hookglot has no command man" >&2
fi
if "$binary" completions bash >/dev/null 2>&1; then
    mkdir -p "$share/bash-completion/completions" "$share/zsh/vendor-completions" "$share/fish/vendor_completions.d"
    "$binary" completions bash >"$share/bash-completion/completions/hookglot"
    "$binary" completions zsh >"$share/zsh/vendor-completions/_hookglot"
    "$binary" completions fish >"$share/fish/vendor_completions.d/hookglot.fish"
else
    echo "NOT PACKED: completions: this hookglot has no command completions" >&2
fi

# cargo-deb looks for the binary where cargo would have put it.
target=target/deb-build
rm -rf "$target"
install -D -m 0755 "$binary" "$target/release/hookglot"
CARGO_TARGET_DIR=$target "$tool" --quiet --no-build --no-strip ${number:+--deb-version "$number"} --output target/debian/
