"""Who may talk to whom, and what a policy scanner finds."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

import network
import rules
from parts import CASES, HERE, MINIMAL, part, rendered

COMPONENTS = ["beacon", "keeper", "ping", "port", "dns", "bandwidth", "checks", "export", "node", "operator", "test"]


@part
def who_may_talk_to_whom():
    """The policies let through what must come through, and nothing else."""
    made = rendered(CASES["everything"]).result()
    other = rendered(MINIMAL, release="other").result()
    # What a script's pod has is what the operator gives it.
    script = {"app.kubernetes.io/name": "porchlight-check", "porchlight.dev/check": "disk"}
    policies = made.all("NetworkPolicy") + other.all("NetworkPolicy")
    who = {labels["app.kubernetes.io/component"]: ("porchlight", labels) for _, labels, _ in rules.pods(made)}
    who |= {
        f"other {labels['app.kubernetes.io/component']}": ("porchlight", labels) for _, labels, _ in rules.pods(other)
    }
    who |= {
        "prometheus": ("monitoring", {"app.kubernetes.io/name": "prometheus"}),
        "traefik": ("kube-system", {"app.kubernetes.io/name": "traefik"}),
        "coredns": ("kube-system", {"k8s-app": "kube-dns"}),
        "stranger": ("porchlight", {"app": "stranger"}),
        "world": "203.0.113.1",
        "lan": "192.168.1.2",
        "router": "192.168.1.1",
        "nodelocal": "169.254.20.10",
        "metadata": "169.254.169.254",
        "azure": "168.63.129.16",
        "ten": "10.42.0.7",
        "carrier": "100.64.0.1",
        "alibaba": "100.100.100.200",
        "loopback": "127.0.0.1",
        "multicast": "224.0.0.251",
        "ours": "203.0.113.129",
        "world6": "2606:4700:4700::1111",
        "ula": "fd12:3456::1",
        "aws6": "fd00:ec2::254",
        "linklocal6": "fe80::1",
        "nat64": "64:ff9b::a00:1",
        "elsewhere": ("other", {"app": "stranger"}),
        "false coredns": ("other", {"k8s-app": "kube-dns"}),
        "neighbour": ("checks", {"app": "stranger"}),
        "unlabelled script": ("checks", script),
        "odd script": ("checks", {**script, "porchlight.dev/egress": "everything"}),
    }
    for egress in ("none", "dns", "internet", "cluster"):
        who[f"{egress} script"] = ("checks", {**script, "porchlight.dev/egress": egress})
    table = yaml.safe_load((HERE / "connections.yaml").read_text())
    for expected, lines in table.items():
        for line in lines:
            source, target, port, protocol = re.fullmatch(r"(.+) > (.+):(\d+)(?:/(.+))?", line).groups()
            through = network.allowed(policies, who[source], who[target], int(port), protocol or "TCP")
            if (through, expected) not in ((True, "let through"), (False, "kept away")):
                yield f"{line} should be {expected}"


@part
def scan():
    """checkov finds exactly what policy.yaml gives reasons for, in both golden renderings."""
    expected = yaml.safe_load((HERE / "policy.yaml").read_text())
    with tempfile.TemporaryDirectory() as folder:
        for case in ("minimal", "everything"):
            rendering = rendered(CASES[case]).result()
            (Path(folder) / f"{case}.yaml").write_text(f"{rendering.manifest}\n---\n{rendering.hooks}\n")
        command = [
            shutil.which("checkov") or Path(sys.executable).with_name("checkov"),
            "-d",
            folder,
            "--framework",
            "kubernetes",
            "--compact",
            "--quiet",
        ]
        ended = subprocess.run([*command, "--skip-download", "-o", "json"], capture_output=True, text=True, timeout=120)
        told = json.loads(ended.stdout)
    if told["summary"]["resource_count"] < 30 or told["summary"]["parsing_errors"]:
        yield f"checkov looked at little: {told['summary']}"
    found = {}
    for failed in told["results"]["failed_checks"]:
        found.setdefault(failed["check_id"], set()).add(failed["resource"].rpartition(".")[2].split("-")[1])
        reason = expected.get(failed["check_id"])
        if not reason or failed["resource"].rpartition(".")[2].split("-")[1] not in reason.get("in", COMPONENTS):
            yield f"{failed['check_id']} {failed['check_name']}: {failed['resource']}"
    for check, reason in expected.items():
        if found.get(check) != set(reason.get("in", COMPONENTS)):
            yield f"policy.yaml: {check} was found in {sorted(found.get(check, []))} only"
