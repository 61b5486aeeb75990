"""What is said of the values: in values.yaml, in the schema, and in the tables of settings of the programs' README."""

import json
import re
import tomllib

import yaml

import helm
from parts import part

# What the chart sets itself.
SERVER = {"PUBLIC_ADDR", "PRIVATE_ADDR", "KEEPER_ADDR", "DATABASE_URL", "KEEPER_SEED", "UPSTREAM_URL", "HOLD"}
SERVER |= {"KEEPER_TLS_ADDR", "KEEPER_TLS_CERTIFICATE", "KEEPER_TLS_KEY", "UPSTREAM_FINGERPRINT"}
SERVER |= {"KEEPER_PUBLIC_ADDR", "KEEPER_BASE_PATH", "BEACON_PRIVATE_URL", "STOP_DELAY"}
SERVER |= {"NOTIFY_EVERY", "NOTIFY_QUIET", "NOTIFY_SERIOUS_ANYTIME", "NOTIFY_LIMIT", "NOTIFY_LOSS"}
SERVER |= {"PUBLIC_PING", "KEEPER_OPEN_SUMMARY", "NOTIFY_OPERATOR_URLS_FILE", "HEARTBEAT_EVERY"}
JOB = {"KEEPER_URL", "STATE_DIR", "STATUSPAGE_URL", "PAGE_ID", "METRIC_ID", "DEADLINE", "TARGET_HOST", "DOMAIN"}
CHECKS = {"CHECKS_FILE", "STATPING_FILE", "CHECKS_ADDR", "CHECKS_CONCURRENCY", "PING_TARGET_URLS", "PING_INTERVAL_SECONDS"}
CHECKS |= {"KEEPER_URL", "STATUSPAGE_URL", "PAGE_ID"}
OURS = {"beacon": SERVER, "keeper": SERVER, "ping": JOB, "bandwidth": JOB, "dns": JOB, "checks": CHECKS}
# The second name has a section of its own.
OURS["dns"] = JOB | {"DYNDNS_URL", "DYNDNS_USER"}
OURS |= {"node-metrics": {"NODE_ADDR", "NODE_NAME", "SYS_DIR"}}
PORT = {"ROUTER", "PORT_TO", "PORT_INTERNAL", "PORT_EXTERNAL", "PORT_LEASE", "PORT_PROTOCOL", "STATE_DIR"}
# Over IPv6 a node has no port of its own, and the address of the prober is not known here.
OURS |= {"port": PORT | {"IP_VERSION", "CANARY_URL"}}
# What it sets of the operator, whose settings have no table.
OPERATOR = {"OPERATOR_NAMESPACES", "OPERATOR_ADDR", "OPERATOR_LEASE", "KEEPER_URL", "CHANNELS_SECRET", "RUNNER_IMAGE", "BASH_IMAGE", "PYTHON_IMAGE"}
OPERATOR |= {"PACKAGES_CLAIM", "SCRIPT_MEMORY", "SCRIPT_CPU", "PINGLOW_EGRESS", "PINGLOW_SECRETS"}
# Names that Pinglow's values have, which are refused with what there is instead.
PINGLOW = {"DBEnvFromSecret", "ApiKeyEnvFromSecret", "RedisPasswordSecret", "redis", "pinglow", "runner", "keda", "timescaledb"}
# Commands of the tool: where their tables are, and under which headings.
COMMANDS = {"port": ("infra/README.md", ["porchlight port", "porchlight port open"])}
# Where the values have another word for a program.
SECTIONS = {"node-metrics": "nodeMetrics"}


@part
def documented():
    """Each value has its line, the schema knows exactly these, and settings are those of the programs."""
    lines = (helm.CHART / "values.yaml").read_text().splitlines()
    defaults = yaml.safe_load("\n".join(lines))
    schema = json.loads((helm.CHART / "values.schema.json").read_text())
    for before, line in zip(lines, lines[1:]):
        bare = before.strip().startswith("#") or before.endswith(":")
        if (
            re.match(r" *[A-Za-z0-9]+:( |$)", line)
            and not bare
            and not line.endswith(":")
            and not re.search("requests|Selector", before + line)
        ):
            yield f"values.yaml: nothing is said of {line.strip()}"
    at = schema["properties"]
    gone = {
        ("webserver",),
        ("global",),
        ("enabled",),
        ("tags",),
        ("exports",),
        ("duckdns", "image"),
        ("duckdns", "label"),
        ("statuspage", "latency", "image"),
        ("statuspage", "bandwidth", "image"),
        *((name,) for name in PINGLOW),
    }
    yield from (
        f"the schema and the values differ in {'.'.join(path)}" for path in sorted(differences(at, defaults) ^ gone)
    )
    chart = yaml.safe_load((helm.CHART / "Chart.yaml").read_text())
    version = tomllib.loads((helm.ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    if {chart["appVersion"], chart["version"]} != {version}:
        yield f"Chart.yaml says {chart['version']} and {chart['appVersion']}, and the programs are {version}"
    for program, ours in OURS.items():
        path, headings = COMMANDS.get(program, ("home-beacon/README.md", [program]))
        readme = (helm.ROOT / path).read_text()
        tables = "".join(readme.partition(f"### `{heading}`\n")[2].partition("\n###")[0] for heading in headings)
        theirs = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", tables, re.MULTILINE))
        section = SECTIONS.get(program, program)
        known = set(at[section]["properties"]["settings"]["properties"])
        told = set(re.findall(r"\b[A-Z][A-Z0-9_]{4,}\b", settings_comment(lines, section)))
        if theirs - ours != known or told != known:
            apart = sorted((theirs - ours) ^ known | told ^ known)
            yield f"{program}.settings: README, schema and values do not all know {apart}"
    source = (helm.ROOT / "home-beacon/operator/src/settings.rs").read_text()
    theirs = set(re.findall(r'env = "([A-Z0-9_]+)"', source))
    known = set(at["operator"]["properties"]["settings"]["properties"])
    told = set(re.findall(r"\b[A-Z][A-Z0-9_]{4,}\b", settings_comment(lines, "operator")))
    if len(theirs) < 8 or theirs - OPERATOR - known or told != known:
        yield f"operator.settings: program, schema and values do not all know {sorted(theirs - OPERATOR - known | told ^ known)}"


@part
def carried():
    """The image is built and carried in the same words wherever that is told."""
    sentence = (helm.ROOT / "tests/chart/wrong/no-image.yaml").read_text()
    build, carry = re.search(r"(buildah build .*? \.) && (buildah push .*? -);", sentence).groups()
    for path in ["charts/home-beacon/README.md", "Dockerfile"]:
        # Lines that go on, be it in a comment.
        text = re.sub(r"\\\n[# ]*|\|\n[# ]*", lambda cut: " " if cut[0][0] == "\\" else "| ", (helm.ROOT / path).read_text())
        text = re.sub(" +", " ", text)
        yield from (f"{path} does not say: {command}" for command in [build, carry] if command not in text)


def settings_comment(lines, program):
    start = lines.index(f"{program}:")
    end = next(i for i in range(start, len(lines)) if re.match(" +settings:", lines[i]))
    begin = next(i for i in range(end, start, -1) if "Further settings" in lines[i])
    return "\n".join(lines[begin:end]).replace("--help", "")


def differences(schema, values, above=()):
    found = {(*above, key) for key in schema.keys() ^ values.keys()}
    for key in schema.keys() & values.keys():
        deeper = schema[key].get("properties")
        if deeper and key != "settings" and isinstance(values[key], dict):
            found |= differences(deeper, values[key], (*above, key))
    return found
