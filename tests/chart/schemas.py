"""Strict validation of objects against the API of several Kubernetes versions; each distinct object once for each."""

import functools
import json
import re
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from kubernetes_validate import utils
from referencing import Registry, Resource

VERSIONS = [f"1.{minor}" for minor in range(27, 37)]
# What no version of Kubernetes brings along.
OTHERS = yaml.safe_load((Path(__file__).parent / "others.yaml").read_text())

seen = set()


@functools.cache
def contents(version, name):
    return utils.schema_contents(f"kubernetes-json-schema/v{version}.0-local-strict/{name}.json", version)


@functools.cache
def definitions(version):
    return Resource.from_contents(contents(version, "_definitions")) @ Registry()


@functools.cache
def defined(api, kind):
    """The schema of an object of the operator's, as its definition has it."""
    path = Path(__file__).parents[2] / "home-beacon/operator/crds.yaml"
    for spec in (document["spec"] for document in yaml.safe_load_all(path.read_text())):
        for version in spec["versions"]:
            if (f"{spec['group']}/{version['name']}", spec["names"]["kind"]) == (api, kind):
                return strict(version["schema"]["openAPIV3Schema"])
    return None


def strict(schema):
    """Kubernetes drops what it does not know without a word."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(part) for key, part in schema.items()}
    if made.get("properties") and "additionalProperties" not in made and isinstance(made["properties"], dict):
        made["additionalProperties"] = False
    return made


@functools.cache
def validator(version, api, kind):
    if schema := defined(api, kind):
        # What each object has besides.
        known = {"apiVersion": {}, "kind": {}, "metadata": {}, **schema["properties"]}
        return Draft202012Validator({**schema, "properties": known})
    if f"{api}/{kind}" in OTHERS:
        return Draft202012Validator(OTHERS[f"{api}/{kind}"])
    # networking.k8s.io/v1 is networking-v1 there.
    place = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api)
    schema = contents(version, f"{kind.lower()}-{place}")
    return Draft202012Validator(schema, registry=Resource.from_contents(schema) @ definitions(version))


def problems(thing, versions=VERSIONS):
    """What is wrong with an object that was not seen before."""
    text = json.dumps(thing, sort_keys=True)
    for version in versions:
        if (version, text) in seen:
            continue
        seen.add((version, text))
        for error in validator(version, thing["apiVersion"], thing["kind"]).iter_errors(thing):
            place = ".".join(map(str, error.absolute_path))
            yield f"{thing['kind']} {thing['metadata']['name']}: {place}: {error.message[:300]} (Kubernetes {version})"
