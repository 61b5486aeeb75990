"""The operator: what it may do and where, what scripts may reach, and definitions that are there already."""

import copy
import ipaddress
import re
import shlex

import yaml

import helm
from parts import CASES, MINIMAL, TOKEN, kept, outcome, part, rendered

TYPES = (helm.ROOT / "home-beacon/operator/crds.yaml").read_text()
NAMES = [document["metadata"]["name"] for document in yaml.safe_load_all(TYPES)]
KEEP = {"helm.sh/resource-policy": "keep"}


def watching(values, below=MINIMAL, **more):
    on = {"operator": {"enabled": True, "namespaces": ["checks"], **values}}
    return rendered(helm.merged(below, on), **{"objects": [TOKEN], **more})


def space(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def definitions(annotations, labels):
    """All of them, as somebody else's release has left them."""
    made = []
    for document in yaml.safe_load_all(TYPES):
        document["metadata"] |= {"annotations": dict(annotations), "labels": dict(labels)}
        made.append(document)
    return made


@part
def carried_definitions():
    """The definitions of the chart are those of the types, and every one of them stays at an uninstall."""
    if not kept(helm.CHART / "files/crds.yaml", TYPES):
        yield "files/crds.yaml is not home-beacon/operator/crds.yaml (UPDATE_CHART=1 renews it)"
    for values, expected in (({}, list(yaml.safe_load_all(TYPES))), ({"crds": False}, []), ({"enabled": False}, [])):
        if (made := watching(values).result().all("CustomResourceDefinition")) != expected:
            yield f"{values} makes the definitions {[thing['metadata']['name'] for thing in made]}"
    leaving = [d["metadata"]["name"] for d in yaml.safe_load_all(TYPES) if d["metadata"].get("annotations") != KEEP]
    if len(NAMES) != 4 or leaving:
        yield f"of {NAMES}, {leaving} would go with the release"


@part
def roles():
    """Nothing holds for the whole cluster, nothing is a wildcard, and what is watched is exactly what is named."""
    for case in ("everything", "operator", "all-settings"):
        rendering = rendered(CASES[case], objects=[TOKEN]).result()
        watched = CASES[case]["operator"]["namespaces"]
        for kind in ("ClusterRole", "ClusterRoleBinding"):
            yield from (f"{case}: there is the {kind} {thing['metadata']['name']}" for thing in rendering.all(kind))
        for kind in ("Role", "RoleBinding"):
            places = sorted((t["metadata"]["namespace"], t["metadata"]["name"]) for t in rendering.all(kind))
            own = ("porchlight", "porchlight-operator-own")
            if places != sorted([own, *((name, "porchlight-operator") for name in watched)]):
                yield f"{case}: each {kind} is at {places}"
        for role in rendering.all("Role"):
            if "*" in str(role["rules"]):
                yield f"{case}: {role['metadata']['name']} has a wildcard"
            for rule in role["rules"]:
                is_own = role["metadata"]["name"].endswith("-own")
                verbs = set(rule["verbs"])
                if is_own and "resourceNames" not in rule and (rule["resources"], verbs) != (["leases"], {"create"}):
                    yield f"{case}: in its own namespace it may {rule}"
                if "secrets" in rule["resources"] and verbs != ({"patch"} if is_own else {"list", "watch"}):
                    yield f"{case}: of Secrets it may {rule}"
        for binding in rendering.all("RoleBinding"):
            subject = {"kind": "ServiceAccount", "name": "porchlight-operator", "namespace": "porchlight"}
            named = rendering.one("ServiceAccount", "porchlight-operator")["metadata"]
            facts = (binding["subjects"], binding["roleRef"]["name"], named["namespace"])
            if facts != ([subject], binding["metadata"]["name"], "porchlight"):
                yield f"{case}: {binding['metadata']['name']} binds {facts}"


@part
def order():
    """Policies are made before the operator is, in the order that Helm makes things in; without policies it says so."""
    for case in ("everything", "operator"):
        rendering = rendered(CASES[case], objects=[TOKEN]).result()
        kinds = [(t["kind"], t["metadata"]["name"], t["metadata"].get("namespace")) for t in rendering.objects]
        begins = kinds.index(("Deployment", "porchlight-operator", "porchlight"))
        for namespace in CASES[case]["operator"]["namespaces"]:
            for end in ("", "-none", "-dns", "-internet", "-cluster"):
                place = ("NetworkPolicy", f"porchlight-scripts{end}", namespace)
                if place not in kinds[:begins]:
                    yield f"{case}: {place} is not made before the operator"
    off = watching({}, helm.merged(MINIMAL, {"networkPolicy": {"enabled": False}})).result()
    said = " ".join(off.notes.split())
    if off.all("NetworkPolicy") or "so can every script of a check, whatever its egress says" not in said:
        yield f"without policies the notes are {off.notes}"


@part
def ranges():
    """What a policy leaves out of a range is a part of it, as the API server has it, and is written as it writes it itself."""
    for case in ("everything", "operator"):
        for policy in rendered(CASES[case], objects=[TOKEN]).result().all("NetworkPolicy"):
            peers = [peer for rule in policy["spec"].get("egress") or [] for peer in rule.get("to", [])]
            for block in (peer["ipBlock"] for peer in peers if "ipBlock" in peer):
                whole = ipaddress.ip_network(block["cidr"])
                for text in block.get("except", []):
                    part_of_it = ipaddress.ip_network(text)
                    mapped = whole.version == 6 and part_of_it.network_address.ipv4_mapped
                    if str(part_of_it) != text or mapped or part_of_it == whole or not part_of_it.subnet_of(whole):
                        yield f"{case}: {policy['metadata']['name']} leaves {text} out of {block['cidr']}"


@part
def places():
    """A namespace that is not there is told before anything is made; where no cluster can be asked, nothing is."""
    missing = (
        "operator.namespaces has checks, and there is no such namespace: make it (kubectl create namespace checks), and have "
        "it keep to Pod Security's restricted (kubectl label namespace checks pod-security.kubernetes.io/enforce=restricted)"
    )
    for objects, expected in (
        ([], ""),
        ([space("checks")], ""),
        ([space("porchlight"), space("checks")], ""),
        ([space("porchlight")], missing),
    ):
        said = outcome(watching({}, objects=[TOKEN, *objects]))
        if said.partition("\n")[2] != expected:
            yield f"with {[thing['metadata']['name'] for thing in objects]} it says: {said}"
    confined = space("checks")
    confined["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "restricted"}
    for there, is_told in ((space("checks"), True), (confined, False)):
        notes = watching({}, objects=[TOKEN, there]).result().notes
        if ("kubectl label namespace checks pod-security" in notes) != is_told:
            yield f"of Pod Security the notes say: {notes}"


@part
def images():
    """The operator and the container that brings check-runner have one image, which follows the chart's unless it is named."""
    digest = "sha256:" + "0123456789abcdef" * 4
    for values, below, expected in (
        ({}, {}, "localhost/porchlight-operator:0.1.0"),
        ({}, {"image": {"tag": "2.0"}}, "localhost/porchlight-operator:2.0"),
        ({"image": {"tag": "3.0"}}, {"image": {"tag": "2.0"}}, "localhost/porchlight-operator:3.0"),
        ({"image": {"digest": digest}}, {"image": {"tag": "2.0"}}, f"localhost/porchlight-operator@{digest}"),
        ({"image": {"repository": "registry.example/operator"}}, {}, "registry.example/operator:0.1.0"),
        ({}, {"image": {"digest": digest}}, "localhost/porchlight-operator:0.1.0"),
    ):
        rendering = watching(values, helm.merged(MINIMAL, below)).result()
        container = rendering.one("Deployment", "porchlight-operator")["spec"]["template"]["spec"]["containers"][0]
        env = {variable["name"]: variable["value"] for variable in container["env"]}
        if {container["image"], env["RUNNER_IMAGE"]} != {expected}:
            yield f"{values} above {below} is {container['image']}, and {env['RUNNER_IMAGE']} in pods of scripts"
    passwords = watching({}, helm.merged(MINIMAL, {"image": {"pullSecrets": ["registry"]}})).result().notes
    if """patch serviceaccount default -p '{"imagePullSecrets":[{"name":"registry"}]}'""" not in passwords:
        yield f"of the registry's password the notes say: {passwords}"


@part
def channels_of_objects():
    """The Secret that the operator writes is the one that it may patch and the keeper reads, and the keeper gets out to Telegram."""
    rendering = watching({}, helm.merged(MINIMAL, {"networkPolicy": {"ports": [8443]}, "bandwidth": {"enabled": False}, "dns": {"enabled": False}})).result()
    operator = rendering.one("Deployment", "porchlight-operator")["spec"]["template"]["spec"]["containers"][0]
    named = next(variable["value"] for variable in operator["env"] if variable["name"] == "CHANNELS_SECRET")
    made = rendering.one("Secret", named)
    patched = [rule["resourceNames"] for rule in rendering.one("Role", "porchlight-operator-own")["rules"] if rule["verbs"] == ["patch"]]
    pod = rendering.one("StatefulSet", "porchlight-keeper")["spec"]["template"]["spec"]
    volume = next(volume["secret"] for volume in pod["volumes"] if volume["name"] == "channels")
    env = {variable["name"]: variable["value"] for variable in pod["containers"][0]["env"]}
    facts = (patched, volume["secretName"], volume["optional"], env["NOTIFY_OPERATOR_URLS_FILE"], "data" in made)
    if facts != ([[named]], named, True, "/etc/porchlight/channels/URLS", False):
        yield f"the channels of objects are at {facts}"
    for settings, port in (({}, 443), ({"TELEGRAM_SERVER": "http://bot.home/"}, 80), ({"TELEGRAM_SERVER": "https://bot.home:8081"}, 8081)):
        policy = watching({"settings": settings}, helm.merged(MINIMAL, {"networkPolicy": {"ports": [443]}})).result().one("NetworkPolicy", "porchlight-keeper")
        if f"'port': {port}," not in str([rule for rule in policy["spec"]["egress"] if "to" not in rule]):
            yield f"with {settings} the keeper is let out to {policy['spec']['egress']}"
    said = outcome(watching({}, helm.merged(MINIMAL, {"keeper": {"notify": {"every": "6h"}}})))
    if said:
        yield f"how often to remind is refused though objects may be channels: {said}"


@part
def test_of_the_road():
    """`helm test` makes the check first, then the pod that waits for the figure which its script says, and asks for no other."""
    rendering = watching({"namespaces": ["lab", "checks"]}).result()
    check = rendering.one("Check", "porchlight-test")
    pod = rendering.one("Pod", "porchlight-test-operator")
    weights = [int(thing["metadata"]["annotations"].get("helm.sh/hook-weight", 0)) for thing in (check, pod)]
    name = check["spec"].get("name", check["metadata"]["name"])
    figure = re.search(r"\|(\w+)=", check["spec"]["script"]["content"])[1]
    if weights != [-1, 0] or check["metadata"]["namespace"] != "lab" or f"check:{name}:{figure}" not in pod["spec"]["containers"][0]["args"]:
        yield f"helm test makes {check} and {pod}"


def applied(command, objects):
    """What kubectl would make of `kubectl annotate … && kubectl label …`, and of nothing else."""
    for words in (shlex.split(one) for one in command.split("&&")):
        assert words[:2] == ["kubectl", words[1]] and words[2:4] == ["--overwrite", "crd"], words
        key = {"annotate": "annotations", "label": "labels"}[words[1]]
        values = dict(word.split("=", 1) for word in words[4:] if "=" in word)
        for thing in objects:
            if thing["metadata"]["name"] in words[4:]:
                thing["metadata"][key] = {**thing["metadata"][key], **values}
    return objects


def adopting():
    """The commands by which the guide has Pinglow's definitions be ours."""
    readme = (helm.CHART / "README.md").read_text().partition("## From Pinglow\n")[2]
    block = re.search(r"```sh adopt\n(.*?)```", readme, re.DOTALL)[1].replace("\\\n", " ")
    return " && ".join(line.strip() for line in block.splitlines() if line.strip())


@part
def adoption():
    """Definitions of somebody else are refused with the commands that adopt them. With these, and with nothing less, Helm takes them."""
    ours = ({"meta.helm.sh/release-name": "porchlight", "meta.helm.sh/release-namespace": "porchlight"}, {"app.kubernetes.io/managed-by": "Helm"})
    theirs = ({"meta.helm.sh/release-name": "pinglow", "meta.helm.sh/release-namespace": "pinglow"}, {"app.kubernetes.io/managed-by": "Helm"})
    guide = adopting()
    pinglows = [name for name in NAMES if name.endswith(".pinglow.io")]
    for marks in (theirs, ({}, {}), (ours[0], {}), ({"meta.helm.sh/release-name": "porchlight"}, ours[1])):
        objects = definitions(*marks)
        said = outcome(watching({}, objects=[TOKEN, *objects]))
        sentence = re.search(r"then have them be its own \((.*?)\), or set operator\.crds to false", said)
        if not sentence or ", ".join(NAMES) not in said:
            yield f"definitions with {marks} are refused with: {said}"
            continue
        if left := outcome(watching({"crds": False}, objects=[TOKEN, *objects])):
            yield f"definitions that are to be left alone are refused: {left}"
        if left := outcome(watching({}, objects=[TOKEN, *applied(sentence[1], copy.deepcopy(objects))])):
            yield f"after {sentence[1]} Helm says: {left}"
        only = [thing for thing in objects if thing["metadata"]["name"] in pinglows]
        if left := outcome(watching({}, objects=[TOKEN, *applied(guide, copy.deepcopy(only))])):
            yield f"after the guide's commands Helm says: {left}"
    if left := outcome(watching({}, objects=[TOKEN, *definitions(*ours)])):
        yield f"its own definitions are refused: {left}"
    # What stands in our refusal is Helm's own rule: without ours, Helm itself refuses.
    with helm.changed("templates/_refusals.tpl", '"operator" ', "") as chart:
        said = outcome(watching({}, objects=[TOKEN, *definitions(*theirs)], chart=chart))
        if "invalid ownership metadata" not in said:
            yield f"Helm itself says of definitions of another release: {said or 'nothing'}"
