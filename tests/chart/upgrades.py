"""What becomes of the definitions of the operator's objects at an upgrade, at an uninstall, and beside a release of Pinglow's: Helm itself
does it, to a cluster that remembers what it is told."""

import asyncio
import base64
import gzip
import json
import re
import tempfile
from pathlib import Path

import yaml
from helm_sdkpy import Configuration, Install, Uninstall, Upgrade

import helm
from cluster import Cluster
from parts import MINIMAL, part
from watched import NAMES, TYPES, adopting, applied

WATCHING = helm.merged(MINIMAL, {"operator": {"enabled": True, "namespaces": ["checks"]}})


class Remembering(Cluster):
    """Keeps what is made, and the records of releases, so that one can be upgraded and removed; and notes what is changed."""

    def __init__(self, objects=()):
        super().__init__("1.36", objects, None)
        self.changes = []

    def take(self, body):
        super().take(body)
        if body.startswith(b"{"):
            self.put(json.loads(body))
        for record in re.findall(rb"H4sI[A-Za-z0-9+/]+=*", body):
            told = json.loads(gzip.decompress(base64.b64decode(record)))
            name = f"sh.helm.release.v1.{told['name']}.v{told['version']}"
            labels = {"name": told["name"], "owner": "helm", "status": told["info"]["status"], "version": str(told["version"])}
            metadata = {"name": name, "namespace": told["namespace"], "labels": labels}
            data = {"release": base64.b64encode(record).decode()}
            self.put({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "metadata": metadata, "data": data})

    def put(self, thing):
        def key(thing):
            return thing["kind"], thing["metadata"].get("namespace"), thing["metadata"]["name"]

        self.objects = [other for other in self.objects if key(other) != key(thing)] + [thing]

    def change(self, verb, path, body):
        self.changes.append((verb, path.rpartition("/")[2], body))
        if verb == "DELETE":
            _, thing = self.answer(path)
            self.objects = [other for other in self.objects if other is not thing]

    def defined(self):
        return [thing for thing in self.objects if thing["kind"] == "CustomResourceDefinition"]


def does(action, cluster, release, *words, namespace="porchlight", **more):
    config = Configuration(namespace=namespace, kubeconfig=helm.server.add(cluster))
    try:
        asyncio.run(action(config).run(release, *words, wait=False, **more))
        return ""
    except Exception as error:
        return str(error)


def older():
    """The chart as it might have been: its definitions know nothing of a status."""
    return helm.changed("files/crds.yaml", "    subresources:\n      status: {}\n", "")


@part
def upgrade():
    """An upgrade brings the definitions, renews older ones, and an uninstall leaves them where they are, and nothing else."""
    cluster = Remembering()
    said = [does(Install, cluster, "porchlight", str(helm.CHART), values=MINIMAL), len(cluster.defined())]
    with older() as chart:
        said += [does(Upgrade, cluster, "porchlight", str(chart), values=WATCHING), len(cluster.defined())]
        if "subresources" in str(cluster.defined()):
            yield "the older definitions are not older"
    cluster.changes.clear()
    written = next(thing for thing in cluster.objects if thing["metadata"]["name"] == "porchlight-operator-channels")
    written["data"] = {"URLS": "bnRmeTovL250Znkuc2gvaG9tZQ=="}
    said += [does(Upgrade, cluster, "porchlight", str(helm.CHART), values=WATCHING), len(cluster.defined())]
    if lost := [body for _, name, body in cluster.changes if name == "porchlight-operator-channels" and b'"data"' in body]:
        yield f"an upgrade changes what the operator has written: {lost}"
    if said != ["", 0, "", 4, "", 4]:
        yield f"an install and two upgrades say {said}"
    renewed = {name for verb, name, body in cluster.changes if verb == "PATCH" and b'"subresources"' in body}
    if renewed != set(NAMES):
        yield f"an upgrade renews the definitions {sorted(renewed)}"
    cluster.changes.clear()
    said = [does(Upgrade, cluster, "porchlight", str(helm.CHART), values=MINIMAL), does(Uninstall, cluster, "porchlight")]
    gone = {name for verb, name, _ in cluster.changes if verb == "DELETE"}
    if said != ["", ""] or gone & set(NAMES) or not {"porchlight-operator", "porchlight-scripts-internet", "porchlight-keeper"} <= gone:
        yield f"without the operator, and then without the release ({said}), these are deleted: {sorted(gone)}"


@part
def after_pinglow():
    """What the guide says of a Pinglow whose definitions are its release's: they are refused, and adopted, and only then do they stay."""
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder) / "pinglow"
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text("{apiVersion: v2, name: pinglow, version: 0.1.0}")
        theirs = [document for document in yaml.safe_load_all(TYPES) if document["spec"]["group"] == "pinglow.io"]
        for document in theirs:
            document["metadata"].pop("annotations")
        (chart / "templates/crds.yaml").write_text(yaml.safe_dump_all(theirs))
        cluster = Remembering()
        if said := does(Install, cluster, "pinglow", str(chart), namespace="pinglow"):
            yield f"a Pinglow cannot be installed: {said}"
        said = does(Install, cluster, "porchlight", str(helm.CHART), values=WATCHING)
        if "are not this release's" not in said:
            yield f"beside a Pinglow an install says: {said or 'nothing'}"
        for thing in cluster.defined():
            thing["metadata"].setdefault("annotations", {})
            thing["metadata"].setdefault("labels", {})
        applied(adopting(), cluster.defined())
        if said := does(Install, cluster, "porchlight", str(helm.CHART), values=WATCHING):
            yield f"after the guide's commands an install says: {said}"
        if len(cluster.defined()) != 4:
            yield f"then there are the definitions {[thing['metadata']['name'] for thing in cluster.defined()]}"
        other = Remembering()
        does(Install, other, "pinglow", str(chart), namespace="pinglow")
        for told, cluster, expected in (("adopted", cluster, 0), ("its own", other, 3)):
            cluster.changes.clear()
            said = does(Uninstall, cluster, "pinglow", namespace="pinglow")
            gone = sorted(name for verb, name, _ in cluster.changes if verb == "DELETE" and name in NAMES)
            if said or len(gone) != expected:
                yield f"where they are {told}, an uninstall of Pinglow says {said or 'nothing'} and removes {gone}"
