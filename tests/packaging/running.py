"""Runs what a container of hookglot's would run: its arguments and variables, with the real binary on this machine.

What differs from a container: its folders are folders of a temporary one, its ports are any that are free, and what it delivers to
is a `hookglot echo`.
"""

import contextlib
import os
import pathlib
import re
import ssl
import subprocess
import tempfile
import time
import urllib.request

BINARY = os.environ["HOOKGLOT"]
HOOK = pathlib.Path("mappings/gitflic-to-gitlab/examples/BRANCH_UPDATE.json").read_bytes()
# Every folder that files of deploy/ name, longest first: one is the beginning of another.
FOLDERS = ["/run/secrets/hookglot-tls", "/run/secrets/hookglot", "/etc/hookglot", "/var/lib/hookglot", "/mappings", "/data"]


class Wrong(Exception):
    """What a file of deploy/ says does not work."""


class Process:
    """A hookglot whose output is in a file."""

    def __init__(self, folder, name, arguments, environment):
        self.log = folder / f"{name}.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HOOKGLOT")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [BINARY, *arguments], env=clean | environment, stdout=log, stderr=subprocess.STDOUT
            )

    def waits_for(self, pattern):
        for _ in range(300):
            found = re.search(pattern, self.log.read_text(errors="replace"))
            if found:
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise Wrong(f"waited for {pattern!r} in:\n{self.log.read_text(errors='replace')}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def knows_tls():
    """Whether this hookglot knows the settings of TLS on its own port."""
    environment = os.environ | {"HOOKGLOT_TLS__CERT_FILE": "/", "HOOKGLOT_TO": "http://a/", "HOOKGLOT_SECRET": "x"}
    said = subprocess.run([BINARY, "check"], env=environment, capture_output=True, text=True)
    return "HOOKGLOT_TLS__CERT_FILE: unknown setting" not in said.stderr


def certificate(folder):
    """Puts a certificate for localhost where the chart mounts one."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", folder / "tls.key", "-out", folder / "tls.crt"],
        check=True, capture_output=True,
    )


def get(url, body=None, headers=None):
    """What a server of this machine answers, whatever certificate it shows."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting))
    with opener.open(urllib.request.Request(url, data=body, headers=headers or {}), timeout=10) as answer:
        return answer.status, answer.read().decode()


def inside(text, root):
    """A text with the folders of a container, with those of a temporary folder in their place."""
    for folder in FOLDERS:
        text = re.sub(rf'(?<![\w/.-]){re.escape(folder)}(?=[/"]|$)', f"{root}\0{folder[1:]}", text)
    return text.replace("\0", "/")


def deliver(arguments, environment, files, secret, echo=("echo", "--listen", "127.0.0.1:0"), path="/"):
    """Starts a tool and hookglot, asks for what probes ask for, sends a hook, and waits for it at the tool.

    `files` are by their paths in the container; `path` is where hooks come in.
    """
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        root = pathlib.Path(name)
        tool = Process(root, "tool", [re.sub(r"^[\d.]+:\d+$", "127.0.0.1:0", word) for word in echo], {})
        stack.callback(tool.stop)
        address = tool.waits_for(r"echo listens on http://([\d.:]+)")[1]

        def here(text):
            return re.sub(r"https?://[\w.-]+(:\d+)?(?=/)", f"http://{address}", inside(text, root))

        for place, text in files.items():
            file = pathlib.Path(inside(place, root))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(here(text))
        environment = {name: here(value) for name, value in environment.items()}
        if "HOOKGLOT_TLS__CERT_FILE" in environment:
            certificate(pathlib.Path(environment["HOOKGLOT_TLS__CERT_FILE"]).parent)
        environment |= {
            "HOOKGLOT_LISTEN": "127.0.0.1:0", "HOOKGLOT_ADMIN_LISTEN": "127.0.0.1:0", "HOOKGLOT_DATA_DIR": f"{root}/data",
            "NO_COLOR": "1",
        }
        arguments = [here(word) for word in arguments]
        checked = subprocess.run([BINARY, "check", *arguments[1:]], env=environment, capture_output=True, text=True)
        if checked.returncode:
            raise Wrong(f"hookglot check: {checked.stderr}")
        served = Process(root, "hookglot", arguments, environment)
        stack.callback(served.stop)
        admin = served.waits_for(r"admin listens on[^\n]*?http://([\d.:]+)")[1]
        scheme, hooks = served.waits_for(r"hooks come in on[^\n]*?(https?)://([\d.:]+)").groups()
        for page in ("live", "ready", "metrics"):
            if get(f"http://{admin}/{page}")[0] != 200:
                raise Wrong(f"/{page} is not answered")
        healthy = subprocess.run([BINARY, "healthcheck"], env=environment | {"HOOKGLOT_ADMIN_LISTEN": admin})
        if healthy.returncode:
            raise Wrong("hookglot healthcheck fails")
        if "HOOKGLOT_ADMIN_TOKEN_FILE" in environment:
            asked = environment | {"HOOKGLOT_ADMIN_LISTEN": admin}
            routes = subprocess.run([BINARY, "routes"], env=asked, capture_output=True, text=True)
            if routes.returncode:
                raise Wrong(f"hookglot routes, as `kubectl exec` runs it: {routes.stderr}")
        get(f"{scheme}://{hooks}{path}", HOOK, {"Gitflic-Webhook-Secret": secret})
        tool.waits_for(r'"object_kind": "push"')
        served.stop()
        if served.process.returncode:
            raise Wrong(f"exit code {served.process.returncode} after SIGTERM")
