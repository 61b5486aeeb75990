"""That `helm --wait` does not wait for ever. Helm's own waiting looks at a cluster whose volumes, as those of k3s'
local-path, are bound once a pod mounts them, and whose servers are ready at once. No CronJob is due for hours."""

import asyncio
import json
import shutil
import tempfile
from pathlib import Path

from helm_sdkpy import Configuration, Install

import helm
from cluster import Cluster
from parts import CASES, part

READY = {"observedGeneration": 1} | dict.fromkeys(
    ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "currentReplicas"], 1
)
STATUS = {
    "Deployment": {
        **READY,
        "conditions": [
            {"type": "Available", "status": "True"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ],
    },
    "StatefulSet": {**READY, "currentRevision": "1", "updateRevision": "1"},
    # It has begun, and pulls its image, say.
    "Job": {"active": 1, "startTime": "2026-11-28T12:00:00Z"},
}


class Slow(Cluster):
    """Keeps what is written, and says how each thing is."""

    def take(self, body):
        super().take(body)
        # Helm's own record is no JSON.
        if body.startswith(b"{"):
            thing = json.loads(body)
            thing["metadata"] |= {"generation": 1, "resourceVersion": "1", "uid": str(len(self.objects))}
            self.objects.append({**thing, "status": STATUS.get(thing["kind"], {})})
            for claim in self.objects:
                if claim["kind"] == "PersistentVolumeClaim":
                    claim["status"] = {"phase": "Bound" if self.mounted(claim["metadata"]["name"]) else "Pending"}

    def mounted(self, claim):
        pods = [thing["spec"]["template"]["spec"] for thing in self.objects if thing["kind"] in STATUS]
        return any(
            volume.get("persistentVolumeClaim", {}).get("claimName") == claim
            for pod in pods
            for volume in pod.get("volumes", [])
        )


def waited(values, chart=helm.CHART, seconds=20):
    """What `helm install --wait` says in the end: nothing, or what it waited for in vain."""
    config = Configuration(namespace="porchlight", kubeconfig=helm.server.add(Slow("1.36", (), False)))
    try:
        asyncio.run(Install(config).run("porchlight", str(chart), values=values, wait=True, timeout=seconds))
        return ""
    except Exception as error:
        return str(error)


@part
def waits():
    """An install ends though the jobs' volume has no consumer until a job is due, and would not without the one-off Job."""
    without = helm.merged(CASES["without-keeper"], {"ping": {"mode": "cron"}})
    alone = helm.merged(without, {"ping": {"enabled": False}, "dns": {"enabled": False}})
    for told, values in (("with a keeper", CASES["minimal"]), ("without", without), ("bandwidth alone", alone)):
        if said := waited(values):
            yield f"{told}, helm --wait ends with: {said}"
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder) / "chart"
        shutil.copytree(helm.CHART, chart)
        template = chart / "templates/jobs.yaml"
        claim, _, job = template.read_text().partition("---\n{{- $pod :=")
        template.write_text(claim + "{{- end }}\n" + job.partition("{{- end }}\n")[2])
        said = waited(without, chart, 4)
        if "PersistentVolumeClaim/porchlight/porchlight-state not ready" not in said:
            yield f"without the Job helm --wait says: {said or 'nothing'}"
