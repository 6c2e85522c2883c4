#!/bin/sh
# Tries the Debian package: it is built, installed, started as the unit starts it, upgraded, removed, installed again and purged, and a
# hook that waits for its delivery is there all the while. All of it in a copy of this system that lives in memory, so that nothing is
# left behind. Needs root and overlayfs.
#
#   sh scripts/test-deb.sh [BINARY]        BINARY is packed in place of the static one
set -eu
cd "$(dirname "$0")/.."

if [ "${IN_COPY:-}" != yes ]; then
    command -v systemd-sysusers >/dev/null && command -v deb-systemd-helper >/dev/null || {
        apt-get update -q
        DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends systemd init-system-helpers
    }
    package=$(sh scripts/deb.sh ${1:+--binary "$1"})
    IN_COPY=yes exec unshare --mount sh "$PWD/scripts/test-deb.sh" "$package"
fi

package=$1
copy=$(mktemp -d)
mount -t tmpfs none "$copy" # gone with this namespace
mkdir "$copy/upper" "$copy/work" "$copy/root"
root=$copy/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$copy/upper,workdir=$copy/work" "$root"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"

jobs=""
ok() { printf 'ok   %s\n' "$*"; }
fail() {
    printf 'FAIL %s\n' "$*" >&2
    tail -n 30 "$copy"/*.log >&2 || :
    exit 1
}
clean() {
    for job in $jobs; do kill "$job" 2>/dev/null || :; done
    umount -l "$root" "$copy"
    rmdir "$copy"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP
in_copy() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
# As the unit does: its user, its umask, no rights beyond them. Words and no function, so that a job is the program itself.
as_unit="chroot $root env -i PATH=/usr/bin:/bin setpriv --reuid hookglot --regid hookglot --clear-groups --no-new-privs
    --bounding-set=-all --inh-caps=-all -- env HOOKGLOT_LISTEN=127.0.0.1:0 HOOKGLOT_ADMIN_LISTEN=127.0.0.1:0 NO_COLOR=1"
address() {
    tries=0
    until grep -q "$2" "$1" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -le 150 ] || fail "waited for '$2' in $1"
        sleep 0.2
    done
    sed -n "s|.*$2.*http://\([0-9.:]*\).*|\1|p" "$1" | head -n 1
}
start() {
    # What an earlier start said is not what this one says.
    rm -f "$copy/serve.log"
    command=$(sed -n 's/^ExecStart=//p' "$root/usr/lib/systemd/system/hookglot.service")
    # shellcheck disable=SC2086,SC2016 # the words of the commands
    $as_unit sh -c 'umask 0077; exec "$@"' sh $command >"$copy/serve.log" 2>&1 &
    job=$!
    jobs="$jobs $job"
    admin=$(address "$copy/serve.log" "admin listens on")
    hooks=$(address "$copy/serve.log" "hooks come in on")
    curl -fsS --noproxy '*' "http://$admin/ready" >/dev/null || fail "it is not ready"
}
stop() {
    kill "$job"
    code=0
    wait "$job" || code=$?
    [ "$code" -eq 0 ] || fail "exit code $code after SIGTERM"
}
deliver_to() { sed -i "s|^url = .*|url = \"http://$1/\"|" "$root/etc/hookglot/hookglot.toml"; }
mode() { in_copy stat -c %U:%G:%a "$1"; }

# The next version: the same files under another number.
version=$(dpkg-deb -f "$package" Version)
dpkg-deb -R "$package" "$copy/next"
sed -i "s/^Version: .*/Version: $version+next/" "$copy/next/DEBIAN/control"
cp "$package" "$root/var/tmp/this.deb"
dpkg-deb -Zgzip -z1 -b "$copy/next" "$root/var/tmp/next.deb" >/dev/null
# This machine may have been used before.
[ ! -e "$root/etc/hookglot" ] && [ ! -e "$root/var/lib/hookglot" ] || fail "hookglot is installed here already"

in_copy dpkg -i /var/tmp/this.deb >"$copy/dpkg.log" 2>&1 || fail "the package cannot be installed"
[ "$(mode /etc/hookglot) $(mode /etc/hookglot/forge.secret) $(mode /var/lib/hookglot)" = \
    "root:hookglot:750 root:hookglot:640 hookglot:hookglot:700" ] || fail "others can read secrets or data"
[ -L "$root/etc/systemd/system/multi-user.target.wants/hookglot.service" ] || fail "the service is not enabled"
$as_unit hookglot check --config /etc/hookglot/hookglot.toml >"$copy/check.log" 2>&1 || fail "its configuration is not sound"
ok "installed: $(basename "$package"), $(($(stat -c %s "$package") / 1024)) KiB; a user, a secret and an empty folder of its own"
for file in man/man1/hookglot.1.gz bash-completion/completions/hookglot zsh/vendor-completions/_hookglot \
    fish/vendor_completions.d/hookglot.fish; do
    [ -e "$root/usr/share/$file" ] || echo "NOT IN IT: /usr/share/$file"
done

deliver_to 127.0.0.1:1
start
secret=$(cat "$root/etc/hookglot/forge.secret")
curl -fsS --noproxy '*' -o /dev/null -H "Gitflic-Webhook-Secret: $secret" \
    -d @mappings/gitflic-to-gitlab/examples/BRANCH_UPDATE.json "http://$hooks/" || fail "a hook is not taken"
[ "$(mode /var/lib/hookglot/hookglot.db)" = hookglot:hookglot:600 ] || fail "the store is $(mode /var/lib/hookglot/hookglot.db)"
stop
ok "it runs as its user, takes a hook with the secret that it made, and stops"

in_copy dpkg -i /var/tmp/next.deb >"$copy/dpkg.log" 2>&1 || fail "the package cannot be upgraded"
[ "$(cat "$root/etc/hookglot/forge.secret")" = "$secret" ] || fail "the upgrade made another secret"
grep -q '127.0.0.1:1/' "$root/etc/hookglot/hookglot.toml" || fail "the upgrade changed the configuration"
"$root/usr/bin/hookglot" echo --listen 127.0.0.1:0 >"$copy/echo.log" 2>&1 &
jobs="$jobs $!"
deliver_to "$(address "$copy/echo.log" "echo listens on")"
start
address "$copy/echo.log" '"object_kind": "push"' >/dev/null
stop
ok "upgraded to $version+next: the hook that waited is delivered; configuration and secret are kept"

in_copy dpkg -r hookglot >"$copy/dpkg.log" 2>&1 || fail "the package cannot be removed"
[ ! -e "$root/usr/bin/hookglot" ] || fail "the binary stays"
[ -s "$root/var/lib/hookglot/hookglot.db" ] && [ -s "$root/etc/hookglot/forge.secret" ] || fail "a removal deletes data"
in_copy dpkg -i /var/tmp/this.deb >"$copy/dpkg.log" 2>&1 || fail "the package cannot be installed again"
start
stop
ok "removed with data and configuration kept, and installed again"

in_copy dpkg -P hookglot >"$copy/dpkg.log" 2>&1 || fail "the package cannot be purged"
left=$(cd "$root" && find etc usr var/lib -path var/lib/dpkg -prune -o -name '*hookglot*' -newer "$copy/next" -print 2>/dev/null)
[ ! -e "$root/etc/hookglot" ] && [ ! -e "$root/var/lib/hookglot" ] || fail "a purge leaves data"
[ -z "$left" ] || fail "a purge leaves $left"
ok "purged: nothing is left but the user"
