"""What all parts of the check share: the cases, and how one is rendered."""

import concurrent.futures
import os
from pathlib import Path

import yaml

import helm

HERE = Path(__file__).parent
UPDATE = os.environ.get("UPDATE_CHART") == "1"
CASES = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((HERE / "values").glob("*.yaml"))}
MINIMAL = CASES["minimal"]

# Most of a rendering is waiting for the stand-in, so many fit beside each other.
crew = concurrent.futures.ThreadPoolExecutor(24)
parts = {}


def part(function):
    """A part of the check: yields a sentence for each thing that is wrong."""
    parts[function.__name__] = function
    return function


def kept(path, text):
    """Whether a file says this; with UPDATE_CHART=1 it does then."""
    if UPDATE:
        path.write_text(text)
    return path.is_file() and path.read_text() == text


def rendered(values, **more):
    return crew.submit(helm.render, values, **more)


def outcome(job):
    """What Helm says: nothing, or why not."""
    try:
        job.result()
        return ""
    except helm.Refused as refused:
        return str(refused)


def theirs(kind, name, release="porchlight", **more):
    """An object that a release has made before."""
    owner = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": "porchlight"}
    metadata = {
        "name": name,
        "namespace": "porchlight",
        "annotations": owner,
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
    }
    return {"apiVersion": {"StatefulSet": "apps/v1"}.get(kind, "v1"), "kind": kind, "metadata": metadata, **more}


# With it, renderings can be compared: otherwise each has a token of its own, made by chance.
TOKEN = theirs("Secret", "porchlight-keeper-token", data={"TOKEN": "a2VwdC1zaW5jZS10aGUtZmlyc3QtaW5zdGFsbA=="})
