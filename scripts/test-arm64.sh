#!/bin/sh
# Tries hookglot for arm64 on a machine of amd64: builds the static binary, runs it by qemu, and makes the image of it, through which a
# hook goes (scripts/test-image.sh). Needs Debian and root, and no Rust: the compiler, which must have a standard library for arm64, is
# Debian's own, with qemu in a folder of its own; mmdebstrap, buildah and curl are installed where they are missing.
#
#   sh scripts/test-arm64.sh [trial|release]   trial: optimised little, sooner built; release: as it is given out
#
#   HOOKGLOT_SUITE=forky      whose Rust it is; sid where that is older than what Cargo.toml asks for
#   HOOKGLOT_MIRROR=URL       of Debian, by default http://deb.debian.org/debian; one of snapshot.debian.org does not move
#
# What it made stays in target/arm64: debian (the compiler), cargo (crates) and build. All mounts are in a namespace of their own, which
# ends with the compiler, whatever ends that; so nothing outside can be removed through them.
set -eu
cd "$(dirname "$0")/.."

profile=${1:-trial}
suite=${HOOKGLOT_SUITE:-forky} mirror=${HOOKGLOT_MIRROR:-http://deb.debian.org/debian}
packages=base-files,rustc,cargo,libstd-rust-dev:arm64,gcc,libc6-dev,gcc-aarch64-linux-gnu,libc6-dev-arm64-cross,qemu-user
home=$PWD/target/arm64 triple=aarch64-unknown-linux-gnu
work=$(mktemp -d) job=""

ok() { printf 'ok   %s\n' "$*"; }
fail() {
    printf 'FAIL %s\n' "$*" >&2
    tail -n 30 "$work"/*.log >&2 || :
    exit 1
}
clean() {
    # KILL: who waits in a namespace for the first process there does not hear anything else.
    [ -z "$job" ] || kill -KILL "$job" 2>/dev/null || :
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

case $profile in
trial) settings="CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16" built=release ;;
release) settings="" built=dist ;;
*) fail "no such profile: $profile (trial, release)" ;;
esac
[ "$(id -u)" -eq 0 ] || fail "please run it as root, who may make a system in a folder"
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] ||
    fail "this is not Debian of amd64; where it is of arm64, scripts/test-image.sh does"
missing=""
for tool in mmdebstrap buildah curl; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
if [ -n "$missing" ]; then
    apt-get update -q
    # shellcheck disable=SC2086 # a list of packages
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $missing
fi

mkdir -p "$home/cargo" "$home/build"
exec 9>"$home/lock"
flock 9 # one at a time
rm -rf --one-file-system "$home/debian.new" # of a run that was stopped

# Unpacked and not installed: no script of a package runs, so few things can go wrong, and a compiler needs no more. The lists of a
# mirror that stands still are past their date, though signed.
unpack() {
    unshare --mount mmdebstrap --quiet --mode=root --variant=extract --architectures=amd64,arm64 --include="$packages" \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
        "$suite" "$home/debian.new" "$mirror" >"$work/debian.log" 2>&1 || fail "$suite of $mirror cannot be unpacked"
    # Half of it nobody asks for: the compiler as a program of arm64, and the other machines of qemu.
    (cd "$home/debian.new" && rm -rf usr/lib/aarch64-linux-gnu usr/share usr/bin/*lto-dump* &&
        find usr/bin -name 'qemu-*' ! -name qemu-aarch64 -delete)
    mkdir -p "$home/debian.new/src" "$home/debian.new/made" "$home/debian.new/proc" "$home/debian.new/etc/ssl/certs"
    echo "$made_of" >"$home/debian.new/made-of"
    rm -rf --one-file-system "$home/debian"
    mv "$home/debian.new" "$home/debian"
}
rust() { chroot "$home/debian" /usr/bin/rustc --version | cut -d ' ' -f 2; }
recent() { [ "$(printf '%s\n' "$wanted" "$(rust)" | sort -V | head -n 1)" = "$wanted" ]; }

wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
made_of="$suite $mirror $packages, mounts in src and made"
if [ "$(cat "$home/debian/made-of" 2>/dev/null)" != "$made_of" ] || ! recent; then unpack; fi
recent || fail "Rust of $suite is $(rust), Cargo.toml asks for $wanted; another suite, as sid, goes into HOOKGLOT_SUITE"
ok "Rust $(rust) of $suite, with a standard library for arm64: $(du -sm "$home/debian" | cut -f 1) MB"

# The sources are there to be read; the compiler, and all that it starts, ends with the process that waits for it.
for file in /etc/resolv.conf /etc/hosts; do cp "$file" "$home/debian/etc/"; done
cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$home/debian/etc/ssl/certs/ca-certificates.crt"
cat >"$work/build" <<'SH'
set -eu
mount --bind -o ro "$1" "$2/debian/src"
mount --bind "$2" "$2/debian/made"
mount -t proc proc "$2/debian/proc"
root=$2/debian
shift 2
exec unshare --root="$root" --wd=/src "$@"
SH
# shellcheck disable=SC2086 # the words of the settings
nice env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/made CARGO_HOME=/made/cargo CARGO_TARGET_DIR=/made/build \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} ${no_proxy:+no_proxy="$no_proxy"} \
    ${CARGO_BUILD_JOBS:+CARGO_BUILD_JOBS="$CARGO_BUILD_JOBS"} $settings RUSTFLAGS='-C target-feature=+crt-static' \
    CC_x86_64_unknown_linux_gnu=gcc CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=gcc \
    CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    unshare --mount --pid --fork --kill-child sh "$work/build" "$PWD" "$home" \
    /usr/bin/cargo build --profile "$built" --locked --target "$triple" >"$work/build.log" 2>&1 &
job=$!
wait "$job" || fail "the binary is not built"
job=""
binary=$home/build/$triple/$built/hookglot
qemu=$home/debian/usr/bin/qemu-aarch64 # static itself: it runs here and in the image
ok "built ($profile): $(stat -c %s "$binary") bytes"

# There is no loader for arm64 here, so what runs is static.
"$qemu" "$binary" --version >"$work/version.log" 2>&1 || fail "it does not run by $("$qemu" --version | head -n 1)"
"$qemu" "$binary" check --config hookglot.example.toml >"$work/check.log" 2>&1 || fail "hookglot.example.toml is not sound for it"
ok "runs: $(cat "$work/version.log"); the mappings' own examples and hookglot.example.toml are sound"

waits_for() {
    tries=0
    until grep -q "$1" "$work/serve.log"; do
        tries=$((tries + 1))
        [ "$tries" -le 300 ] || fail "waited for '$1'"
        sleep 0.2
    done
    sed -n "s|.*$1.*http://\([0-9.:]*\).*|\1|p" "$work/serve.log" | head -n 1
}
HOOKGLOT_LISTEN=127.0.0.1:0 HOOKGLOT_ADMIN_LISTEN=127.0.0.1:0 NO_COLOR=1 "$qemu" "$binary" serve >"$work/serve.log" 2>&1 &
job=$!
admin=$(waits_for "admin listens on")
hooks=$(waits_for "hooks come in on")
curl -fsS --noproxy '*' "http://$admin/ready" >/dev/null || fail "it is not ready"
curl -fsS --noproxy '*' -o /dev/null -d @mappings/gitflic-to-gitlab/examples/BRANCH_UPDATE.json "http://$hooks/" ||
    fail "the hook is not taken"
waits_for '"object_kind": "push"' >/dev/null
kill -TERM "$job"
code=0
wait "$job" || code=$?
job=""
[ "$code" -eq 0 ] || fail "exit code $code after SIGTERM"
ok "the demonstration is ready, translates a hook, and ends with exit code 0 on SIGTERM"

sh scripts/test-image.sh arm64 "$binary" "$qemu"
