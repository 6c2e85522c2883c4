#!/bin/sh
# Every test, with everything that the tests need: installs what is missing, runs the tests of the code, among them those
# that send hooks to a real Buildbot, those in which Schemathesis tries the admin API, those that compare our requests
# with those of Ruby and those in which the clock jumps, then tries what is in deploy/, builds the container image and the Debian
# package and sends hooks through them. On Debian as root; elsewhere it says what to install.
#
# HOOKGLOT_SAMPLES=DIR also runs a folder of real payloads through.
set -eu
cd "$(dirname "$0")/.."

missing=""
for tool in curl buildah; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "please install:$missing" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    # shellcheck disable=SC2086 # a list of packages
    apt-get install -qy --no-install-recommends ca-certificates $missing
fi

sh scripts/buildbot.sh
HOOKGLOT_BUILDBOT=$PWD/target/buildbot/bin
export HOOKGLOT_BUILDBOT

sh scripts/schemathesis.sh
HOOKGLOT_SCHEMATHESIS=$PWD/target/schemathesis/bin/schemathesis
export HOOKGLOT_SCHEMATHESIS

sh scripts/ruby.sh
HOOKGLOT_RUBY=$(command -v ruby)
export HOOKGLOT_RUBY

HOOKGLOT_FAKETIME=$(sh scripts/faketime.sh)
export HOOKGLOT_FAKETIME

cargo test --locked
# What follows starts hookglot, which refuses settings of its name that it does not know.
unset HOOKGLOT_BUILDBOT HOOKGLOT_SCHEMATHESIS HOOKGLOT_RUBY HOOKGLOT_FAKETIME HOOKGLOT_SAMPLES
sh scripts/test-deploy.sh "$PWD/target/debug/hookglot"
sh scripts/test-monitoring.sh "$PWD/target/debug/hookglot"
sh scripts/test-systemd.sh "$PWD/target/debug/hookglot"
sh scripts/test-image.sh
sh scripts/test-deb.sh
