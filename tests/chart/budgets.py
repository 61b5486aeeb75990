"""What pods take: of a node that is small, and of time."""

from pods import pods


def amount(text):
    for unit, factor in (("m", 0.001), ("Mi", 2**20), ("Gi", 2**30)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float(text)


def modest(rendering, release, namespace):
    """All at once, a second beacon during an update included, ask for less than 100 m of a CPU and 96 MiB."""
    cpu = memory = 0
    tested = False
    for thing, labels, spec in pods(rendering):
        # Tests come one after another; checks, exports and the router's port are another task than the home's line, and what each node
        # has is counted by itself.
        component = labels["app.kubernetes.io/component"]
        others = {"checks": 0, "operator": 0, "export": 0, "node-metrics": 0, "port": 0}
        times = {"beacon": 2, "test": 0 if tested else 1, **others}.get(component, 1)
        tested = tested or thing["kind"] == "Pod"
        for container in spec["containers"] + spec.get("initContainers", []):
            if "memory" not in container["resources"]["limits"] or "cpu" in container["resources"]["limits"]:
                yield f"{thing['metadata']['name']} has the limits {container['resources']['limits']}"
            cpu += times * amount(container["resources"]["requests"]["cpu"])
            memory += times * amount(container["resources"]["requests"]["memory"])
    if cpu >= 0.1 or memory >= 96 * 2**20:
        yield f"the pods ask for {cpu * 1000:.0f} m of a CPU and {memory / 2**20:.0f} MiB"


def timed(rendering, release, namespace):
    """A pod lives longer than its program may take, and one that is late is left out."""
    for job in rendering.all("CronJob"):
        told, spec = job["metadata"]["name"], job["spec"]
        template = spec["jobTemplate"]["spec"]
        env = {v["name"]: v["value"] for v in template["template"]["spec"]["containers"][0]["env"]}
        # The program is cut off 5 s after its deadline, and a slow node may need long to start it. An export has none: it ends
        # where the keeper does not answer for a minute.
        deadline = "60s" if told.endswith("-export") else env["DEADLINE"]
        if template["activeDeadlineSeconds"] < int(deadline.removesuffix("s")) + 5 + 30:
            yield f"{told} ends its pod after {template['activeDeadlineSeconds']} s, with DEADLINE {deadline}"
        facts = (spec["concurrencyPolicy"], template["backoffLimit"], template["template"]["spec"]["restartPolicy"])
        if facts != ("Forbid", 0, "Never") or spec["successfulJobsHistoryLimit"] + spec["failedJobsHistoryLimit"] > 3:
            yield f"{told} has {facts}"
        # Below 10 s the controller, which looks every 10 s, might start nothing.
        if not 10 < spec["startingDeadlineSeconds"] or not spec["timeZone"]:
            yield f"{told} starts until {spec['startingDeadlineSeconds']} s later, in the zone {spec['timeZone']}"


def ending(rendering, release, namespace):
    """A server has more time to end than it takes: STOP_DELAY, and at most five seconds for what is in hand."""
    for thing, labels, spec in pods(rendering):
        if thing["kind"] in ("Deployment", "StatefulSet", "DaemonSet"):
            env = {v["name"]: v["value"] for v in spec["containers"][0]["env"]}
            takes = int(env.get("STOP_DELAY", "0s").removesuffix("s")) + 5
            if spec["terminationGracePeriodSeconds"] < 2 * takes:
                yield f"{thing['metadata']['name']} is ended after {spec['terminationGracePeriodSeconds']} s, and takes {takes}"
