#!/bin/sh
# Tries what is in deploy/ for containers: Compose, Kubernetes and the Helm chart. Each is held against its schemas and rendered by
# Helm's own engine, and what the containers would run is run here, with a hook through it; so is the bill of materials. What judges
# them comes from PyPI into target/packaging (tests/packaging/requirements.txt), Python from Debian where it is missing (as root).
#
#   sh scripts/test-deploy.sh [HOOKGLOT]       HOOKGLOT: the binary, by default target/debug/hookglot, which is built
set -eu
cd "$(dirname "$0")/.."

wanted=tests/packaging/requirements.txt home=target/packaging
if ! cmp -s "$wanted" "$home/installed.txt" || ! "$home/bin/check-jsonschema" --version >/dev/null 2>&1; then
    # Debian splits what `python3 -m venv` needs from Python.
    has_venv() { "$1" -c 'import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
    python=python3
    if ! has_venv "$python"; then
        if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
            echo "please install: python3 (3.11 or later) with venv" >&2
            exit 1
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -q
        apt-get install -qy --no-install-recommends python3 python3-venv openssl
        python=/usr/bin/python3
        has_venv "$python" || { echo "$python makes no virtual environments" >&2; exit 1; }
    fi
    # What is there is half of an installation, or another one.
    rm -rf "$home"
    "$python" -m venv "$home"
    # Wheels alone: nothing is compiled, so no compiler is needed.
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: --requirement "$wanted"
    cp "$wanted" "$home/installed.txt"
fi

if [ $# -eq 0 ]; then
    cargo build --locked
fi
HOOKGLOT=${1:-$PWD/target/debug/hookglot} PYTHONDONTWRITEBYTECODE=1
export HOOKGLOT PYTHONDONTWRITEBYTECODE

sh scripts/sbom.sh target/sbom.cdx.json
"$home/bin/python" tests/packaging/materials.py target/sbom.cdx.json
"$home/bin/python" tests/packaging/compose.py
"$home/bin/python" tests/packaging/manifests.py
if "$home/bin/python" -c 'import helm_python' 2>/dev/null; then
    "$home/bin/python" tests/packaging/chart.py 2>target/packaging/helm.log || { cat target/packaging/helm.log >&2; exit 1; }
else
    # Its wheel holds the engine for Linux with glibc 2.28 or later on x86-64 and no other system.
    echo "NOT TRIED: the Helm chart: its engine does not run on this machine"
    exit 1
fi
