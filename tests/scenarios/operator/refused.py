"""What the API server refuses by itself: each object of each file against the schema and the rules (CEL) of its definition.

As strict as `kubectl apply` is about keys that are not known. Prints, for each file, what refuses it.
"""

import json
import sys

import cel
import jsonschema
import yaml


def strict(schema):
    if isinstance(schema, list):
        return [strict(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: strict(value) for key, value in schema.items()}
    if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
        schema.setdefault("additionalProperties", False)
    if schema.pop("nullable", False) is True and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    return schema


def definitions(path):
    for crd in json.load(open(path)):
        spec = crd["spec"]
        schema = spec["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        defaults = {name: it["default"] for name, it in schema["properties"].items() if "default" in it}
        key = (spec["group"] + "/v1alpha1", spec["names"]["kind"])
        yield key, (strict(schema), schema.get("x-kubernetes-validations", []), defaults)


def refused(thing, known):
    schema, rules, defaults = known[(thing["apiVersion"], thing["kind"])]
    if thing.get("spec") is None:
        return ["schema"]
    # It leaves out what is null and may not be, and fills in defaults, before it looks; rules are asked only where the schema holds.
    spec = {**defaults, **{key: value for key, value in thing["spec"].items() if value is not None}}
    if list(jsonschema.Draft202012Validator(schema).iter_errors(spec)):
        return ["schema"]
    return [rule["message"] for rule in rules if cel.evaluate(rule["rule"], {"self": spec}) is not True]


known = dict(definitions(sys.argv[1]))
for path in sys.argv[2:]:
    said = [what for thing in yaml.safe_load_all(open(path)) for what in refused(thing, known)]
    print(path.rsplit("/", 1)[-1] + ": " + "; ".join(said))
