"""What values do: each has an effect, those of the old chart too, and none restarts more than it must."""

import copy
import functools
import tomllib

import yaml

import helm
import rules
from parts import CASES, MINIMAL, TOKEN, outcome, part, rendered


def leaves(values, above=()):
    """The path and value of everything that is set."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, (*above, key))
        else:
            yield (*above, key), value


def without(values, path):
    copied = copy.deepcopy(values)
    functools.reduce(dict.__getitem__, path[:-1], copied).pop(path[-1])
    return copied


@part
def nothing_is_lost():
    """Each value has an effect: without it, the rendering is another one, or is refused."""
    for case in ("old-chart", "everything", "without-keeper", "own-objects", "first-try", "all-settings", "checks-without-keeper", "operator"):
        whole = rendered(CASES[case], objects=[TOKEN]).result().objects
        jobs = {path: rendered(without(CASES[case], path), objects=[TOKEN]) for path, _ in leaves(CASES[case])}
        for path, job in jobs.items():
            if not outcome(job) and job.result().objects == whole and not is_default(path, CASES[case]):
                yield f"{case}: {'.'.join(path)} does nothing"


def is_default(path, values):
    defaults = yaml.safe_load((helm.CHART / "values.yaml").read_text())
    return at(path, values) == at(path, defaults)


def at(path, values):
    return functools.reduce(lambda tree, key: tree.get(key, {}), path, values)


@part
def old_chart():
    """The old chart's values end up where they belong."""
    made = rendered(CASES["old-chart"]).result()
    direct = rendered(helm.merged(CASES["old-chart"], {"keeper": {"enabled": False}})).result()
    seed = tomllib.loads(made.one("ConfigMap", "porchlight-seed")["data"]["seed.toml"])
    facts = {
        "page": (seed["page"]["id"], "gytm4qzbx9t6"),
        "metrics": (
            {m["reading"]: m["id"] for m in seed["metrics"]},
            {"ping": "4kbf7d35c074", "bandwidth": "3kbf7d35c073"},
        ),
        "node port": (made.one("Service", "porchlight-beacon")["spec"]["ports"][0]["nodePort"], 30123),
        "secrets": (held(made), {"duckdns-of-old": ["dns"], "statuspage": ["keeper"]}),
        "secrets without keeper": (held(direct), {"duckdns-of-old": ["dns"], "statuspage": ["bandwidth", "ping"]}),
    }
    for job, schedule, told in (
        ("dns", "*/7 * * * *", {"DOMAIN": "oldhome"}),
        ("ping", "*/2 * * * *", {"TARGET_HOST": "9.9.9.9", "PAGE_ID": "gytm4qzbx9t6", "METRIC_ID": "4kbf7d35c074"}),
        ("bandwidth", "0 */4 * * *", {"PAGE_ID": "gytm4qzbx9t6", "METRIC_ID": "3kbf7d35c073"}),
    ):
        spec = direct.one("CronJob", f"porchlight-{job}")["spec"]
        container = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
        env = {variable["name"]: variable["value"] for variable in container["env"]}
        facts[job] = (({name: env.get(name) for name in told}, spec["schedule"]), (told, schedule))
    yield from (f"{what} is {is_}, and should be {should}" for what, (is_, should) in facts.items() if is_ != should)


def held(rendering):
    """Which components have which Secrets that are not the chart's."""
    found = {}
    for _, labels, spec in rules.pods(rendering):
        for volume in spec.get("volumes", []):
            name = volume.get("secret", {}).get("secretName", "porchlight-")
            if not name.startswith("porchlight-"):
                found.setdefault(name, set()).add(labels["app.kubernetes.io/component"])
    return {name: sorted(components) for name, components in found.items()}


@part
def restarts():
    """Another seed is a new pod of the keeper, and of nothing else; another secret is none at all."""

    def templates(values):
        rendering = rendered(helm.merged(MINIMAL, values), objects=[TOKEN]).result()
        return {
            labels["app.kubernetes.io/component"]: (labels, thing["spec"]) for thing, labels, _ in rules.pods(rendering)
        }

    before = templates({})
    for values, expected in (
        ({"keeper": {"page": {"name": "Another"}}}, {"keeper"}),
        ({"timeZone": "Europe/Berlin"}, {"keeper", "ping", "dns", "bandwidth"}),
        ({"keeper": {"token": "another-token-for-a-try"}}, set()),
        ({"networkPolicy": {"enabled": False}}, set()),
        ({"service": {"nodePort": 30009}}, set()),
    ):
        after = templates(values)
        changed = {component for component in before if before[component] != after[component]}
        if changed != expected:
            yield f"{values} changes {changed}"


@part
def numbers():
    """A number is handed over as it was written: neither cut off nor as 5e+08."""
    env = {
        variable["name"]: variable["value"]
        for _, _, spec in rules.pods(rendered(CASES["all-settings"]).result())
        for variable in spec["containers"][0].get("env", [])
    }
    for name, expected in (
        ("PROMISED_UP_MBPS", "2.5"),
        ("PROMISED_DOWN_MBPS", "250"),
        ("DATA_BUDGET", "2000000000000"),
        ("MAX_BYTES", "100000000"),
        ("KEEPER_RATE_LIMIT", "1000"),
    ):
        if env[name] != expected:
            yield f"{name} is {env[name]}, and {expected} was written"


@part
def relay():
    """Told upstream is what has the user's ids and is wanted there, and never the home's own component."""
    told = {"UPSTREAM_URL": "https://api.statuspage.io/v1", "HOLD": "3h"}
    ids = {"statuspage": {"latency": {"metricId": "9kbf7d35c070"}}}
    page = {"statuspage": {"pageId": "gytm4qzbx9t6", "componentId": "8kbf7d35c070"}}
    off = {"keeper": {"relay": False}}
    elsewhere = {"statuspage": {"url": "http://keeper.example:443/v1"}, "keeper": {"hold": "0s"}}
    for layers, marked, variables, mounted in (
        ([], [], {}, []),
        ([ids], [], {}, []),
        ([page], [], told, ["keeper"]),
        ([page, ids], ["Latency"], told, ["keeper"]),
        ([page, ids, off], [], {}, []),
        ([page, ids, elsewhere], ["Latency"], {"UPSTREAM_URL": "http://keeper.example:443/v1", "HOLD": "0s"}, ["keeper"]),
        ([CASES["everything"]], ["Bandwidth", "Cabin", "Latency", "Loss"], {**told, "HOLD": "6h"}, ["keeper"]),
        ([CASES["everything"], off], [], {}, []),
    ):
        values = functools.reduce(helm.merged, layers, MINIMAL)
        rendering = rendered(values).result()
        seed = tomllib.loads(rendering.one("ConfigMap", "porchlight-seed")["data"]["seed.toml"])
        things = [*seed.get("components", []), *seed["metrics"]]
        container = rendering.one("StatefulSet", "porchlight-keeper")["spec"]["template"]["spec"]["containers"][0]
        env = {variable["name"]: variable["value"] for variable in container["env"]}
        found = (
            sorted(thing["name"] for thing in things if thing.get("relay")),
            {name: env[name] for name in told if name in env},
            held(rendering).get("statuspage", []),
        )
        if found != (marked, variables, mounted) or ("UPSTREAM_TOKEN_FILE" in env) != bool(variables):
            yield f"{layers} relays {found}, and should {(marked, variables, mounted)}"


@part
def another_page():
    """Who gets an account later gets another page with nothing of the first one: a keeper would refuse to move it."""

    def ids(values):
        seed = rendered(helm.merged(MINIMAL, values)).result().one("ConfigMap", "porchlight-seed")["data"]["seed.toml"]
        seed = tomllib.loads(seed)
        return [
            seed["page"]["id"],
            *(thing["id"] for kind in ("components", "metrics") for thing in seed.get(kind, [])),
        ]

    first, again, later = (
        ids({}),
        ids({"keeper": {"page": {"name": "Another"}}}),
        ids({"statuspage": {"pageId": "gytm4qzbx9t6"}}),
    )
    if first != again or len(first) != 4 or set(first) & set(later) or len(later) != 3:
        yield f"ids are {first}, with another name {again}, with another page {later}"
