"""Renders the Helm chart with every one of its values by Helm's own engine, and tries what comes out."""

import copy
import pathlib
import re
import tempfile

import yaml
from helm_python import Chart, chart
from helm_python.errors import HelmError

import objects
from running import Wrong, certificate, knows_tls

FOLDER = pathlib.Path("deploy/helm/hookglot")
DEFAULTS = yaml.safe_load((FOLDER / "values.yaml").read_text())
RULES = pathlib.Path("deploy/prometheus/hookglot.rules.yml")
# What the values files count on: secrets and claims that are there already.
OTHERS = {"forge-hooks": {"forge": "brass-lantern-77", "admin": "tin-whistle-4-of-nine"}}


def leaves(values, defaults, path=()):
    """The paths at which a values file differs from the defaults."""
    for name, value in values.items():
        default = defaults.get(name) if isinstance(defaults, dict) else None
        if isinstance(value, dict) and isinstance(default, dict) and default:
            yield from leaves(value, default, (*path, name))
        elif value != default:
            yield (*path, name)


def all_leaves(values, path=()):
    """The paths of all values there are."""
    for name, value in values.items():
        if isinstance(value, dict) and value and name not in ("resources", "podSecurityContext", "securityContext"):
            yield from all_leaves(value, (*path, name))
        else:
            yield (*path, name)


def without(values, path):
    values = copy.deepcopy(values)
    inner = values
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return values


def render(helm, values):
    helm.validate_schema(values)
    return helm.render(values, name="here", namespace="tools")


def refuses(helm, values, words):
    try:
        render(helm, values)
    except HelmError as error:
        if words not in str(error):
            raise Wrong(f"{values} is refused without {words!r}: {error}") from error
        return
    raise Wrong(f"{values} is taken")


def keeps_the_pod(helm):
    """A changed configuration is read by the running hookglot: a pod that changed would be replaced, by nobody if there is a fault."""
    def pod(config, admin):
        values = {"config": config, "secrets": {"values": {"admin": admin}}}
        return next(text for name, text in render(helm, values).items() if name.endswith("deployment.yaml"))

    if pod("a", "tin-whistle-4-of-nine") != pod("b", "tin-whistle-5-of-nine"):
        raise Wrong("another configuration or secret makes another pod")


def with_certificate(secrets):
    """The secrets, and beside them the certificate that a tool made for itself."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        certificate(folder)
        return {"forge-hooks": secrets["forge-hooks"] | {"argocd.crt": (folder / "tls.crt").read_text()}}


def main():
    helm = Chart.load(FOLDER)
    others = with_certificate(OTHERS)
    version = re.search(r'^version = "(.*)"', pathlib.Path("Cargo.toml").read_text(), re.M)[1]
    if (helm.version, helm.metadata["appVersion"]) != (version, version):
        raise Wrong(f"the chart is not of version {version}")
    tried, whole = set(), True
    for file in sorted((FOLDER / "ci").glob("*.yaml")):
        values = yaml.safe_load(file.read_text())
        linted = chart.lint(FOLDER, values, strict=True)
        worst = [message for message in linted["messages"] if message["severity"] > 1]
        if worst or linted["errors"]:
            raise Wrong(f"{file}: {worst or linted['errors']}")
        rendered = render(helm, values)
        things = objects.read("\n---\n".join(text for name, text in rendered.items() if name.endswith(".yaml")))
        objects.validate(things)
        for rules in objects.of_kind(things, "PrometheusRule"):
            if rules["spec"] != yaml.safe_load(RULES.read_text()):
                raise Wrong(f"{file}: its alerts are not those of {RULES}")
        whole &= objects.run(things, "brass-lantern-77", others)
        for path in leaves(values, DEFAULTS):
            # A value without which the chart refuses to render has its effect.
            try:
                same = render(helm, without(values, path)) == rendered
            except HelmError:
                same = False
            if same:
                raise Wrong(f"{file}: {'.'.join(path)} changes nothing")
            tried.add(path)
        print(f"ok   {file}: {len(things)} objects fit, a hook went through, each value changes something")
    missing = {".".join(path) for path in all_leaves(DEFAULTS) if not any(one[: len(path)] == path for one in tried)}
    if missing:
        raise Wrong(f"no file in {FOLDER}/ci sets {sorted(missing)}")
    keeps_the_pod(helm)
    refuses(helm, {}, "set `to`")
    refuses(helm, {"to": "http://a/"}, "secrets.values.forge")
    refuses(helm, {"to": "http://a/", "config": "x", "secrets": {"existingSecret": "a"}}, "not both")
    refuses(helm, {"to": "http://a/", "secrets": {"values": {"other": "x"}}}, "no such key")
    refuses(helm, {"config": "x", "secrets": {"adminKey": "look"}}, "no such key")
    refuses(helm, {"config": "x", "secrets": {"existingSecret": "a", "toolKey": "out"}}, "token_file")
    refuses(helm, {"to": "http://a/", "secrets": {"existingSecret": "a", "values": {"forge": "x"}}}, "not both")
    refuses(helm, {"config": 'secret_file = "/run/secrets/hookglot/forge"'}, "secrets.existingSecret")
    short = {"to": "http://a/", "secrets": {"existingSecret": "a"}}
    refuses(helm, short | {"ingress": {"enabled": True, "path": "/forge"}}, "a route of that path")
    refuses(helm, short | {"ingress": {"enabled": True}, "tls": {"secret": "b"}}, "backend-protocol")
    for monitor in ("serviceMonitor", "podMonitor"):
        refuses(helm, short | {"networkPolicy": {"enabled": True}, monitor: {"enabled": True}}, "networkPolicy.adminFrom")
    refuses(helm, {"to": "http://a/", "fromat": "gitlab"}, "fromat")
    refuses(helm, {"to": "ftp://a/"}, "to")
    refuses(helm, {"image": {"digest": "latest"}}, "digest")
    print(f"ok   {FOLDER}: {len(tried)} values, every one there is; wrong ones are refused")
    if not whole or not knows_tls():
        print("NOT TRIED: tls.secret was rendered and fits, but this hookglot knows no TLS on its own port")


main()
