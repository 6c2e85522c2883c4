#!/bin/sh
# Tries deploy/systemd: the units are sound, their exposure is what docs say, and hookglot makes no system call that its unit denies
# while it starts, takes a hook, tries to deliver it, reads its configuration again and stops. systemd and strace come from Debian
# where they are missing (as root). No systemd runs here as the first process, so what else the unit denies is not in force.
#
#   sh scripts/test-systemd.sh [HOOKGLOT]      HOOKGLOT: the binary, by default target/debug/hookglot
set -eu
cd "$(dirname "$0")/.."

most=1.1 # of 10; what is left is that it may use the network, and Unix sockets
unit=deploy/systemd/hookglot.service
binary=${1:-$PWD/target/debug/hookglot}
missing=""
for tool in systemd-analyze:systemd strace:strace curl:curl; do
    command -v "${tool%:*}" >/dev/null || missing="$missing ${tool#*:}"
done
if [ -n "$missing" ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "please install:$missing" >&2
        exit 1
    fi
    apt-get update -q
    # shellcheck disable=SC2086 # a list of packages
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $missing
fi

work=$(mktemp -d) job=""
mkdir "$work/etc" # alone in its folder: hookglot may watch it, and the trace changes all the time
fail() {
    printf 'FAIL %s\n' "$*" >&2
    exit 1
}
clean() {
    [ -z "$job" ] || kill "$job" 2>/dev/null || :
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

exposure=$(systemd-analyze security --offline=true --no-pager "$unit" | sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\) .*/\1/p')
awk "BEGIN {exit !(\"$exposure\" != \"\" && $exposure + 0 <= $most)}" || fail "the exposure is $exposure, more than $most"
grep -q "exposure of $most" deploy/README.md || fail "deploy/README.md names another exposure than $most"
for file in deploy/systemd/*; do sed "s|/usr/bin/hookglot|$binary|" "$file" >"$work/${file##*/}"; done
systemd-analyze verify --man=no "$work"/hookglot.* >"$work/verify.log" 2>&1 || { cat "$work/verify.log" >&2; fail "the units are not sound"; }
[ ! -s "$work/verify.log" ] || { cat "$work/verify.log" >&2; fail "the units are not sound"; }
printf 'ok   %s: sound; exposure %s (%s)\n' "$unit" "$exposure" "$(systemd-analyze --version | sed -n 1p)"

# The calls of a set, and of the sets in it.
calls() {
    systemd-analyze syscall-filter "$1" | sed -n 's/^ *\([a-z0-9_]*\)$/\1/p' | grep . || :
    for set in $(systemd-analyze syscall-filter "$1" | sed -n 's/^  *\(@[a-z0-9-]*\)$/\1/p'); do calls "$set"; done
}
sed -n 's/^SystemCallFilter=\([^~]\)/\1/p' "$unit" | tr ' ' '\n' | while read -r set; do calls "$set"; done | sort -u >"$work/allowed"
sed -n 's/^SystemCallFilter=~//p' "$unit" | tr ' ' '\n' | while read -r set; do calls "$set"; done | sort -u >"$work/denied"
[ -s "$work/allowed" ] && [ -s "$work/denied" ] || fail "no filter of system calls in $unit"
# What every service may do, whatever else is denied.
calls @default >"$work/always"

cat >"$work/etc/hookglot.toml" <<TOML
[[route]]
path = "/"
secret = "brass-lantern-77"
[[route.to]]
name = "tool"
url = "http://localhost:1/"
format = "gitlab"
TOML
# Not as root, for whom SQLite gives files to others; from where everybody may read it.
cp "$binary" "$work/hookglot"
as_nobody=""
if [ "$(id -u)" -eq 0 ]; then
    chown -R 65534:65534 "$work"
    as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups --"
fi
# shellcheck disable=SC2086 # the words of the command
HOOKGLOT_LISTEN=127.0.0.1:0 HOOKGLOT_ADMIN_LISTEN=127.0.0.1:0 NO_COLOR=1 $as_nobody strace -f -qq -o "$work/trace" \
    "$work/hookglot" serve --config "$work/etc/hookglot.toml" --data-dir "$work/data" >"$work/serve.log" 2>&1 &
job=$!
waits_for() {
    tries=0
    until grep -q "$1" "$work/serve.log"; do
        tries=$((tries + 1))
        [ "$tries" -le 300 ] || { cat "$work/serve.log" >&2; fail "waited for '$1'"; }
        sleep 0.2
    done
}
waits_for "hooks come in on"
hooks=$(sed -n 's|.*hooks come in on.*http://\([0-9.:]*\).*|\1|p' "$work/serve.log")
program=$(sed -n '1s/ .*//p' "$work/trace")
curl -fsS --noproxy '*' -o /dev/null -H 'Gitflic-Webhook-Secret: brass-lantern-77' \
    -d @mappings/gitflic-to-gitlab/examples/BRANCH_UPDATE.json "http://$hooks/"
waits_for "attempt=1"
kill -HUP "$program"
waits_for "SIGHUP\|configuration"
kill -TERM "$program"
wait "$job" || fail "exit code $? after SIGTERM"
job=""
sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' "$work/trace" | sort -u >"$work/made"
refused=$(grep -vxF -f "$work/allowed" "$work/made" | grep -vxF -f "$work/always" || :)
refused="$refused $(grep -xF -f "$work/denied" "$work/made" | grep -vxF -f "$work/always" || :)"
# The first execve is systemd's own.
refused=$(echo "$refused" | tr ' ' '\n' | grep -vx -e execve -e '' | tr '\n' ' ' || :)
[ -z "$refused" ] || fail "the unit denies what hookglot does: $refused"
# glibc, which looks at its addresses by AF_NETLINK before it looks a name up, does without.
for family in $(grep -o 'socket(AF_[A-Z0-9]*' "$work/trace" | sed 's/.*(//' | sort -u); do
    grep -q "^RestrictAddressFamilies=.*\<$family\>" "$unit" || [ "$family" = AF_NETLINK ] || fail "the unit denies $family"
done
! grep -q 'PROT_WRITE|PROT_EXEC' "$work/trace" || fail "memory that is written and run is denied"
printf 'ok   none of %s system calls that it makes is denied\n' "$(wc -l <"$work/made")"
echo "NOT TRIED: the unit under a running systemd, which this machine does not have"
