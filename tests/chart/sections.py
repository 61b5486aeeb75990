"""Values as others write them: sections emptied ("keeper:" with nothing below it), and parents of our chart."""

import functools
import json
import re
import tempfile
from pathlib import Path

import yaml

import helm
from parts import CASES, MINIMAL, TOKEN, kept, outcome, part, rendered

DEFAULTS = yaml.safe_load((helm.CHART / "values.yaml").read_text())
SCHEMA = json.loads((helm.CHART / "values.schema.json").read_text())["properties"]
PROGRAMS = ("beacon", "port", "keeper", "ping", "dns", "bandwidth", "checks", "operator", "nodeMetrics")
# Whatever is below these, none is an answer: somebody wanted no limit, or no START_DELAY.
FREE = ("settings", "resources")


def places(values, above=()):
    """The path of every section and every value below it that has a default."""
    for key, value in values.items():
        yield (*above, key)
        if isinstance(value, dict) and key not in FREE:
            yield from places(value, (*above, key))


def valued(path):
    return functools.reduce(dict.__getitem__, path, DEFAULTS)


def at(path, value):
    return {path[0]: at(path[1:], value)} if path else value


@part
def defaults():
    """The defaults that templates put back are those of values.yaml; every template asks for them first."""
    text = "# values.yaml once more, for templates. Written by tests/chart/check.py with UPDATE_CHART=1.\n"
    if not kept(helm.CHART / "files/defaults.yaml", text + yaml.safe_dump(DEFAULTS, sort_keys=False)):
        yield "files/defaults.yaml is not values.yaml (UPDATE_CHART=1 renews it)"
    for path in sorted((helm.CHART / "templates").rglob("*.*")):
        first = path.read_text().partition("\n")[0]
        if path.suffix != ".tpl" and first != '{{- include "porchlight.defaults" . -}}':
            yield f"{path.name} does not begin with the defaults: an emptied section could be missing there"


@part
def emptied():
    """What is emptied is as if it had never been written: each section alone, and all at once, at every level."""
    own = {("image", "repository"): "localhost/porchlight", ("duckdns", "domain"): "myhome"}
    whole = rendered(MINIMAL, objects=[TOKEN]).result().objects
    found = [path for path in places(DEFAULTS) if path not in own]
    jobs = {path: at(path, None) for path in found if isinstance(valued(path), dict)}
    for depth in range(1, 4):
        jobs[f"all of level {depth}"] = functools.reduce(
            helm.merged, [at(path, None) for path in found if len(path) == depth], {}
        )
    jobs = {path: rendered(helm.merged(values, MINIMAL), objects=[TOKEN]) for path, values in jobs.items()}
    for path, job in jobs.items():
        if outcome(job) or job.result().objects != whole:
            yield f"{path} emptied: {outcome(job) or 'is another rendering'}"
    for path, value in own.items():
        if f"{'.'.join(path)} is empty" not in outcome(rendered(helm.merged(MINIMAL, at(path[:1], None)))):
            yield f"{path[:1]} emptied does not say that {path} is missing"

    settings = {job: dict.fromkeys(SCHEMA[job]["properties"]["settings"]["properties"]) for job in PROGRAMS}
    # The only one that the chart itself has a default for.
    settings["bandwidth"].pop("START_DELAY")
    # And what others tell to have no limit of the processor, which has none here.
    settings = {job: {"settings": names, "resources": {"limits": {"cpu": None}}} for job, names in settings.items()}
    settings["webserver"] = None
    job = rendered(helm.merged(MINIMAL, settings), objects=[TOKEN])
    if outcome(job) or job.result().objects != whole:
        yield f"all settings emptied: {outcome(job) or 'is another rendering'}"
    off = {"bandwidth": {"settings": {"START_DELAY": None}}, "ping": {"resources": {"limits": None}}}
    off = rendered(helm.merged(MINIMAL, off)).result()
    specs = {
        job: off.one("CronJob", f"porchlight-{job}")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
        for job in ("ping", "bandwidth")
    }
    if "limits" in specs["ping"]["resources"] or "START_DELAY" in str(specs["bandwidth"]):
        yield "a setting or a limit that is emptied comes back"


@part
def mistyped():
    """An unknown name in any section, and any value of another type (quoted numbers too), is refused with its place."""
    whole = {}
    for case in ("everything", "all-settings", "without-keeper"):
        whole = helm.merged(whole, CASES[case])
    values = helm.merged(DEFAULTS, whole)
    unknown, wrong, quoted = {}, {}, {}
    for path, value in nested(values):
        if isinstance(value, dict) and path[-1] not in ("annotations", "labels", "nodeSelector", "podAnnotations", "secrets"):
            unknown = helm.merged(unknown, at((*path, "nameOverride"), "x" * 63))
        elif not isinstance(value, dict):
            wrong = helm.merged(wrong, at(path, {} if isinstance(value, list) else []))
        if type(value) in (bool, int) and path[-1] not in ("IP_VERSION", "MAX_BYTES"):
            quoted = helm.merged(quoted, at(path, str(value).lower()))
    unknown["nameOverride"] = "x" * 63
    for told, changed, places in (
        ("unknown", unknown, {path[:-1] for path, value in nested(unknown) if not isinstance(value, dict)}),
        ("of another type", wrong, {path for path, value in nested(wrong) if not isinstance(value, dict) or not value}),
        ("quoted", quoted, {path for path, value in nested(quoted) if not isinstance(value, dict)}),
    ):
        said = outcome(rendered(helm.merged(values, changed)))
        for path in places:
            # As a JSON pointer has it.
            place = "".join("/" + key.replace("/", "~1") for key in path)
            if not re.search(rf"at '{re.escape(place)}': (?!validation failed)", said):
                yield f"what is {told} at {'.'.join(path)} is taken"


def nested(values, above=()):
    """The path and value of everything, sections included."""
    for key, value in values.items():
        yield (*above, key), value
        if isinstance(value, dict):
            yield from nested(value, (*above, key))


@part
def umbrella():
    """A parent chart switches ours by its condition or a tag, and gives it what parents give."""
    on, off = {"home-beacon": {**MINIMAL, "enabled": True}}, {"home-beacon": {**MINIMAL, "enabled": False}}
    direct = len(rendered(MINIMAL, objects=[TOKEN]).result().objects)
    for ours, given, expected in (
        (on, {}, direct),
        (on, {"home-beacon": {"enabled": False}}, 0),
        (off, {}, 0),
        (off, {"home-beacon": {"enabled": True}}, direct),
        ({"home-beacon": MINIMAL}, {}, direct),
        ({"home-beacon": MINIMAL, "tags": {"home": False}}, {}, 0),
        ({**on, "global": {"region": "home", "imageRegistry": ""}, "tags": {"home": True}}, {}, direct),
        (on, {"global": {"storageClass": "fast"}}, direct),
        (on, {"global": None}, direct),
        # Sections emptied by the parent's own values, and by whoever installs it.
        (helm.merged(on, {"home-beacon": {"keeper": None, "ping": {"settings": None}}}), {}, direct),
        (on, {"home-beacon": {"keeper": None, "bandwidth": {"settings": None}, "timeZone": None}}, direct),
    ):
        with tempfile.TemporaryDirectory() as folder:
            helm.umbrella(Path(folder), ours)
            job = rendered(given, objects=[TOKEN], chart=folder)
            made = "" if outcome(job) else job.result().objects
        own = [thing for thing in made if thing["metadata"]["name"] == "own"]
        if len(made) - len(own) != expected or len(own) != 1:
            yield f"an umbrella of {ours} with {given}: {outcome(job) or len(made)}, and {expected} of ours were meant"
