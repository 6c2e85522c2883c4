"""Has a real Prometheus scrape a real hookglot with hooks that go through, fail and are refused, and asks it everything that the
dashboard asks. Uses nothing beyond Python's own modules."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from running import HOOK, Process, Wrong

PROMETHEUS = pathlib.Path(os.environ["PROMETHEUS"])
RULES = pathlib.Path("deploy/prometheus/hookglot.rules.yml").resolve()
DASHBOARD = json.loads(pathlib.Path("deploy/grafana/hookglot.json").read_text())
SECRET = "brass-lantern-77"
# What the dashboard's variables stand for here.
VARIABLES = {"$instance": ".*", "$route": ".*", "$destination": ".*", "$__rate_interval": "1m", "$__range": "1h"}
# Panels that have nothing to show here: there is no TLS, and the hooks have every field that their mappings read.
EMPTY = {"Certificate ends in", "Fields that hooks did not have"}
OF_GITLAB = pathlib.Path("mappings/gitlab-to-gitflic/examples/push.json").read_bytes()


class Stopped:
    """A process of ours that is stopped at the end."""

    def __init__(self, process):
        self.process = process

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        raise Wrong(f"{url}: {error.code} {error.read().decode(errors='replace')}") from error


def post(url, secret, body=HOOK, headers=None):
    request = urllib.request.Request(url, data=body, headers=headers or {"Gitflic-Webhook-Secret": secret})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def until(what, look):
    """Waits for a condition."""
    for _ in range(600):
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise Wrong(f"waited for {what}")


def start_hookglot(folder, stack):
    """A hookglot with a tool that takes hooks, and one that is not there; their addresses."""
    tool = Process(folder, "tool", ("echo", "--listen", "127.0.0.1:0"), {})
    stack.callback(tool.stop)
    at = tool.waits_for(r"http://(127\.0\.0\.1:\d+)")[1]
    config = folder / "hookglot.toml"
    config.write_text(
        f'listen = "127.0.0.1:0"\nadmin_listen = "127.0.0.1:0"\ndata_dir = "{folder}/data"\n'
        f'[[alert]]\nname = "chat"\nurl = "http://{at}/alerts"\non = ["failed"]\n'
        f'[[route]]\npath = "/"\nsecret = "{SECRET}"\n'
        f'[[route.to]]\nname = "tool"\nurl = "http://{at}/"\nformat = "gitlab"\n'
        # Nobody can listen at port 1 of this address without being root, and nobody does.
        '[[route.to]]\nname = "away"\nurl = "http://127.0.0.99:1/"\nformat = "gitlab"\nretries = []\nbreaker = "none"\n'
    )
    hookglot = Process(folder, "hookglot", ("serve", "--config", str(config)), {})
    stack.callback(hookglot.stop)
    hooks = hookglot.waits_for(r"hooks come in on (http://\S+?)/?\s")[1]
    admin = hookglot.waits_for(r"admin listens on http://(\S+)")[1]
    return hooks, admin


def start_prometheus(folder, admin, stack):
    """A Prometheus that scrapes it; its address, on a port that it finds itself."""
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: [{RULES}]\n"
        f'scrape_configs: [{{job_name: hookglot, static_configs: [{{targets: ["{admin}"]}}]}}]\n'
    )
    log = folder / "prometheus.log"
    with log.open("wb") as output:
        arguments = [f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb", "--web.listen-address=127.0.0.1:0"]
        process = subprocess.Popen([PROMETHEUS / "prometheus", *arguments], stdout=output, stderr=subprocess.STDOUT)
    stack.callback(Stopped(process).stop)

    def address():
        if process.poll() is not None:
            raise Wrong(log.read_text())
        # It says port 0; the kernel knows better.
        inodes = set()
        for link in pathlib.Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                inodes.update(re.findall(r"socket:\[(\d+)\]", os.readlink(link)))
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            parts = line.split()
            if parts[3] == "0A" and parts[9] in inodes:
                return f"http://127.0.0.1:{int(parts[1].split(':')[1], 16)}"
        return None

    prometheus = until("Prometheus' port", address)

    def ready():
        with contextlib.suppress(Wrong, OSError):
            return get(f"{prometheus}/-/ready")
        return None

    until("Prometheus", ready)
    return prometheus


def ask(prometheus, expression):
    """What Prometheus answers to an expression; an error of it is ours."""
    answer = json.loads(get(f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"))
    if answer["status"] != "success" or answer.get("warnings"):
        raise Wrong(f"{expression}: {answer}")
    return answer["data"]["result"]


def queries():
    """Every query of the dashboard, with the title of its panel."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            yield panel["title"], expression


def main():
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        hooks, admin = start_hookglot(folder, stack)
        prometheus = start_prometheus(folder, admin, stack)
        until("the first reading", lambda: ask(prometheus, 'up{job="hookglot"} == 1'))
        until("zeros", lambda: ask(prometheus, 'hookglot_deliveries_total{outcome="failed"} == 0'))
        # The last is of no forge, and ignored.
        answers = [post(hooks, SECRET), post(hooks, SECRET), post(hooks, "copper-kettle-12"), post(hooks, SECRET, b"{}")]
        if answers != [200, 200, 401, 200]:
            raise Wrong(f"hooks were answered with {answers}")
        until("the hooks", lambda: ask(prometheus, 'hookglot_deliveries_total{destination="tool",outcome="delivered"} == 2'))
        until("the failures", lambda: ask(prometheus, 'hookglot_deliveries_total{destination="away",outcome="failed"} == 2'))
        until("the growth", lambda: ask(prometheus, 'increase(hookglot_hooks_total{forge="gitflic"}[1m]) > 0'))

        # A first failure is an alert at once.
        firing = 'ALERTS{alertname="HookglotDeliveriesFailed",alertstate="firing",destination="away"}'
        until("an alert", lambda: ask(prometheus, firing))
        groups = json.loads(get(f"{prometheus}/api/v1/rules"))["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        sick = [rule["name"] for rule in rules if rule["health"] != "ok"]
        if sick or not rules:
            raise Wrong(f"rules that cannot be evaluated: {sick} of {len(rules)}")
        wrong = [rule["name"] for rule in rules if rule["state"] == "firing" and rule["name"] != "HookglotDeliveriesFailed"]
        if wrong:
            raise Wrong(f"alerts without a cause: {wrong}")

        # Of what comes to be with its first event, Prometheus sees growth from the second on.
        post(hooks, SECRET)
        post(hooks, SECRET, OF_GITLAB, {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": SECRET})
        count, missing = len(list(queries())), None
        for _ in range(30):
            answered = [(title, ask(prometheus, expression)) for title, expression in queries()]
            missing = {title for title, found in answered if not any(own["value"][1] != "NaN" for own in found)} - EMPTY
            if not missing:
                break
            time.sleep(1)
        else:
            raise Wrong(f"panels without data: {sorted(missing)}")
        # The whole of what is shown at once, as it is at the end.
        text = get(f"http://{admin}/metrics")
        checked = subprocess.run([PROMETHEUS / "promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        if checked.returncode or checked.stdout or checked.stderr:
            raise Wrong(f"promtool check metrics: {checked.stdout}{checked.stderr}")
        print(f"ok   {len(rules)} rules are evaluated, {count} queries of the dashboard are answered, /metrics is as it should be")


main()
