"""What must be true of every rendering, whatever the values."""

import itertools
import json

from budgets import ending, modest, timed
from pods import pods, secrets

# The longest names that Kubernetes takes, less what it appends itself: a CronJob's 11, a revision's label 11.
LONGEST = {"CronJob": 52, "StatefulSet": 52, "Service": 63, "Pod": 63}

# What is made where checks are, beside the release's own namespace.
ELSEWHERE = ("Check", "NetworkPolicy", "Role", "RoleBinding")
DEFINITION = "CustomResourceDefinition"


def problems(rendering, release, namespace):
    checks = (named, lasting, selected, connected, asked, restricted, mounted, secret, modest, timed, ending)
    for check in checks:
        yield from check(rendering, release, namespace)


def named(rendering, release, namespace):
    """Every object is the release's, by name and labels, and no two are the same."""
    seen = set()
    for thing in rendering.objects:
        kind, metadata = thing["kind"], thing["metadata"]
        told = f"{kind} {metadata['name']}"
        place = (kind, metadata["name"], metadata.get("namespace"))
        if place in seen:
            yield f"{told} is there twice"
        seen.add(place)
        if kind == DEFINITION:
            # Of the whole cluster, and as they were made from the types.
            continue
        if metadata["namespace"] != namespace and kind not in ELSEWHERE:
            yield f"{told} is in the namespace {metadata['namespace']}"
        if len(metadata["name"]) > LONGEST.get(kind, 63):
            yield f"{told} has a name that is too long"
        if metadata["labels"]["app.kubernetes.io/instance"] != release:
            yield f"{told} is labelled by another release"
        if any(len(value) > 63 for value in metadata["labels"].values()):
            yield f"{told} has a label that is too long"


def lasting(rendering, release, namespace):
    """What Kubernetes does not let change, and what would restart pods for nothing, is free of versions."""
    for thing in rendering.objects:
        spec = json.dumps(thing["spec"]) if thing["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "CronJob") else ""
        if "helm.sh/chart" in spec or "app.kubernetes.io/version" in spec:
            yield f"{thing['kind']} {thing['metadata']['name']} has the chart's version in its pods or volumes"


def selected(rendering, release, namespace):
    """Selectors find the pods that they are for, and nobody else's: the release is in each of them."""
    found = list(pods(rendering))

    def picks(labels):
        return [thing["metadata"]["name"] for thing, theirs, _ in found if labels.items() <= theirs.items()]

    for thing in rendering.objects:
        told, spec = f"{thing['kind']} {thing['metadata']['name']}", thing.get("spec", {})
        if thing["kind"] in ("Deployment", "StatefulSet", "DaemonSet"):
            labels = spec["selector"]["matchLabels"]
            if picks(labels) != [thing["metadata"]["name"]]:
                yield f"{told} selects {picks(labels)}"
        elif thing["kind"] == "Service" and len(picks(spec["selector"])) != 1:
            yield f"{told} leads to {picks(spec['selector'])}"
        elif thing["kind"] == "NetworkPolicy" and "matchExpressions" not in spec["podSelector"]:
            # Those of scripts are for pods that are no objects of the chart.
            labels = spec["podSelector"]["matchLabels"]
            if labels.get("app.kubernetes.io/instance") != release or not picks(labels):
                yield f"{told} is for {picks(labels)} of {labels}"
        elif thing["kind"] == "Ingress":
            for rule, path in ((rule, path) for rule in spec["rules"] for path in rule["http"]["paths"]):
                rendering.one("Service", path["backend"]["service"]["name"])


def connected(rendering, release, namespace):
    """What names a port of something else names one that is there."""
    ports = {}
    for _, labels, spec in pods(rendering):
        for port in spec["containers"][0].get("ports", []):
            ports.setdefault(labels["app.kubernetes.io/component"], {})[port["name"]] = port["containerPort"]
    services = {}
    for service in rendering.all("Service"):
        component = service["spec"]["selector"]["app.kubernetes.io/component"]
        for port in service["spec"]["ports"]:
            services.setdefault(service["metadata"]["name"], {})[port["name"]] = port["port"]
            # Policies name the pod's port, and clients the Service's: they are the same.
            if ports[component].get(port["targetPort"]) != port["port"]:
                told = service["metadata"]["name"]
                yield f"Service {told} leads to the port {port['targetPort']} of {ports[component]}"
    for thing, _, spec in pods(rendering):
        container = spec["containers"][0]
        addresses = [v["value"] for v in container.get("env", []) if v["name"] == "KEEPER_URL"]
        addresses += [v["value"] for v in container.get("env", []) if v["name"] == "BEACON_PRIVATE_URL"]
        addresses += [word for word in container.get("args", []) if word.startswith("http://")]
        for host, port in (address.removeprefix("http://").rstrip("/").split(":") for address in addresses):
            if int(port) not in services.get(host, {}).values():
                yield f"{thing['metadata']['name']} is told of {host}:{port}, and there are {services}"
    for ingress in rendering.all("Ingress"):
        backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
        if backend["port"]["name"] not in services.get(backend["name"], {}):
            yield f"the Ingress leads to {backend}"
    for monitor in rendering.all("ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        scraped = [
            service["metadata"]["name"]
            for service in rendering.all("Service")
            if wanted <= service["metadata"]["labels"].items()
            and monitor["spec"]["endpoints"][0]["port"] in services[service["metadata"]["name"]]
        ]
        if len(scraped) != 1:
            yield f"the ServiceMonitor scrapes {scraped}"


def asked(rendering, release, namespace):
    """Each server is asked whether it lives, at a port that it has; a broken keeper can be replaced."""
    for thing, labels, spec in pods(rendering):
        container = spec["containers"][0]
        ports = {port["name"] for port in container.get("ports", [])}
        probes = {name: probe for name, probe in container.items() if name.endswith("Probe")}
        if bool(ports) != ({"readinessProbe", "livenessProbe"} <= probes.keys()):
            yield f"{thing['metadata']['name']} has the ports {ports} and the probes {list(probes)}"
        for name, probe in probes.items():
            if probe["httpGet"]["port"] not in ports or probe["httpGet"]["path"] != "/healthz":
                yield f"{thing['metadata']['name']}: {name} asks {probe['httpGet']}"
        if thing["kind"] == "StatefulSet" and thing["spec"]["podManagementPolicy"] != "Parallel":
            yield "a keeper that cannot start keeps the one that can away"


def restricted(rendering, release, namespace):
    """Pod Security "restricted", and more than that."""
    for thing, _, spec in pods(rendering):
        told, context = thing["metadata"]["name"], spec["securityContext"]
        wanted = {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "fsGroup": 65532,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        # In an image of the user's, checks are copied there, and have a place for what plugins write.
        name = spec["containers"][0]["name"]
        own = name == "checks" and "programs" in (volume["name"] for volume in spec["volumes"])
        if name in ("ping", "checks", "operator"):
            wanted["sysctls"] = [{"name": "net.ipv4.ping_group_range", "value": "65532 65532"}]
        if context != wanted:
            yield f"{told}: the pod's security context is {context}"
        # The operator alone talks to the API server.
        account = spec.get("serviceAccountName"), spec["automountServiceAccountToken"]
        if account != ((told, True) if name == "operator" else (None, False)) or spec["enableServiceLinks"]:
            yield f"{told} has something of the cluster's"
        for forbidden in ("hostNetwork", "hostPID", "hostIPC", *([] if own else ["initContainers"])):
            if forbidden in spec:
                yield f"{told} has {forbidden}"
        kinds = {kind for volume in spec.get("volumes", []) for kind in volume if kind != "name"}
        if not kinds <= {"secret", "configMap", "persistentVolumeClaim", "projected", *(["emptyDir"] if own or name == "port" else [])}:
            yield f"{told} has volumes of the kinds {kinds}"
        if any("sizeLimit" not in volume.get("emptyDir", {"sizeLimit": ""}) for volume in spec.get("volumes", [])):
            yield f"{told} may fill the node's disk"
        for container in spec["containers"] + spec.get("initContainers", []):
            if container["securityContext"] != {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }:
                yield f"{told}: the container's security context is {container['securityContext']}"


def mounted(rendering, release, namespace):
    """Volumes and mounts belong together, and every file that a variable names is in one."""
    for thing, _, spec in pods(rendering):
        told = thing["metadata"]["name"]
        volumes = [volume["name"] for volume in spec.get("volumes", [])]
        volumes += [claim["metadata"]["name"] for claim in thing["spec"].get("volumeClaimTemplates", [])]
        for container in spec["containers"]:
            mounts = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", [])}
            if sorted(mounts) != sorted(volumes):
                yield f"{told} has the volumes {volumes} and mounts {sorted(mounts)}"
            if any(mount["name"] not in volumes for first in spec.get("initContainers", []) for mount in first["volumeMounts"]):
                yield f"{told} mounts first what is no volume"
            names = [variable["name"] for variable in container.get("env", [])]
            if len(names) != len(set(names)):
                yield f"{told} sets a variable twice: {names}"
            for variable in container.get("env", []):
                if not isinstance(variable.get("value"), str):
                    yield f"{told}: {variable['name']} is not set"
                elif variable["name"] == "KEEPER_BASE_PATH":
                    # A path of addresses.
                    continue
                elif variable["value"].startswith("/") and not any(
                    variable["value"].startswith(path) for path in mounts.values()
                ):
                    yield f"{told}: nothing is mounted at {variable['value']}"


def secret(rendering, release, namespace):
    """Each secret is only where it is needed, as a file, and in no variable."""
    keeper = bool(rendering.all("StatefulSet"))
    allowed = {
        "beacon": {"beacon", "test", "keeper"},
        "heartbeat": {"keeper"},
        "duckdns": {"dns"},
        "dyndns": {"dns"},
        "keeper": {"keeper", "ping", "dns", "bandwidth", "checks", "operator", "export", "test"},
        "channels": {"keeper"},
        "tls": {"keeper"},
        "notify": {"keeper"},
        "pinglow": {"keeper"},
        "statuspage": {"keeper"} if keeper else {"ping", "bandwidth", "checks"},
        "named": {"checks"},
    }
    for thing, labels, spec in pods(rendering):
        told, component = thing["metadata"]["name"], labels["app.kubernetes.io/component"]
        for volume in (volume for volume in spec.get("volumes", []) if list(secrets(volume))):
            if component not in allowed[volume["name"]]:
                yield f"{told} has the secret {volume['name']}"
            if (volume.get("secret") or volume["projected"])["defaultMode"] != 0o440:
                yield f"{told}: everybody may read the secret {volume['name']}"
            used = [
                variable
                for variable in spec["containers"][0].get("env", [])
                if variable["name"].endswith(("_FILE", "_CERTIFICATE", "_KEY")) and f"/{volume['name']}/" in variable["value"]
            ]
            if not used:
                yield f"{told} has the secret {volume['name']} for nothing"
        if "secretKeyRef" in json.dumps(spec) or "envFrom" in json.dumps(spec):
            yield f"{told} has a secret in a variable"


def apart(renderings):
    """Two releases in one namespace have no object in common."""
    for one, other in itertools.combinations(renderings, 2):
        # What is the cluster's own one of them has.
        names = [
            {(t["kind"], t["metadata"]["name"]) for t in rendering.objects if t["kind"] != DEFINITION}
            for rendering in (one, other)
        ]
        for kind, name in names[0] & names[1]:
            yield f"two releases both have the {kind} {name}"
