#!/bin/sh
# Installs the Ruby whose Net::HTTP our requests are compared with (tests/it/net_http.rs), from Debian, as root or by sudo,
# unless there is one already. Whoever runs the tests by hand then says
#
#   HOOKGLOT_RUBY=ruby cargo test
set -eu

works() { command -v ruby >/dev/null && ruby -e 'require "json"; require "net/http"' 2>/dev/null; }
if works; then
    exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    as_root="sudo -n"
fi
if ! command -v apt-get >/dev/null || ! $as_root true 2>/dev/null; then
    echo "please install: ruby" >&2
    exit 1
fi
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends ruby
works || { echo "the ruby that was installed has no net/http" >&2; exit 1; }
