#!/bin/sh
# What hookglot costs, beside nginx `proxy_pass` of the same request in the same run: scripts/bench.sh [options].
# docs/performance.md says what is measured and how to read it.
#
#   --hooks N      hooks of each round (default 10000)
#   --rounds N     rounds of each candidate; they take turns, medians are printed (default 3)
#   --pending N    at the end, this many hooks for a destination that is down, and the memory with them (default 0: none)
#   --no-build     take target/release/hookglot as it is
#
# nginx comes from Debian where it is missing (as root). Everything listens on loopback addresses of its own and writes into
# a temporary folder; both end with the script. HOOKGLOT_BENCH_KEEP=1 keeps the folder.
set -eu
cd "$(dirname "$0")/.."

hooks=10000 rounds=3 pending=0 build=1
while [ $# -gt 0 ]; do
    case $1 in
        --hooks) hooks=$2 && shift 2 ;;
        --rounds) rounds=$2 && shift 2 ;;
        --pending) pending=$2 && shift 2 ;;
        --no-build) build="" && shift ;;
        *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
    esac
done

if ! command -v nginx >/dev/null; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "please install: nginx" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -qy --no-install-recommends nginx-light
fi
[ -z "$build" ] || cargo build --release --locked
hookglot=$PWD/target/release/hookglot

work=$(mktemp -d) started=""
stop() {
    for process in $started; do
        kill "$process" 2>/dev/null || :
        wait "$process" 2>/dev/null || :
    done
    started=""
    [ -n "${HOOKGLOT_BENCH_KEEP:-}" ] || rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM HUP
fail() {
    echo "$*" >&2
    tail -n 3 "$work"/*.log >&2 || :
    exit 1
}

# An address that no other run has: ports need not be looked for.
host=127.88.$(($$ / 250 % 250 + 1)).$(($$ % 250 + 1))
echo "harbour-pilot-64" > "$work/secret"

# Proxies on one core, the load and the sink on another, where there are two.
cores=$(awk -F: '/^Cpus_allowed_list/ {
    n = split($2, parts, ","); for (i = 1; i <= n; i++) { m = split(parts[i], ends, "-"); print ends[1] + 0; if (m > 1) print ends[1] + 1 }
}' /proc/self/status)
on_one="" on_other=""
if [ "$(nproc)" -ge 2 ] && command -v taskset >/dev/null; then
    # shellcheck disable=SC2086 # a list of numbers
    set -- $cores
    on_one="taskset -c $1" on_other="taskset -c $2"
fi

wait_for() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || fail "waited 20 s for: $*"
        sleep 0.1
    done
}
child_of() { grep -l "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status 2>/dev/null | cut -d / -f 3 | head -n 1; }
has_child() { [ -n "$(child_of "$1")" ]; }

# start_nginx: on port 8000, the sink on 9000.
start_nginx() {
    cat > "$work/nginx.conf" <<CONF
worker_processes 1;
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log warn;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path $work/nginx-body;
    proxy_temp_path $work/nginx-proxy;
    fastcgi_temp_path $work/nginx-fastcgi;
    uwsgi_temp_path $work/nginx-uwsgi;
    scgi_temp_path $work/nginx-scgi;
    keepalive_requests 10000000;
    upstream sink { server $host:9000; keepalive 64; keepalive_requests 10000000; }
    server {
        listen $host:8000;
        location / {
            proxy_pass http://sink;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
    }
}
CONF
    # shellcheck disable=SC2086 # a command of several words
    $on_one nginx -c "$work/nginx.conf" 2>> "$work/nginx.log" &
    started="$started $!"
    wait_for has_child $!
    pid_nginx=$(child_of $!)
}

# start_hookglot NAME NUMBER FORMAT [FURTHER LINES]: on port 8000 + NUMBER, its sink on 9000 + NUMBER.
start_hookglot() {
    name=$1 number=$2 format=$3
    cat > "$work/$name.toml" <<CONF
listen = "$host:$((8000 + number))"
admin_listen = "$host:$((7000 + number))"
data_dir = "$work/$name"
${4:-}

[[route]]
path = "/"
secret_file = "$work/secret"

[[route.to]]
name = "sink"
url = "http://$host:$((9000 + number))/"
format = "$format"
${5:-}
CONF
    # shellcheck disable=SC2086 # a command of several words
    $on_one "$hookglot" serve --config "$work/$name.toml" > "$work/$name.log" 2>&1 &
    started="$started $!"
    eval "pid_$name=$!"
    wait_for "$hookglot" healthcheck --config "$work/$name.toml"
}

# load NAME NUMBER HOOKS FILE [FLAGS]: what came of it as JSON.
load() {
    name=$1 number=$2 count=$3 file=$4
    shift 4
    eval "pid=\$pid_$name"
    # shellcheck disable=SC2086,SC2154 # a command of several words; eval has set it
    $on_other "$hookglot" bench --url "http://$host:$((8000 + number))/" --secret-file "$work/secret" --hooks "$count" \
        --pid "$pid" --json "$@" > "$work/$file" 2>> "$work/bench.log"
}
sink_of() { echo "--sink $host:$((9000 + $1))"; }

# figure FILE NAME [SECTION]: the first of that name, below the section.
figure() {
    awk -v name="\"$2\":" -v section="${3:+\"$3\":}" '
        section == "" || $1 == section { on = 1 }
        on && $1 == name { sub(/,$/, "", $2); print $2; exit }' "$work/$1"
}
median() { sort -n | awk '{ all[NR] = $1 } END { print NR % 2 ? all[(NR + 1) / 2] : (all[NR / 2] + all[NR / 2 + 1]) / 2 }'; }
# of_rounds NAME FIGURE [SECTION]: its median.
of_rounds() {
    for round in $(seq "$rounds"); do figure "$1.$round.json" "$2" "${3:-}"; done | median
}
# ratio NAME: the median of what it costs beside nginx, round by round.
ratio() {
    for round in $(seq "$rounds"); do
        echo "$(figure "$1.$round.json" cpu_us_per_hook) $(figure "nginx.$round.json" cpu_us_per_hook)"
    done | awk '{ print $1 / $2 }' | median
}
mib() { awk '{ printf "%.1f MiB\n", $1 / 1024 }'; }

echo "$("$hookglot" --version), $(nginx -v 2>&1 | sed 's/.*: //'), $(date +%F), $(nproc) cores; each figure is the median of $rounds rounds of $hooks hooks"

# Each is one candidate: all are up the whole time, and take turns.
candidates="nginx hookglot quiet memory passed receive unlearned"
start_nginx
start_hookglot hookglot 1 gitlab
start_hookglot quiet 2 gitlab 'log_level = "warn"'
start_hookglot memory 3 gitlab 'store = "memory"'
start_hookglot passed 4 gitflic
start_hookglot receive 5 gitlab '' 'events = ["TAG_DELETE"]'
start_hookglot unlearned 6 gitlab '[retention]
states = "0s"'

all_rounds() {
    number=0
    for candidate in $candidates; do
        # What nobody gets does not arrive either.
        flags=""
        [ "$candidate" = receive ] || flags=$(sink_of "$number")
        # shellcheck disable=SC2086 # two words or none
        load "$candidate" "$number" "$1" "$candidate.$2.json" $flags ||
            fail "$candidate: not every hook was accepted and arrived"
        number=$((number + 1))
    done
}
all_rounds $((hooks / 5 + 1)) warm
for round in $(seq "$rounds"); do all_rounds "$hooks" "$round"; done

row() {
    printf '%-56s %7.1f %10.1f %9.2f\n' "$2" "$(of_rounds "$1" cpu_us_per_hook)" "$(of_rounds "$1" system_us_per_hook)" \
        "$(ratio "$1")"
}
printf '\n%-56s %7s %10s %9s\n' "CPU a hook" "us" "of system" "x nginx"
row nginx "nginx proxy_pass, no log"
row hookglot "hookglot: receive, store, log, translate, deliver"
row quiet "... log_level = \"warn\""
row memory "... store = \"memory\""
row passed "... not translated: the destination reads GitFlic"
row unlearned "... nothing is learned: retention.states = \"0s\""
row receive "... nobody wants it: received, checked, logged, answered"
printf '%-56s %7.1f\n' "(the load and the sink themselves)" "$(of_rounds hookglot bench_cpu_us_per_hook)"

printf '\nhookglot at 64 connections, one core\n'
printf '%-40s %s\n' "accepted a second" "$(of_rounds hookglot accepted_per_second)"
printf '%-40s %s\n' "delivered a second" "$(of_rounds hookglot arrived_per_second)"
printf '%-40s %s ms\n' "answer, p50" "$(of_rounds hookglot p50 answer_ms)"
printf '%-40s %s ms\n' "answer, p99" "$(of_rounds hookglot p99 answer_ms)"
printf '%-40s %s ms\n' "accepted to delivered, p50" "$(of_rounds hookglot p50 delivery_ms)"
printf '%-40s %s ms\n' "accepted to delivered, p99" "$(of_rounds hookglot p99 delivery_ms)"
printf '%-40s %s\n' "memory at rest, before the first hook" "$(figure hookglot.warm.json rss_kib_before | mib)"
printf '%-40s %s\n' "memory after the rounds" "$(figure "hookglot.$rounds.json" rss_kib_after | mib)"
printf '%-40s %s\n' "memory, most ever" "$(figure "hookglot.$rounds.json" peak_rss_kib | mib)"

if [ "$pending" -gt 0 ]; then
    # Nobody listens on the port of its sink.
    start_hookglot pending 7 gitlab
    # A store that is full refuses the rest; the figures say how many it took.
    load pending 7 "$pending" pending.json || :
    printf '\n%s hooks for a destination that is down\n' "$pending"
    printf '%-40s %s\n' "accepted" "$(figure pending.json accepted)"
    printf '%-40s %s\n' "accepted a second" "$(figure pending.json accepted_per_second)"
    printf '%-40s %s ms\n' "answer, p99" "$(figure pending.json p99 answer_ms)"
    printf '%-40s %s\n' "memory with them pending" "$(figure pending.json rss_kib_after | mib)"
    printf '%-40s %s\n' "memory, most ever" "$(figure pending.json peak_rss_kib | mib)"
fi
