#!/bin/sh
# Tries what is in deploy/prometheus and deploy/grafana: promtool checks the rules and runs their tests, and a real Prometheus scrapes a
# real hookglot, evaluates the rules and is asked everything that the dashboard asks. Both come from Debian's package `prometheus`,
# which is unpacked into target/tools and not installed, so that no service starts. Grafana is not in Debian.
#
#   sh scripts/test-monitoring.sh [HOOKGLOT]       HOOKGLOT: the binary, by default target/debug/hookglot, which is built
set -eu
cd "$(dirname "$0")/.."

home=target/tools/prometheus
if ! "$home/usr/bin/promtool" --version >/dev/null 2>&1; then
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        echo "please put prometheus and promtool into $home/usr/bin" >&2
        exit 1
    fi
    rm -rf "$home"
    mkdir -p "$home"
    # Only root can ask for newer lists; those that are there may do.
    apt-get update -q >/dev/null 2>&1 || echo "the lists of packages are not renewed" >&2
    # apt drops its rights for a download, and may not be let into this folder: it says so, and goes on as root.
    (cd "$home" && apt-get download -q prometheus)
    dpkg-deb -x "$home"/prometheus_*.deb "$home"
    rm "$home"/prometheus_*.deb
    "$home/usr/bin/promtool" --version >/dev/null
fi
if ! command -v python3 >/dev/null; then
    echo "please install: python3" >&2
    exit 1
fi

if [ $# -eq 0 ]; then
    cargo build --locked
fi
HOOKGLOT=${1:-$PWD/target/debug/hookglot} PROMETHEUS=$PWD/$home/usr/bin PYTHONDONTWRITEBYTECODE=1
export HOOKGLOT PROMETHEUS PYTHONDONTWRITEBYTECODE

"$PROMETHEUS/promtool" check rules deploy/prometheus/hookglot.rules.yml
"$PROMETHEUS/promtool" check config deploy/prometheus/prometheus.example.yml
"$PROMETHEUS/promtool" test rules deploy/prometheus/hookglot.rules.test.yml
python3 tests/packaging/monitoring.py
