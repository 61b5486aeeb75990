"""Renders and lints the chart with real Helm (helm-sdkpy), many times in one process. It has no `helm template`, so a
chart is installed into a stand-in for a cluster."""

import argparse
import asyncio
import contextlib
import copy
import dataclasses
import json
import re
import shutil
import tempfile
from pathlib import Path

import yaml
from helm_sdkpy import Configuration, Install
from helm_sdkpy.chart import Lint, Package

from cluster import Cluster, Server

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/home-beacon"

server = Server()
rendered = 0


class Refused(Exception):
    """What Helm tells the user."""


@dataclasses.dataclass
class Rendering:
    manifest: str
    hooks: str
    notes: str

    def __post_init__(self):
        self.objects = [thing for thing in yaml.load_all(self.manifest + "\n---\n" + self.hooks, Loader) if thing]

    def all(self, kind):
        return [thing for thing in self.objects if thing["kind"] == kind]

    def one(self, kind, name):
        found = [thing for thing in self.all(kind) if thing["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} of {kind} {name}"
        return found[0]


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Refuses a key that is there twice, which Kubernetes would drop without a word."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key is there twice: {sorted(keys)}, {node.start_mark}"
        return super().construct_mapping(node, deep)


def render(
    values, release="porchlight", namespace="porchlight", version="1.32", objects=(), monitors=None, chart=CHART
):
    """What `helm install` makes of the values on a cluster of that version, with these objects in it; `monitors` says
    whether it knows ServiceMonitors, which it does by default where the values want one."""
    global rendered
    metrics = values.get("metrics") or {}
    monitor, rule = (metrics.get(kind) or {} for kind in ("serviceMonitor", "prometheusRule"))
    operator = ["ServiceMonitor"] if monitors or (monitors is None and monitor.get("enabled") == "always") else []
    operator += ["PrometheusRule"] if rule.get("enabled") is True else []
    cluster = Cluster(version, objects, operator)
    config = Configuration(namespace=namespace, kubeconfig=server.add(cluster))
    rendered += 1
    try:
        asyncio.run(Install(config).run(release, str(chart), values=values, wait=False))
    except Exception as error:
        raise Refused(str(error).removeprefix("install failed: ").strip()) from None
    made = cluster.release()
    hooks = "\n---\n".join(
        hook["manifest"].strip() for hook in sorted(made.get("hooks") or [], key=lambda h: h["path"])
    )
    return Rendering(made["manifest"].strip(), hooks, made["info"].get("notes", ""))


def told(words, own):
    """What `helm upgrade RELEASE CHART …` of a guide means, run at the root of a checkout: the values, and what else `render`
    takes. `own` are the user's values, which the guide calls values.yaml."""
    flags = argparse.ArgumentParser(exit_on_error=False)
    for name in ("upgrade", "release", "chart"):
        flags.add_argument(name)
    flags.add_argument("-n", dest="namespace")
    for name in ("-f", "--set", "--set-file"):
        flags.add_argument(name, action="append", default=[])
    asked = flags.parse_args(words)
    assert (asked.upgrade, asked.f) == ("upgrade", ["values.yaml"]), asked
    values = own
    for path, value in typed(pairs(asked.set)) + [(path, (ROOT / file).read_text()) for path, file in pairs(asked.set_file)]:
        for key in reversed(path.split(".")):
            value = {key: value}
        values = merged(values, value)
    return values, {"release": asked.release, "namespace": asked.namespace, "chart": ROOT / asked.chart}


def pairs(settings):
    return [tuple(setting.split("=", 1)) for setting in settings]


def typed(settings):
    """As Helm has it: what looks like a boolean, a number or nothing is one."""
    is_other = re.compile("true|false|null|[0-9]+").fullmatch
    return [(path, yaml.safe_load(value) if is_other(value) else value) for path, value in settings]


def umbrella(folder, values):
    """Makes a parent chart in the folder, with these default values and ours as its dependency (as `helm dependency build`
    does: a package in charts/) that is there where home-beacon.enabled says so."""
    (folder / "charts").mkdir()
    (folder / "templates").mkdir()
    wanted = yaml.safe_load((CHART / "Chart.yaml").read_text())
    dependency = {
        "name": wanted["name"],
        "version": wanted["version"],
        "repository": f"file://{CHART}",
        "condition": "home-beacon.enabled",
        "tags": ["home"],
    }
    chart = {"apiVersion": "v2", "name": "umbrella", "version": "1.0.0", "dependencies": [dependency]}
    (folder / "Chart.yaml").write_text(yaml.safe_dump(chart))
    (folder / "values.yaml").write_text(json.dumps(values))
    # Helm installs nothing that makes nothing.
    (folder / "templates/own.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: own}}")
    config = Configuration(kubeconfig=server.add(Cluster("1.32", (), [])))
    asyncio.run(Package(config).run(str(CHART), str(folder / "charts")))


@contextlib.contextmanager
def changed(path, before, after):
    """A copy of the chart with another text in one of its files."""
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder) / "home-beacon"
        shutil.copytree(CHART, chart)
        text = (chart / path).read_text()
        assert before in text, f"{path} has no {before}"
        (chart / path).write_text(text.replace(before, after))
        yield chart


def lint(values):
    """What `helm lint -f values` finds that is worse than a remark. It takes no values here, so the chart gets them."""
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder) / "home-beacon"
        shutil.copytree(CHART, chart)
        defaults = yaml.safe_load((CHART / "values.yaml").read_text())
        # JSON is YAML, and leaves no doubt about what is a text.
        (chart / "values.yaml").write_text(json.dumps(merged(defaults, values)))
        config = Configuration(kubeconfig=server.add(Cluster("1.32", (), [])))
        found = asyncio.run(Lint(config).run(str(chart)))
        return [message for message in found["Messages"] if message["Severity"] >= 2]


def merged(below, above):
    """As Helm lays values over others."""
    result = copy.deepcopy(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else copy.deepcopy(value)
    return result
