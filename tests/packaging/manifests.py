"""Tries the manifests of deploy/kubernetes."""

import pathlib
import re

import objects

version = re.search(r'^version = "(.*)"', pathlib.Path("Cargo.toml").read_text(), re.M)[1]
for file in sorted(pathlib.Path("deploy/kubernetes").glob("*.yaml")):
    things = objects.read(file.read_text())
    objects.validate(things)
    for deployment in objects.of_kind(things, "Deployment"):
        for container in objects.containers(deployment["spec"]["template"]["spec"]):
            if container["args"][0] == "serve" and "HOOKGLOT_ADMIN_TOKEN_FILE" not in str(container["env"]):
                raise SystemExit(f"{file}: `kubectl exec … -- /hookglot routes` has no token")
            if container["image"] != f"hookglot:{version}":
                raise SystemExit(f"{file}: {container['image']} is not version {version}")
    objects.run(things, objects.of_kind(things, "Secret")[0]["stringData"]["forge"])
    print(f"ok   {file}: {len(things)} objects fit the schemas of Kubernetes {' and '.join(objects.VERSIONS)}; a hook went through")
