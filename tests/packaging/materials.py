"""Holds the bill of materials against the schema of CycloneDX and against Cargo.lock."""

import json
import pathlib
import sys
import tomllib

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = pathlib.Path(sys.argv[1]).read_text()
fault = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
if fault:
    raise SystemExit(f"{sys.argv[1]}: {fault}")
bill = json.loads(text)
locked = {(crate["name"], crate["version"]) for crate in tomllib.loads(pathlib.Path("Cargo.lock").read_text())["package"]}
listed = {(part["name"], part["version"]) for part in bill["components"]}
if not listed <= locked or len(listed) < 100:
    raise SystemExit(f"{sys.argv[1]}: it lists {len(listed)} crates; not in Cargo.lock: {sorted(listed - locked)}")
# One that every build has, and three that none has: for tests, for another system, for the build itself.
names = {name for name, _ in listed}
if "serde_json" not in names or {"criterion", "windows-sys", "cc"} & names:
    raise SystemExit(f"{sys.argv[1]}: it lists what is not in the binary")
for part in bill["components"]:
    if not part.get("purl") or not (part.get("licenses") and part.get("hashes")):
        raise SystemExit(f"{sys.argv[1]}: {part['name']} has no licence or checksum")
if str(pathlib.Path.cwd()) in text:
    raise SystemExit(f"{sys.argv[1]}: it names a folder of this machine")
print(f"ok   {sys.argv[1]}: CycloneDX 1.5, {len(listed)} crates")
