#!/bin/sh
# Writes the software bill of materials: every crate that is in the binary, with its version, licence and checksum, as
# CycloneDX 1.5 in JSON. The same sources give the same file.
#
#   sh scripts/sbom.sh FILE [TARGET]       TARGET: a triple of Rust's, by default this machine's
#
# It installs cargo-cyclonedx into target/tools, unless this version is there already.
set -eu
cd "$(dirname "$0")/.."

file=${1:?where to write it} target=${2:-$(rustc -vV | sed -n 's/^host: //p')}
version=0.5.9 tool=target/tools/bin/cargo-cyclonedx
if [ "$("$tool" cyclonedx --version 2>/dev/null)" != "cargo-cyclonedx-cyclonedx $version" ]; then
    # Unoptimised: it runs for a second, and is built in a third of the time.
    cargo install --quiet --force --locked --debug --root target/tools --target-dir target/tools/build cargo-cyclonedx --version "$version"
fi

# What is built depends on the target and on nothing else: no tests, no benches, no crates of other systems. The date is that of
# the last commit, so that it is not another file each time.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date -u -r Cargo.lock +%s)}
export SOURCE_DATE_EPOCH
name=hookglot-sbom-$$
trap 'rm -f "$name.json"' EXIT
"$tool" cyclonedx --quiet --format json --spec-version 1.5 --no-build-deps --target "$target" --override-filename "$name"
mkdir -p "$(dirname "$file")"
# It names each crate's folder on this machine, which is nobody's business; a quarter of it is indentation.
sed "s|path+file://$PWD|path+file:///hookglot|g;s/^ *//;s/: /:/" "$name.json" | tr -d '\n' >"$file"
chmod 0644 "$file"
