"""The pods of a rendering, and the secrets that these have."""

import copy

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod")


def pods(rendering):
    """Each workload with its pod: kind, name, labels and spec. What a pod learns of where it runs is filled in."""
    for thing in rendering.objects:
        if thing["kind"] not in WORKLOADS:
            continue
        spec, metadata = thing["spec"], thing["metadata"]
        if thing["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if thing["kind"] != "Pod":
            metadata, spec = spec["template"]["metadata"], spec["template"]["spec"]
        spec = copy.deepcopy(spec)
        for variable in (variable for container in spec["containers"] for variable in container.get("env", [])):
            told = {"spec.nodeName": "pi4", "status.hostIP": "192.168.1.10"}
            path = variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
            if path in told:
                variable["value"] = told[path]
        yield thing, metadata["labels"], spec


def secrets(volume):
    """The Secrets that a volume holds, each with the keys of it."""
    sources = [source.get("secret") for source in volume.get("projected", {}).get("sources", [])]
    for source in [volume.get("secret"), *sources]:
        for item in source["items"] if source else []:
            yield source.get("secretName") or source["name"], item["key"]
