#!/bin/sh
# Installs the Schemathesis that holds the admin API against its description (tests/it/openapi.rs) into
# target/schemathesis, unless the versions of tests/receivers/schemathesis.txt are there already. Python comes from Debian
# where it is missing (as root), the packages from where pip is set up to look. Whoever runs the tests by hand then says
#
#   HOOKGLOT_SCHEMATHESIS="$PWD/target/schemathesis/bin/schemathesis" cargo test
set -eu
cd "$(dirname "$0")/.."

wanted=tests/receivers/schemathesis.txt home=target/schemathesis
# Its programs name the folder that they were installed in: in a checkout that was moved they do not start.
if cmp -s "$wanted" "$home/installed.txt" && "$home/bin/schemathesis" --version >/dev/null 2>&1; then
    exit 0
fi

# Debian splits what `python3 -m venv` needs from Python.
has_venv() { "$1" -c 'import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }
python=python3
if ! has_venv "$python"; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "please install: python3 (3.10 or later) with venv" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -qy --no-install-recommends python3 python3-venv
    python=/usr/bin/python3
    has_venv "$python" || { echo "$python makes no virtual environments" >&2; exit 1; }
fi

# What is there is half of an installation, or another one.
rm -rf "$home"
"$python" -m venv "$home"
# Wheels alone: nothing is compiled, so no compiler is needed.
"$home/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: \
    --requirement "$wanted"
"$home/bin/schemathesis" --version >/dev/null
cp "$wanted" "$home/installed.txt"
