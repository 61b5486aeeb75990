"""Checks: what defines them reaches the program and restarts nothing, what runs scripts, and where they may connect to."""

import re
import shlex

import helm
import programs
from parts import CASES, MINIMAL, TOKEN, outcome, part, rendered

ROUTER = "checks: [{name: router, icmp: {host: 192.168.1.1}}]"
SCRIPT = "checks:\n  - name: disk\n    script: {command: [/usr/lib/nagios/plugins/check_disk]}\n"
PLUGINS = {"repository": "registry.home.example/plugins", "tag": "1"}


def checked(values, below=MINIMAL):
    return rendered(helm.merged(below, {"checks": {"enabled": True, **values}}), objects=[TOKEN])


def pod(rendering):
    return rendering.one("Deployment", "porchlight-checks")["spec"]["template"]


def env(rendering):
    return {variable["name"]: variable["value"] for variable in pod(rendering)["spec"]["containers"][0]["env"]}


@part
def definitions():
    """Each file is where its variable says; another text of one is another ConfigMap, and the same pod."""
    own, made = "/etc/porchlight/own/checks.yml", "/etc/porchlight/checks/checks.yml"
    services = "/etc/porchlight/checks/services.yml"
    for values, files, texts in (
        ({"file": ROUTER}, {"CHECKS_FILE": made}, {"checks.yml": ROUTER}),
        ({"existingConfigMap": "mine"}, {"CHECKS_FILE": own}, {}),
        ({"statping": "services: []"}, {"STATPING_FILE": services}, {"services.yml": "services: []"}),
        (
            {"existingConfigMap": "mine", "statping": "services: []"},
            {"CHECKS_FILE": own, "STATPING_FILE": services},
            {"services.yml": "services: []"},
        ),
        ({"pingTargetUrls": ["http://a.example", "http://b.example"]}, {}, {}),
        # A text is the file to the letter, whatever YAML would make of it.
        ({"file": "  {checks: []}\n\n# ☂ <&>\n"}, {"CHECKS_FILE": made}, {"checks.yml": "  {checks: []}\n\n# ☂ <&>\n"}),
    ):
        rendering = checked(values).result()
        maps = {thing["metadata"]["name"]: thing["data"] for thing in rendering.all("ConfigMap")}
        found = {name: value for name, value in env(rendering).items() if name in ("CHECKS_FILE", "STATPING_FILE")}
        if (found, maps.get("porchlight-checks", {})) != (files, texts):
            yield f"{values} gives the program {found}, and {maps}"
    targets = env(checked({"pingTargetUrls": ["http://a.example", "http://b.example"]}).result())["PING_TARGET_URLS"]
    if targets != "http://a.example,http://b.example":
        yield f"the targets are {targets}"
    before, after = (checked({"file": text}).result() for text in (ROUTER, ROUTER.replace("router", "gateway")))
    if pod(before) != pod(after) or before.objects == after.objects:
        yield "another text of checks.yml is another pod, or is nowhere"


@part
def scripts():
    """A script needs an image that is named, in whichever form it is written; what only looks like one does not."""
    refused = "checks.file has scripts (disk), and Porchlight's image has neither a shell nor plugins"
    for text, is_script in (
        (SCRIPT, True),
        ("checks: [{name: router, icmp: {host: 192.168.1.1}}, {name: disk, script: {command: [/bin/df]}}]", True),
        ('{"checks": [{"name": "disk", "script": {"command": ["/bin/df"]}}]}', True),
        (ROUTER + "\n# script: none\n", False),
        ("checks:\n  - name: page\n    http:\n      url: http://a.example\n      body: |\n        script: x\n", False),
    ):
        said = outcome(checked({"file": text}))
        if (refused in said) != is_script or (said and not is_script):
            yield f"{text!r} without an image: {said or 'is taken'}"
        if refused in outcome(checked({"file": text, "image": PLUGINS})):
            yield f"{text!r} is refused though there is an image"
    spec = pod(checked({"file": SCRIPT, "image": PLUGINS}).result())["spec"]
    ours, theirs = spec["initContainers"][0], spec["containers"][0]
    facts = (ours["image"], ours["args"], theirs["image"], theirs["command"])
    expected = "localhost/porchlight:0.1.0", ["copy", "/programs"], "registry.home.example/plugins:1", ["/programs/porchlight", "checks"]
    if facts != expected:
        yield f"with an image of the user's the pod has {facts}"
    written = {container["name"]: [m["name"] for m in container["volumeMounts"] if not m.get("readOnly")] for container in (ours, theirs)}
    if written != {"copy": ["programs"], "checks": ["tmp"]}:
        yield f"the containers may write to {written}"
    digest = "sha256:" + "0123456789abcdef" * 4
    image = pod(checked({"file": SCRIPT, "image": {**PLUGINS, "tag": "", "digest": digest}}).result())["spec"]["containers"][0]["image"]
    if image != f"registry.home.example/plugins@{digest}":
        yield f"by a digest the image is {image}"


@part
def secrets_by_name():
    """A secret that checks.yml names is a file, whose variable says where; nothing of it is in the environment."""
    named = {"A": {"secretName": "one", "key": "x.y"}, "B_2": {"secretName": "one", "key": "z"}, "C": {"secretName": "two", "key": "z"}}
    rendering = checked({"file": ROUTER, "secrets": named}).result()
    found = {name: value for name, value in env(rendering).items() if "/named/" in value}
    if found != {f"{name}_FILE": f"/etc/porchlight/named/{name}" for name in named}:
        yield f"the variables are {found}"
    sources = next(volume for volume in pod(rendering)["spec"]["volumes"] if volume["name"] == "named")["projected"]["sources"]
    sources = {item["path"]: {"secretName": source["secret"]["name"], "key": item["key"]} for source in sources for item in source["secret"]["items"]}
    if sources != named:
        yield f"the files are {sources}"
    made = [line for line in rendering.notes.splitlines() if re.search("generic (one|two) ", line)]
    expected = ["one --from-file=x.y=A.secret --from-file=z=B_2.secret", "two --from-file=z=C.secret"]
    if made != [f"  kubectl -n porchlight create secret generic {line}" for line in expected]:
        yield f"the notes say {made}"


@part
def example():
    """The commands of the example bring its file and its secret, under the name that kubectl makes; the program takes both."""
    readme = (helm.ROOT / "infra/examples/checks/README.md").read_text()
    commands = re.search(r"```sh chart\n(.*?)```", readme, re.DOTALL)[1].replace("\\\n", " ").splitlines()
    kubectl, (tool, *words) = (shlex.split(command) for command in commands)
    *create, secret, file = kubectl
    key, path = re.fullmatch("--from-file=([A-Z]+)=(.+)", file).groups()
    if (create, tool) != ("kubectl -n porchlight create secret generic".split(), "helm") or f"> {path}\n" not in readme:
        yield f"the example's commands are {commands}"
    values, told = helm.told(words, MINIMAL)
    rendering = rendered(values, objects=[TOKEN], **told).result()
    text = (helm.ROOT / "infra/examples/checks/checks.yml").read_text()
    if rendering.one("ConfigMap", "porchlight-checks")["data"] != {"checks.yml": text}:
        yield "the example's file is another one in the cluster"
    sources = [volume["projected"]["sources"] for volume in pod(rendering)["spec"]["volumes"] if volume["name"] == "named"]
    if sources != [[{"secret": {"name": secret, "items": [{"key": key, "path": "BACKUP_PING"}]}}]]:
        yield f"of the example's secret the pod has {sources}"
    if f"create secret generic {secret} --from-file={key}=" not in rendering.notes:
        yield f"the notes have another command for the example's secret: {rendering.notes}"
    yield from programs.problems(rendering)


@part
def egress():
    """Checks may go anywhere, or where checks.egress says; to the keeper and name servers in any case."""
    names = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    lan = [{"ipBlock": {"cidr": "192.168.1.0/24"}}]
    https = [{"port": 443, "protocol": "TCP"}]
    for values, below, expected in (
        ({}, MINIMAL, [{}]),
        ({"to": lan}, MINIMAL, [{"to": lan}]),
        ({"ports": [443]}, MINIMAL, [{"ports": https}]),
        ({"to": lan, "ports": [443]}, MINIMAL, [{"to": lan, "ports": https}]),
        ({"to": lan}, CASES["without-keeper"], [{"ports": https}, {"to": lan}]),
    ):
        rendering = checked({"file": ROUTER, "egress": values}, below).result()
        rules = rendering.one("NetworkPolicy", "porchlight-checks")["spec"]["egress"]
        keeper = [rule for rule in rules if "podSelector" in str(rule)]
        others = [rule for rule in rules if rule not in keeper and rule.get("ports") != names]
        asked = len(rules) - len(others) - len(keeper)
        if (others, len(keeper), asked) != (expected, int(bool(values) and below is MINIMAL), int(bool(values))):
            yield f"with {values} the policy lets out to {rules}"
    closed = checked({"file": ROUTER, "egress": {"to": lan}}, helm.merged(CASES["without-keeper"], {"bandwidth": {"enabled": False}, "networkPolicy": {"ports": [8443]}}))
    if "statuspage.url is at port 443, which networkPolicy.ports keeps away" not in outcome(closed):
        yield f"that the status page cannot be reached is not said: {outcome(closed)}"
    alone = checked({"file": ROUTER}, helm.merged(MINIMAL, {"networkPolicy": {"prometheus": []}})).result()
    if alone.one("NetworkPolicy", "porchlight-checks")["spec"]["ingress"] != []:
        yield "without a Prometheus anybody may reach the metrics"


@part
def too_long():
    """More than a ConfigMap holds is refused with a sentence, and not by the cluster."""
    said = outcome(checked({"file": "#" * 999_000, "statping": "#" * 1_001}))
    if "checks.file and checks.statping have 1000001 bytes together" not in said:
        yield f"more than a ConfigMap holds: {said[:200] or 'is taken'}"
    if outcome(checked({"file": "#" * 999_000, "statping": "#" * 1_000})):
        yield "what a ConfigMap holds is refused"


@part
def annotated():
    """Annotations of the user's stand beside those for Prometheus, and before them."""
    theirs = {"prometheus.io/scrape": "false", "home.example/team": "family"}
    found = pod(checked({"file": ROUTER, "podAnnotations": theirs}).result())["metadata"]["annotations"]
    if found != {"prometheus.io/port": "9095", "prometheus.io/path": "/metrics", **theirs}:
        yield f"the annotations are {found}"
    off = helm.merged(MINIMAL, {"metrics": {"annotations": False}})
    if "annotations" in pod(checked({"file": ROUTER}, off).result())["metadata"]:
        yield "there are annotations though none are wanted"


@part
def alerts():
    """The rules are those of the file, but for the one of a job that does not run here."""
    rules = {"metrics": {"prometheusRule": {"enabled": True}}}

    def names(values):
        rule = rendered(helm.merged(CASES["everything"], helm.merged(rules, values))).result().all("PrometheusRule")[0]
        return {alert["alert"] for group in rule["spec"]["groups"] for alert in group["rules"]}

    everything, without = names({}), names({"ping": {"enabled": False}})
    if everything - without != {"PorchlightPingStopped"} or without - everything:
        yield f"without ping these rules differ: {everything ^ without}"
