"""Holds deploy/compose.yaml against the schema of Compose, and runs both of its services."""

import pathlib
import re
import subprocess
import sys

import yaml

from running import Wrong, deliver

FILE = "deploy/compose.yaml"


def filled(thing, variables):
    """What Compose makes of ${NAME:-default} and ${NAME:?message} in the values of a file."""
    if isinstance(thing, dict):
        return {name: filled(value, variables) for name, value in thing.items()}
    if isinstance(thing, list):
        return [filled(value, variables) for value in thing]
    if not isinstance(thing, str):
        return thing

    def value(found):
        name, kind, rest = found.groups()
        if variables.get(name):
            return variables[name]
        if kind == ":?":
            raise Wrong(f"{name} {rest}")
        return rest or ""

    return re.sub(r"\$\{(\w+)(:[-?])?([^}]*)\}", value, thing)


def main():
    subprocess.run(
        [pathlib.Path(sys.executable).parent / "check-jsonschema", "--quiet", "--builtin-schema", "vendor.compose-spec", FILE],
        check=True,
    )
    written = yaml.safe_load(pathlib.Path(FILE).read_text())
    try:
        filled(written, {})
        raise SystemExit(f"{FILE}: starts without a secret")
    except Wrong:
        pass
    compose = filled(written, {"HOOKGLOT_SECRET": "brass-lantern-77"})
    hookglot, tool = compose["services"]["hookglot"], compose["services"]["tool"]
    for name, service in compose["services"].items():
        hard = service["read_only"] and service["cap_drop"] == ["ALL"] and service["user"] == "65534:65534"
        if not hard or service["security_opt"] != ["no-new-privileges:true"]:
            raise SystemExit(f"{FILE}: {name} may do more than it needs")
    version = re.search(r'^version = "(.*)"', pathlib.Path("Cargo.toml").read_text(), re.M)[1]
    if hookglot["image"] != f"hookglot:{version}" or tool["image"] != hookglot["image"]:
        raise SystemExit(f"{FILE}: the image is not that of version {version}")
    if hookglot["healthcheck"]["test"] != ["CMD", "/hookglot", "healthcheck"]:
        raise SystemExit(f"{FILE}: another health check than the image's")
    port = tool["command"][2].rpartition(":")[2]
    if hookglot["environment"]["HOOKGLOT_TO"] != f"http://tool:{port}/":
        raise SystemExit(f"{FILE}: hookglot does not deliver to the tool")
    deliver(hookglot["command"], hookglot["environment"], {}, "brass-lantern-77", tool["command"])
    print("ok   deploy/compose.yaml: its schema, and a hook through both services")


main()
