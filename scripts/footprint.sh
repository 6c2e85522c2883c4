#!/bin/sh
# What hookglot takes while nothing happens, as docs/performance.md tells it: the size of the binary, how long until it is ready
# with every example of every mapping run, memory and processor time at rest.
#
#   sh scripts/footprint.sh [BINARY] [SECONDS]     by default the static binary, built where it is missing, and 60 seconds of rest
set -eu
cd "$(dirname "$0")/.."

binary=${1:-$(sh scripts/static-binary.sh)} rest=${2:-60}
work=$(mktemp -d) job=""
fail() {
    printf '%s\n' "$*" >&2
    tail -n 20 "$work/log" >&2 || :
    exit 1
}
end() {
    [ -z "$job" ] || kill "$job" 2>/dev/null || :
    [ -z "$job" ] || wait "$job" 2>/dev/null || :
    job=""
}
clean() {
    end
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

# An address that no other run has: ports need not be looked for.
host=127.87.$(($$ / 250 % 250 + 1)).$(($$ % 250 + 1))
cat >"$work/hookglot.toml" <<TOML
listen = "$host:8080"
admin_listen = "$host:9090"
data_dir = "$work/data"
[[route]]
path = "/"
secret = "brass-lantern-77"
[[route.to]]
name = "tool"
url = "http://$host:9000/"
format = "gitlab"
TOML

start() {
    "$binary" serve --config "$work/hookglot.toml" >"$work/log" 2>&1 &
    job=$!
}
now() { date +%s%N; }
# Each question takes some milliseconds of its own, which are counted.
ready() {
    tries=0
    until "$binary" healthcheck --admin-listen "$host:9090" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -le 1000 ] || fail "it is not ready"
        sleep 0.005 # or the questions take the processor that it needs
    done
}
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$job/stat"; }
of_status() { awk -v name="$1:" '$1 == name { print $2 }' "/proc/$job/status"; }

printf 'binary                  %s bytes\n' "$(wc -c <"$binary")"
for _ in $(seq 11); do
    rm -rf "$work/data"
    before=$(now)
    start
    ready
    echo $((($(now) - before) / 1000000))
    end
done | median | sed 's/$/ ms/;s/^/ready, median of 11      /'

rm -rf "$work/data"
start
ready
sleep 5 # the checks of the start are over
before=$(ticks)
sleep "$rest"
spent=$(($(ticks) - before))
printf 'memory at rest          %s kB resident, of them %s kB its own, the rest the binary\n' "$(of_status VmRSS)" "$(of_status RssAnon)"
printf 'most memory since start %s kB resident\n' "$(of_status VmHWM)"
printf 'processor at rest       %s ms in %s s\n' "$((spent * 1000 / $(getconf CLK_TCK)))" "$rest"
