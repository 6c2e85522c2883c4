#!/bin/sh
# What `systemctl VERB hookglot` does, for a hookglot below $ROOT that only this test knows.
set -eu
pid() { cat "$ROOT/pid" 2>/dev/null; }
# Its command line has its folder: none that has ended, nor one that has its number since.
lives() { [ -n "$(pid)" ] && grep -qaF "$ROOT/" "/proc/$(pid)/cmdline" 2>/dev/null; }
starts() { grep -c 'hooks come in on' "$ROOT/log" || true; }

start() {
    before=$(starts)
    cd "$ROOT"
    setsid env -i HOOKGLOT_LISTEN=127.0.0.1:0 HOOKGLOT_ADMIN_LISTEN=127.0.0.1:0 HOOKGLOT_RELOAD__DEBOUNCE=20ms \
        HOOKGLOT_RELOAD__POLL=200ms HOOKGLOT_ALERTS__CALM=0s \
        "$ROOT/bin/hookglot" serve --config "$ROOT/etc/hookglot/hookglot.toml" >>"$ROOT/out" 2>>"$ROOT/log" </dev/null &
    echo $! >"$ROOT/pid"
    while [ "$(starts)" = "$before" ]; do
        # While it becomes another program, it has no command line.
        lives || { sleep 0.2 && lives; } || return 1
        sleep 0.02
    done
}

stop() {
    lives || return 0
    kill -TERM "$(pid)"
    while lives; do sleep 0.02; done
}

case $1 in
start) start ;;
stop) stop ;;
restart) stop && start ;;
reload) kill -HUP "$(pid)" ;;
esac
