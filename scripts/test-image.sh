#!/bin/sh
# Builds the container image and sends a hook through it: the static binary is built here, the rest of the Dockerfile by
# buildah, which takes the binary in the place of the stage `build` and so needs no registry. Then the image runs as
# nobody on a read-only root, delivers to a receiver outside, answers its health check and stops on SIGTERM.
# Needs root (for buildah's chroot isolation), buildah, curl, cargo.
#
#   sh scripts/test-image.sh [arm64 BINARY QEMU]   the image of another architecture: its static binary, and the static program of qemu
#                                                  that runs it here; without cargo, it has no bill of materials
set -eu
cd "$(dirname "$0")/.."

image=localhost/hookglot:test container=hookglot-test
limit=15000000 # bytes of its files, as a node keeps them; compressed, as a registry does, they are half as many
arch=${1:-} binary=${2:-} qemu=${3:-}
work=$(mktemp -d)
TMPDIR=$work/tmp
export TMPDIR
mkdir "$TMPDIR"
echo_job="" run_job=""

# A store of its own: nothing of the machine's images is touched, and vfs leaves no mounts behind.
b() { buildah --storage-driver vfs --root "$work/store" --runroot "$work/run" "$@"; }
ok() { printf 'ok   %s\n' "$*"; }
fail() {
    printf 'FAIL %s\n' "$*" >&2
    tail -n 30 "$work"/*.log >&2 || :
    exit 1
}
clean() {
    for job in $run_job $echo_job; do
        kill "$job" 2>/dev/null || :
        wait "$job" 2>/dev/null || :
    done
    b umount "$container" >/dev/null 2>&1 || :
    b rm "$container" >/dev/null 2>&1 || :
    b rmi "$image" >/dev/null 2>&1 || :
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

# Waits for a line with a mark in a file; gives what stands behind http:// in it.
address() {
    tries=0
    until grep -q "$2" "$1" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -le 150 ] || fail "waited for '$2' in $1"
        sleep 0.2
    done
    sed -n "s|.*$2.*http://\([0-9.:]*\).*|\1|p" "$1" | head -n 1
}
# The last process below one: buildah runs the program below helpers of its own.
leaf() {
    pid=$1
    while :; do
        child=$(cat "/proc/$pid/task/"*/children 2>/dev/null | awk '{print $1; exit}')
        [ -n "$child" ] || break
        pid=$child
    done
    echo "$pid"
}

case $arch in
"") triple="" binary=$(sh scripts/static-binary.sh) ;;
arm64) triple=aarch64-unknown-linux-gnu ;;
*) fail "no such architecture: $arch (arm64)" ;;
esac
install -D -o 0 -g 0 -m 0755 "$binary" "$work/build/out/hookglot"
sbom=$work/build/out/usr/share/doc/hookglot/sbom.cdx.json
if [ -z "$arch" ] || command -v cargo >/dev/null; then
    sh scripts/sbom.sh "$sbom" ${triple:+"$triple"}
else
    install -D -m 0644 /dev/null "$sbom"
    echo "NOT TRIED: the bill of materials, which cargo makes"
fi
install -d -m 0700 "$work/build/volume/data"

# --format docker keeps the HEALTHCHECK; --pull=never makes a wrong name fail instead of asking a registry.
b build --isolation chroot ${arch:+--arch "$arch"} --format docker --pull=never --build-context "build=$work/build" \
    -t "$image" . >"$work/build.log" 2>&1 || fail "the image is not built"
built=$(b inspect --type image --format '{{.Docker.Architecture}}' "$image")
[ "$built" = "${arch:-$built}" ] || fail "the image is for $built"
config=$(b inspect --type image --format '{{.Docker.Config.User}} {{.Docker.Config.Entrypoint}} {{.Docker.Config.Cmd}} {{.Docker.Config.Healthcheck}}' "$image")
case $config in
"65534:65534 [/hookglot] [serve] {[CMD /hookglot healthcheck]"*) ok "image for $built: $config" ;;
*) fail "image: $config" ;;
esac
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
labels=$(b inspect --type image --format '{{range $name, $value := .Docker.Config.Labels}}{{$name}}={{$value}};{{end}}' "$image")
for label in title=hookglot "version=$version" "licenses=MIT OR Apache-2.0" revision= description=; do
    case $labels in
    *"org.opencontainers.image.$label"*) ;;
    *) fail "no label $label: $labels" ;;
    esac
done
ok "labels of version $version"
b from ${arch:+--arch "$arch"} --pull=never --name "$container" "$image" >/dev/null
root=$(b mount "$container")
files=$(cd "$root" && find . -mindepth 1 ! -type d | sort | tr '\n' ' ')
[ "$files" = "./hookglot ./usr/share/doc/hookglot/sbom.cdx.json " ] || fail "the image holds other files: $files"
[ "$(stat -c %u:%a "$root/data")" = 65534:700 ] || fail "/data is not for nobody alone"
size=$(tar -C "$root" -c . | gzip | wc -c)
whole=$(cd "$root" && find . -type f -printf '%s\n' | awk '{all += $1} END {print all}')
[ "$whole" -le "$limit" ] || fail "the image is of $whole bytes, more than $limit"
ok "the image holds an empty /data, the binary and its bill of materials: $whole bytes, compressed $size"

${qemu:+"$qemu"} "$binary" echo --listen 127.0.0.1:0 >"$work/echo.log" 2>&1 &
echo_job=$!
tool=$(address "$work/echo.log" "echo listens on")

# The tool is named by a name, so that a static binary has to find it without the libraries that would look it up. buildah
# would mount a file of its own over ours, or under it: it does both.
printf '127.0.0.1 localhost tool.test\n' >"$work/hosts"
b run --isolation chroot --no-hosts -v "$work/hosts:/etc/hosts:ro" ${qemu:+-v "$qemu:/qemu:ro"} \
    --env HOOKGLOT_LISTEN=127.0.0.1:0 --env HOOKGLOT_ADMIN_LISTEN=127.0.0.1:0 --env NO_COLOR=1 \
    --env "HOOKGLOT_TO=http://tool.test:${tool#*:}/hook" --env HOOKGLOT_FORMAT=gitlab --env HOOKGLOT_SECRET=brass-lantern-77 \
    "$container" -- ${qemu:+/qemu} /hookglot serve >"$work/serve.log" 2>&1 &
run_job=$!
admin=$(address "$work/serve.log" "admin listens on")
hooks=$(address "$work/serve.log" "hooks come in on")
program=$(leaf "$run_job")
runs=${qemu:+qemu} runs=${runs:-hookglot}
[ "$(cat "/proc/$program/comm")" = "$runs" ] || fail "process $program is not hookglot"
[ "$(awk '/^Uid:/{print $2 $3 $4 $5}' "/proc/$program/status")" = 65534655346553465534 ] || fail "hookglot does not run as nobody"
ok "runs as nobody"
inside=$(readlink "/proc/$program/root")
nsenter -t "$program" -m mount -o remount,ro,bind "$inside"
if nsenter -t "$program" -m touch "$inside/x" 2>/dev/null; then fail "the root can be written"; fi
ok "its root is read-only"

answer=$(curl -fsS --noproxy '*' -H 'Gitflic-Webhook-Secret: brass-lantern-77' \
    -d @mappings/gitflic-to-gitlab/examples/BRANCH_UPDATE.json "http://$hooks/") || fail "the hook is not taken"
address "$work/echo.log" '"object_kind": "push"' >/dev/null
ok "a hook went through: $answer"
nsenter -t "$program" -m test -s "$inside/data/hookglot.db" || fail "the hook is not kept in /data"
b run --isolation chroot ${qemu:+-v "$qemu:/qemu:ro"} --env "HOOKGLOT_ADMIN_LISTEN=$admin" \
    "$container" -- ${qemu:+/qemu} /hookglot healthcheck || fail "the health check"
ok "the health check says ready"

kill -TERM "$program"
code=0
wait "$run_job" || code=$?
run_job=""
[ "$code" -eq 0 ] || fail "exit code $code after SIGTERM"
ok "SIGTERM: exit code 0"
[ -n "$arch" ] || echo "NOT TRIED: the image for arm64, which scripts/test-arm64.sh builds and tries"
