"""That the chart renders: every case on the oldest and the newest version, wrong values with a message, two cases to the letter."""

import difflib
import re

import yaml

import helm
import programs
import rules
import schemas
from parts import CASES, HERE, crew, kept, outcome, part, rendered


@part
def matrix():
    """Every case renders, on the newest version to what the oldest gets, keeps the rules, is valid on every version between,
    and its programs take their settings."""
    oldest, newest = schemas.VERSIONS[0], schemas.VERSIONS[-1]
    jobs = {
        case: [rendered(values, version=version, monitors=True) for version in (oldest, newest)]
        for case, values in CASES.items()
    }
    for case, (job, latest) in jobs.items():
        if said := outcome(job) or outcome(latest):
            yield f"{case}: {said}"
            continue
        rendering = job.result()
        if lasting(rendering) != lasting(latest.result()):
            # No template asks for the version; one that does is to be rendered on each.
            yield f"{case} is another one on Kubernetes {newest} than on {oldest}"
        found = [problem for thing in rendering.objects for problem in schemas.problems(thing, schemas.VERSIONS)]
        found += rules.problems(rendering, "porchlight", "porchlight")
        found += programs.problems(rendering)
        found += noted(rendering)
        yield from (f"{case}: {problem}" for problem in found)


def lasting(rendering):
    """What is the same in each rendering: a keeper's token is drawn by chance."""
    return [thing for thing in rendering.objects if thing["kind"] != "Secret"]


def noted(rendering):
    """The notes tell how to make the Secrets that pods wait for, and no others."""
    lines = re.findall(r"create secret generic (\S+) (--from-file=.*)", rendering.notes)
    told = {(name, key) for name, files in lines for key in re.findall(r"--from-file=([^= ]+)=", files)}
    # How to give a beacon a key that has none.
    told -= {("beacon-key", "KEY")} if "THE BEACON HAS NO KEY" in rendering.notes else set()
    made = {secret["metadata"]["name"] for secret in rendering.all("Secret")}
    wanted = {
        (name, key)
        for _, _, spec in rules.pods(rendering)
        for volume in spec.get("volumes", [])
        for name, key in rules.secrets(volume)
        if name not in made
    }
    if told != wanted:
        yield f"the notes tell how to make {told}, and the pods want {wanted}"


@part
def lint():
    """helm lint finds nothing."""
    jobs = {case: crew.submit(helm.lint, values) for case, values in CASES.items()}
    yield from (f"{case}: {job.result()}" for case, job in jobs.items() if job.result())


@part
def wrong():
    """Each wrong values file is refused in the very words that it begins with."""
    jobs = {path: rendered(yaml.safe_load(path.read_text())) for path in sorted((HERE / "wrong").glob("*.yaml"))}
    for path, job in jobs.items():
        lines = path.read_text().splitlines(keepends=True)
        values = "".join(line for line in lines if not line.startswith("#"))
        said = outcome(job)
        if not kept(path, "".join(f"# {line}".rstrip() + "\n" for line in said.splitlines()) + values) or not said:
            yield f"{path.name}: Helm says: {said or 'nothing'}"
    if len(jobs) < 20:
        yield f"there are only {len(jobs)} wrong values files"


@part
def golden():
    """Two whole renderings, notes included, are as they were looked at once. UPDATE_CHART=1 writes them anew."""
    for case in ("minimal", "everything"):
        rendering = rendered(CASES[case]).result()
        text = f"{rendering.manifest}\n---\n{rendering.hooks}\n"
        # The definitions are another file, which is compared with the types.
        text = re.sub(r"---\n# Source: home-beacon/templates/crds\.yaml\n(?:(?!---\n).*\n)*?(?=---\n)", "", text)
        # Made by chance.
        text = re.sub(r"(TOKEN: )[A-Za-z0-9+/]{43}=", r"\1…", text)
        for name, made in ((f"{case}.yaml", text), (f"{case}.txt", rendering.notes)):
            path = HERE / "golden" / name
            before = path.read_text().splitlines() if path.is_file() else []
            if not kept(path, made):
                difference = difflib.unified_diff(before, made.splitlines(), lineterm="", n=1)
                yield f"{name} differs (UPDATE_CHART=1 renews it):\n" + "\n".join(difference)
