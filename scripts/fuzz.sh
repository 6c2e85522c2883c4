#!/bin/sh
# Tries whatever reads what others wrote with bytes of a fuzzer's making, beginning with what the
# project has of such files: scripts/fuzz.sh [seconds for each [target …]]. docs/testing.md says more.
#
# libFuzzer comes as the crate libfuzzer-sys, which wants a C++ compiler; Rust's stable compiler is enough. What makes a
# target fail is kept in fuzz/artifacts/<target>/; what a run has learned, in fuzz/corpus/<target>/.
set -eu
cd "$(dirname "$0")/.."

seconds=${1:-300}
[ $# -eq 0 ] || shift
targets=${*:-expression mapping_file forge_file recognition translation signature configuration
branch_filter frames caller}

if ! command -v c++ >/dev/null; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "please install: g++" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -qy --no-install-recommends g++
fi

# Each text between ${ and } in a mapping file.
seed_expression() {
    cat mappings/*/*.yaml | tr '\n' ' ' | grep -o '\${[^}]*}' | sed 's/^\${//; s/}$//' | sort -u | split -l 1 - "$1/seed-"
}
seed_mapping_file() {
    for file in mappings/gitlab-to-gitflic/*.yaml mappings/gitflic-to-gitlab/*.yaml tests/diagnostics/*.yaml; do
        cp "$file" "$1/$(echo "$file" | tr / -)"
    done
}
seed_forge_file() {
    for file in mappings/*/forge.yaml tests/diagnostics/forge-*.yaml; do
        cp "$file" "$1/$(echo "$file" | tr / -)"
    done
}
seed_recognition() {
    for file in mappings/gitlab-to-gitflic/examples/*.json mappings/gitflic-to-gitlab/examples/*.json; do
        case $file in
            *.gitlab.json | *.gitflic.json) ;;
            *) cp "$file" "$1/$(echo "$file" | tr / -)" ;;
        esac
    done
    printf 'X-Gitlab-Event: System Hook\n{"event_name": "user_add_to_team", "project_id": 1}' > "$1/with-a-header"
}
seed_translation() { seed_recognition "$1"; }
# With signatures that fit, of the key that the target knows.
seed_signature() { cp fuzz/seeds/signature/* "$1/"; }
# The example, with what stands behind # taken in, and without what names other files.
seed_configuration() {
    cp fuzz/seeds/configuration/* "$1/"
    sed 's/^# \([a-z_]* = \)/\1/; /file/d; /mappings_dir/d' hookglot.example.toml > "$1/example"
}
seed_branch_filter() { cp fuzz/seeds/branch_filter/* "$1/"; }
seed_frames() { cp fuzz/seeds/frames/* "$1/"; }
seed_caller() { cp fuzz/seeds/caller/* "$1/"; }

# The versions of the project, and libfuzzer-sys beside them.
cp Cargo.lock fuzz/Cargo.lock
triple=$(rustc -vV | sed -n 's/^host: //p')
# Bytes that reach new code are found by counters that the compiler puts in, as cargo-fuzz has it.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Cdebug-assertions -Coverflow-checks" \
    cargo build --release --manifest-path fuzz/Cargo.toml --target "$triple"

for target in $targets; do
    mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target" "fuzz/regressions/$target"
    "seed_$target" "fuzz/corpus/$target"
    echo "== $target, $seconds s"
    # Bytes are a text of words: longer ones than a page show nothing that shorter ones do not.
    "fuzz/target/$triple/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
        -artifact_prefix="fuzz/artifacts/$target/" -print_final_stats=1 "fuzz/corpus/$target" "fuzz/regressions/$target"
done
