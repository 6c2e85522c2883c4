"""Holds objects of Kubernetes against its schemas, the restricted Pod Security Standard and each other, and runs what is in them."""

import kubernetes_validate
import yaml
from cloudcoil.models.prometheus_operator import v1 as operator

from running import Wrong, deliver, knows_tls

# The oldest and the newest that the files are for.
VERSIONS = ("1.29", "1.37")
MONITORS = {"ServiceMonitor": operator.ServiceMonitor, "PodMonitor": operator.PodMonitor, "PrometheusRule": operator.PrometheusRule}


def read(text):
    """The objects of a text, without empty documents."""
    return [thing for thing in yaml.safe_load_all(text) if thing]


def validate(things):
    """Each against its schema, unknown fields refused; then all against each other."""
    for thing in things:
        if thing["kind"] in MONITORS:
            model = MONITORS[thing["kind"]].model_validate(thing)
            kept = model.model_dump(by_alias=True, exclude_unset=True, mode="json")
            if kept["spec"] != thing["spec"]:
                raise Wrong(f"{thing['kind']}: the schema has other fields: {thing['spec']} became {kept['spec']}")
            continue
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(thing, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                raise Wrong(f"{thing['kind']} {thing['metadata']['name']} in {version}: {error.message}") from error
    names = [(thing["kind"], thing["metadata"]["name"]) for thing in things]
    if len(names) != len(set(names)):
        raise Wrong(f"two objects of one name: {names}")
    for deployment in of_kind(things, "Deployment"):
        restricted(deployment["spec"]["template"]["spec"])
        alone(deployment["spec"])
        selected(things, deployment["spec"]["template"])


def of_kind(things, kind):
    return [thing for thing in things if thing["kind"] == kind]


def containers(pod):
    return pod.get("initContainers", []) + pod["containers"]


def alone(deployment):
    if deployment["replicas"] != 1 or deployment["strategy"] != {"type": "Recreate"}:
        raise Wrong("two hookglots could share their data")


def restricted(pod):
    """The restricted Pod Security Standard, and what we ask beyond it."""
    security = pod["securityContext"]
    if not security["runAsNonRoot"] or not security["runAsUser"] or security["seccompProfile"]["type"] != "RuntimeDefault":
        raise Wrong(f"the pod is not restricted: {security}")
    if pod["automountServiceAccountToken"]:
        raise Wrong("the pod gets a token that it does not need")
    if {"hostNetwork", "hostPID", "hostIPC"} & pod.keys():
        raise Wrong("the pod shares the node's namespaces")
    for container in containers(pod):
        security = container["securityContext"]
        if security["allowPrivilegeEscalation"] or security["capabilities"] != {"drop": ["ALL"]} or security.get("privileged"):
            raise Wrong(f"{container['name']} is not restricted: {security}")
        if not security["readOnlyRootFilesystem"] or "memory" not in container["resources"]["limits"]:
            raise Wrong(f"{container['name']} can fill a disk or the memory")


def selected(things, template):
    """What names labels, ports, volumes, claims, secrets or services finds them."""
    labels, pod = template["metadata"]["labels"], template["spec"]
    ports = {port["name"] for container in containers(pod) for port in container.get("ports", [])}
    for thing in things:
        spec = thing.get("spec", {})
        selector = spec.get("podSelector", spec.get("selector", {})) if thing["kind"] != "PersistentVolumeClaim" else {}
        wanted = selector.get("matchLabels", selector)
        if thing["kind"] == "ServiceMonitor":
            fitting = [s for s in of_kind(things, "Service") if wanted.items() <= s["metadata"]["labels"].items()]
            served = {port["name"] for service in fitting for port in service["spec"]["ports"]}
            if len(fitting) != 1 or not {end["port"] for end in spec["endpoints"]} <= served:
                raise Wrong(f"the ServiceMonitor finds {len(fitting)} services with ports {served}")
        elif wanted and not wanted.items() <= labels.items():
            raise Wrong(f"{thing['kind']} {thing['metadata']['name']} selects nothing: {wanted}")
        if thing["kind"] == "Service" and not {port["targetPort"] for port in spec["ports"]} <= ports:
            raise Wrong(f"Service {thing['metadata']['name']}: no such port: {spec['ports']}")
        if thing["kind"] == "PodMonitor" and not {end["port"] for end in spec["podMetricsEndpoints"]} <= ports:
            raise Wrong("the PodMonitor asks a port that is none")
        if thing["kind"] == "Ingress":
            backend = spec["rules"][0]["http"]["paths"][0]["backend"]["service"]
            names = {s["metadata"]["name"]: {port["name"] for port in s["spec"]["ports"]} for s in of_kind(things, "Service")}
            if backend["port"]["name"] not in names.get(backend["name"], ()):
                raise Wrong(f"the Ingress leads to {backend}, not to one of {names}")
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in containers(pod):
        mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
        if not mounted <= volumes:
            raise Wrong(f"{container['name']} mounts {mounted - volumes}, which is no volume")


def mounted_files(things, pod, container, others):
    """What stands in the files of a container, by their paths: of the ConfigMaps and Secrets beside it, and of `others`."""
    maps = {("configMap", m["metadata"]["name"]): m["data"] for m in of_kind(things, "ConfigMap")}
    maps |= {("secret", s["metadata"]["name"]): s["stringData"] for s in of_kind(things, "Secret")}
    maps |= {("secret", name): data for name, data in others.items()}
    files = {}
    for mount in container["volumeMounts"]:
        volume = next(volume for volume in pod["volumes"] if volume["name"] == mount["name"])
        source = next(((kind, volume[kind].get("name") or volume[kind].get("secretName"))
                       for kind in ("configMap", "secret") if kind in volume), None)
        if source not in maps:
            continue
        items = volume[source[0]].get("items") or [{"key": key, "path": key} for key in maps[source]]
        files |= {f"{mount['mountPath']}/{item['path']}": maps[source][item["key"]] for item in items}
    return files


def run(things, secret, others=None):
    """Runs the containers of hookglot in the one Deployment of these objects, with the real binary, and a hook through them.

    `others`: secrets that are there already. Says whether what needs TLS was run.
    """
    pod = of_kind(things, "Deployment")[0]["spec"]["template"]["spec"]
    serving = next(container for container in containers(pod) if container["args"][0] == "serve")
    echo = next((container["args"] for container in containers(pod) if container["args"][0] == "echo"), None)
    environment = {variable["name"]: variable["value"] for variable in serving.get("env", [])}
    environment.pop("SSL_CERT_FILE", None)
    whole = knows_tls() or not any("TLS" in name for name in environment)
    if not whole:
        environment = {name: value for name, value in environment.items() if "TLS" not in name}
    files = mounted_files(things, pod, serving, others or {})
    claims = {claim["metadata"]["name"] for claim in of_kind(things, "PersistentVolumeClaim")}
    for volume in pod["volumes"]:
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        if claim and claim not in claims and claim not in (others or {}):
            raise Wrong(f"there is no claim {claim}")
    # Where the ingress sends hooks, there must be a route.
    ways = [ingress["spec"]["rules"][0]["http"]["paths"][0]["path"] for ingress in of_kind(things, "Ingress")]
    deliver(serving["args"], environment, files, secret, echo or ("echo", "--listen", "127.0.0.1:0"), *ways)
    return whole
