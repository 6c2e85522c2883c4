#!/bin/sh
# `journalctl -u hookglot -o cat`, with -n: what that hookglot has logged.
for last; do :; done
case " $* " in
*" -n "*) tail -n "$last" "$ROOT/log" ;;
*) cat "$ROOT/log" ;;
esac
