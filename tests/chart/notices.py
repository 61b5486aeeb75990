"""Notices: the keeper may connect to where its channels are, and nowhere else for them; which settings it gets."""

import re
import subprocess

import helm
import programs
from parts import CASES, MINIMAL, TOKEN, part, rendered

# Its policy lets nothing out to the world but what channels need.
ALONE = CASES["keeper-alone"]
# Addresses, and the ports that they are at.
ADDRESSES = (
    ("ntfy://ntfy.sh/home", [443]),
    ("ntfy://:tk_abc@ntfy.example/home?click=http://home.example:81/", [443]),
    ("ntfy://user:12345@ntfy.example:8443/home", [8443]),
    ("ntfy+http://ntfy.home/home", [80]),
    ("NTFY+HTTP://[fd00::2]:8080/home", [8080]),
    ("ntfy+http://[fd00::2]/home", [80]),
    ("telegram://123456:12345678@telegram?chats=42", [443]),
    ("telegram://123456:12345678@telegram?chats=42&server=http://bot.home:8081", [8081]),
    ("telegram://123456:12345678@telegram?server=http%3A%2F%2Fbot.home%2f&chats=42", [80]),
    ("discord://token@4711?thread_id=7&server=https://chat.home:444/path", [444]),
    ("discord://token@4711?server=", [443]),
    ("slack://hook:T00-B00-abc@webhook", [443]),
    ("smtps://me:pass@mail.example/?from=a@b.example&to=c@d.example", [465]),
    ("smtp://me:pass@mail.example/?from=a@b.example&to=c@d.example,e@f.example", [587]),
    ("smtp://mail.example?from=a@b.example&encryption=TLS&to=c@d.example", [465]),
    ("smtp://mail.example?from=a@b.example&to=c@d.example&encryption=starttls", [587]),
    ("smtp://mail.home:2525?from=a@b.example&to=c@d.example&encryption=none", [2525]),
    ("gotify://push.example/abc", [443]),
    ("gotify+http://push.home/path/abc", [80]),
    ("pushover://shoutrrr:azGDORePK8gMaC0QOYAMyEEuzJnyUi@uQiRzpo4DXghDmr9QzzfQu27cmVRsG", [443]),
    ("alertmanager+https://am.example", [443]),
    ("alertmanager+http://am.home?label.team=home", [80]),
    ("alertmanager+http://user:pass@am.home:9093/prefix", [9093]),
    ("json+https://hooks.example/in?secret=MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", [443]),
    ("json+http://hooks.home:00443", [443]),
    ("apprises://apprise.example/key", [443]),
    ("apprise://apprise.home/key", [80]),
    ("healthchecks+https://hc-ping.com/5ccb1a9b-3b41-4f2a-a3a8-1b2c3d4e5f60", [443]),
    ("healthchecks+http://checks.home:8000/ping/5ccb1a9b", [8000]),
    ("# the family\n\n  ntfy://ntfy.sh/home \r\nsmtps://mail.example?from=a@b.example&to=c@d.example\n", [443, 465]),
)


def world(rendering):
    """The TCP ports of the world that the keeper's policy lets it out to, besides name servers."""
    rules = rendering.one("NetworkPolicy", "porchlight-keeper")["spec"]["egress"]
    ports = [port for rule in rules if "to" not in rule for port in rule["ports"] if port["port"] != 53]
    return [port["port"] for port in ports if port["protocol"] == "TCP"]


def noticed(notify, below=ALONE):
    return rendered(helm.merged(below, {"keeper": {"notify": notify}}), objects=[TOKEN])


def connected(addresses):
    """The ports that the program itself would connect to."""
    command = [programs.FOLDER / "porchlight", "notify", "test", "--dry-run"]
    ended = subprocess.run(command, env={"NOTIFY_URLS": addresses}, capture_output=True, text=True, timeout=20)
    found = set()
    for scheme, port in re.findall(r"^[A-Z]+ (https?)://(?:\[[^]]*\]|[^:/ ]+)(?::(\d+))?", ended.stdout, re.MULTILINE):
        found.add(int(port or {"https": 443, "http": 80}[scheme]))
    found |= {int(port) for port in re.findall(r"^\S+:(\d+), .*(?:TLS|encryption)", ended.stdout, re.MULTILINE)}
    return sorted(found) or ended.stderr.strip()


@part
def channels():
    """The policy opens the ports that the program connects to, for every form of an address."""
    jobs = [noticed({"urls": addresses}) for addresses, _ in ADDRESSES]
    for (addresses, expected), job in zip(ADDRESSES, jobs):
        found = (world(job.result()), connected(addresses))
        if found != (expected, expected):
            yield f"{addresses}: the policy opens {found[0]}, the program connects to {found[1]}, and {expected} is meant"
    every = "\n".join(addresses for addresses, _ in ADDRESSES)
    expected = sorted({port for _, ports in ADDRESSES for port in ports})
    if (found := world(noticed({"urls": every}).result())) != expected:
        yield f"of all addresses the ports are {found}, and {expected} is meant"


@part
def ports():
    """Nothing is opened without channels, and nothing twice; for a Secret it is what the values say."""
    mails = "smtps://mail.example?from=a@b.example&to=c@d.example"
    for below, notify, expected in (
        (ALONE, {}, []),
        (MINIMAL, {}, [443]),
        (MINIMAL, {"urls": "ntfy://ntfy.sh/home"}, [443]),
        (MINIMAL, {"urls": mails}, [443, 465]),
        (ALONE, {"urls": mails, "ports": [9093, 465]}, [465, 9093]),
        (ALONE, {"secretName": "mine"}, [443]),
        (ALONE, {"secretName": "mine", "ports": [587, 80]}, [80, 587]),
        (MINIMAL, {"secretName": "mine", "ports": [443, 587]}, [443, 587]),
    ):
        if (found := world(noticed(notify, below).result())) != expected:
            yield f"{notify} opens {found}, and {expected} is meant"
    for policy in noticed({"urls": mails}, MINIMAL).result().all("NetworkPolicy"):
        if policy["metadata"]["name"] != "porchlight-keeper" and "465" in str(policy):
            yield f"{policy['metadata']['name']} opens a port of the keeper's channels"


@part
def variables():
    """The keeper gets what is set, in a variable or a file, and nothing where there are no channels."""
    file = {"NOTIFY_URLS_FILE": "/etc/porchlight/notify/URLS"}
    every = {"every": "6h", "quiet": "22:00-07:00", "seriousAnytime": True, "limit": 0, "loss": 2.5}
    named = {
        "NOTIFY_EVERY": "6h",
        "NOTIFY_QUIET": "22:00-07:00",
        "NOTIFY_SERIOUS_ANYTIME": "true",
        "NOTIFY_LIMIT": "0",
        "NOTIFY_LOSS": "2.5",
    }
    pods = []
    for notify, expected in (
        ({}, {}),
        ({"secretName": "mine"}, file),
        ({"urls": "ntfy://ntfy.sh/home"}, file),
        ({"urls": "ntfy://ntfy.sh/cabin", "every": "", "quiet": "", "seriousAnytime": False, "limit": None}, file),
        ({"secretName": "mine", **every}, file | named),
    ):
        pod = noticed(notify).result().one("StatefulSet", "porchlight-keeper")["spec"]["template"]
        pods.append(pod)
        env = {variable["name"]: variable["value"] for variable in pod["spec"]["containers"][0]["env"]}
        env = {name: value for name, value in env.items() if name.startswith("NOTIFY_")}
        volumes = [volume["name"] for volume in pod["spec"]["volumes"] if volume["name"] == "notify"]
        if (env, volumes) != (expected, ["notify"] if expected else []):
            yield f"{notify} gives the keeper {env} and the volumes {volumes}"
    if pods[2] != pods[3]:
        yield "another address restarts the keeper"
