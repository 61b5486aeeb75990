#!/usr/bin/env python3
"""Holds a running keeper against statuspage.io's published API description.

conformance.py DESCRIPTION BASE TOKEN PAGE COMPONENT TABLE

Every call below must be one that the description knows, answer with a code that it documents, and with a body that its
schema allows: no unknown fields, no wrong types. Null is allowed everywhere, because the description has no word for
it and statuspage.io sends it. Prints a line for each call, and ends with 1 if one of them deviates. Writes a table of what the
description has and the keeper has not into the file TABLE.
"""
import copy
import json
import re
import sys
import time
import urllib.error
import urllib.request

import yaml
from jsonschema import Draft202012Validator

import absent

description_file, base, token, page, component, table_file = sys.argv[1:]
description = yaml.safe_load(open(description_file))

# What facts about the real service say where its description is silent or wrong.
SEEN_IN_PRACTICE = {
    "Incident": {
        "page_id": {"type": "string"},
        "started_at": {"type": "string"},
        # Described as true or false, and as a timestamp.
        "postmortem_published_at": {"type": "string"},
    },
    # Described as texts, with lists as the examples.
    "GroupComponent": {"components": {"type": "array", "items": {"type": "string"}}},
    "ComponentUptime": {
        "warnings": {"type": "array", "items": {"type": "string"}},
        "related_events": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}},
    },
    "ComponentGroupUptime": {
        "warnings": {"type": "array", "items": {"type": "string"}},
        "related_events": {"type": "array", "items": {"type": "object", "properties": {
            "component_id": {"type": "string"},
            "incidents": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}},
        }}},
    },
}
# What statuspage.io says of an incident with a published postmortem, and of the update that is it.
for known in ("Incident", "IncidentUpdate"):
    description["components"]["schemas"][known]["properties"]["status"]["enum"].append("postmortem")

# The fields that were sent of each schema.
answered = {}
# The fields of requests by what they are wrapped in: as described, and as taken.
asked, taken = {}, {}


def note(schema, value):
    """Notes which fields of which schemas are there."""
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    if name:
        schema = description["components"]["schemas"][name]
    if isinstance(value, list):
        for item in value:
            note(schema.get("items", {}), item)
    elif isinstance(value, dict):
        if name and name not in ("MetricAddResponse", "SingleMetricAddResponse"):
            answered.setdefault(name, set()).update(value)
        for key, inner in value.items():
            note(schema.get("properties", {}).get(key, {}), inner)


def strict(schema):
    """The schema with references resolved, null allowed and unknown fields refused."""
    schema = copy.deepcopy(schema)
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        schema = copy.deepcopy(description["components"]["schemas"][name])
        schema.get("properties", {}).update(SEEN_IN_PRACTICE.get(name, {}))
        if name == "MetricAddResponse":
            # Its one property stands for any metric's id, as the example shows.
            schema = {"type": "object", "additionalProperties": schema["properties"]["metric_id"]}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            schema[key] = strict(schema[key])
    if "properties" in schema:
        schema["properties"] = {name: strict(inner) for name, inner in schema["properties"].items()}
        schema.setdefault("additionalProperties", False)
    if "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if "enum" in schema:
        schema["enum"] = schema["enum"] + [None]
    schema.pop("example", None)
    return schema


def call(method, path, body=None):
    request = urllib.request.Request(base + path, method=method)
    request.add_header("Authorization", "OAuth " + token)
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def template_of(method, path):
    """The description's operation for a path with real ids in it; fixed paths come before those with parameters."""
    for template in sorted(description["paths"], key=lambda known: known.count("{")):
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if re.fullmatch(pattern, path.split("?")[0]) and method.lower() in description["paths"][template]:
            return template
    return None


def described(method, path):
    template = template_of(method, path)
    return template and description["paths"][template][method.lower()]


deviations = []
served = set()


def check(method, path, body=None, expect=None):
    status, text = call(method, path, body)
    operation = described(method, path)
    faults = []
    if operation is None:
        faults.append("the description does not know this call")
    else:
        responses = operation["responses"]
        if expect and status != expect:
            faults.append(f"answered {status} instead of {expect}: {text[:200]}")
        if str(status) not in responses and status != 404:
            faults.append(f"{status} is not documented")
        schema = responses.get(str(status), {}).get("content", {}).get("application/json", {}).get("schema")
        if schema and method == "GET" and path.split("?")[0].endswith("/metrics"):
            # Described as one metric, but a list.
            schema = {"type": "array", "items": schema}
        if schema and status < 300:
            errors = Draft202012Validator(strict(schema)).iter_errors(json.loads(text))
            faults += [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in errors]
            note(schema, json.loads(text))
        elif status >= 400 and "error" not in json.loads(text):
            faults.append("an error body without `error`")
    print(f"{'deviates' if faults else 'ok':9}{status} {method} {path}")
    for fault in faults:
        print("         ", fault)
    deviations.extend(faults)
    if operation:
        served.add((method, template_of(method, path)))
    return json.loads(text) if text and status < 300 else None


def check_fields(method, path, wrapper):
    """Which of the described fields of a request are taken: the refusal of another one names those."""
    schema = described(method, path)["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
    fields = description["components"]["schemas"][schema]["properties"][wrapper]["properties"]
    _, text = call(method, path, {wrapper: {"name": "x", "body_draft": "x", "nonsense": "a text"}})
    known = re.search(r"known are ([a-z_, ]+)", text.decode())
    if not known:
        deviations.append(f"{method} {path}: a field of nobody's is not refused with those that are known")
        print("deviates ", deviations[-1], text[:200])
    else:
        asked.setdefault(wrapper, {}).update(fields)
        taken.setdefault(wrapper, set()).update(known[1].split(", "))


P = f"/pages/{page}"
check("GET", "/pages", expect=200)
check("GET", P, expect=200)
check("PATCH", P, {"page": {"name": "My home", "time_zone": "Europe/Berlin"}}, expect=200)
check("GET", f"{P}/components?page=1&per_page=100", expect=200)
check("GET", f"{P}/components/{component}", expect=200)
check("PATCH", f"{P}/components/{component}", {"component": {"status": "major_outage"}}, expect=200)
check("PATCH", f"{P}/components/{component}", {"component": {"status": "fine"}}, expect=422)
made = check("POST", f"{P}/components", {"component": {"name": "NAS", "description": "x", "start_date": "2026-01-01"}}, expect=201)
check("POST", f"{P}/components", {"component": {}}, expect=422)
groups = f"{P}/component-groups"
group = {"description": "What is at home", "component_group": {"name": "At home", "components": [component, made["id"]]}}
group = check("POST", groups, group, expect=201)
check("POST", groups, {"component_group": {"name": "At home"}}, expect=422)
check("POST", groups, {"component_group": {"name": "At home", "components": ["zzzzzzzzzzzz"]}}, expect=422)
check("GET", f"{groups}?page=1&per_page=10", expect=200)
group = f"{groups}/{group['id']}"
check("GET", group, expect=200)
check("PATCH", group, {"component_group": {"name": "Here", "components": [component]}}, expect=200)
check("PATCH", group, {"component_group": {"components": []}}, expect=422)
check("GET", f"{P}/components/{component}/uptime?start=2026-11&end=2026-11-30", expect=200)
check("GET", f"{P}/components/{component}/uptime?start=2016", expect=422)
check("GET", f"{group}/uptime?end=never", expect=422)
check("DELETE", f"{P}/components/{made['id']}", expect=204)
check("GET", f"{P}/components/{made['id']}", expect=404)
incident = {"name": "Line down", "body": "Looking", "status": "investigating", "component_ids": [component],
            "components": {component: "partial_outage"}, "metadata": {"porchlight": {"outage_key": "k"}},
            "deliver_notifications": False, "reminder_intervals": "[]", "impact_override": "minor"}
opened = check("POST", f"{P}/incidents", {"incident": incident}, expect=201)
check("POST", f"{P}/incidents", {"incident": {"status": "investigating"}}, expect=422)
one = f"{P}/incidents/{opened['id']}"
check("GET", one, expect=200)
check("GET", f"{P}/incidents?limit=10&page=1&q=Line", expect=200)
check("GET", f"{P}/incidents/unresolved?page=1&per_page=100", expect=200)
changed = check("PATCH", one, {"incident": {"status": "resolved", "body": "Back"}}, expect=200)
update = changed["incident_updates"][0]["id"]
check("PATCH", f"{one}/incident_updates/{update}", {"incident_update": {"body": "Back again"}}, expect=200)
postmortem = f"{one}/postmortem"
check("GET", postmortem, expect=404)
check("PUT", postmortem, {"postmortem": {"body_draft": "It was the cat."}}, expect=200)
check("PUT", postmortem, {"postmortem": {}}, expect=400)
check("PUT", f"{postmortem}/publish", {"postmortem": {"notify_subscribers": False}}, expect=200)
check("GET", one, expect=200)
check("GET", postmortem, expect=200)
check("GET", f"{P}/components/{component}/uptime", expect=200)
check("GET", f"{group}/uptime", expect=200)
check("PUT", f"{postmortem}/revert", expect=200)
plan = {"name": "New router", "scheduled_for": "2026-12-01T08:00:00Z", "scheduled_until": "2026-12-01T09:00:00Z",
        "scheduled_auto_in_progress": True, "scheduled_auto_completed": True, "scheduled_auto_transition": True,
        "auto_transition_to_maintenance_state": True, "auto_transition_to_operational_state": True,
        "auto_transition_deliver_notifications_at_start": False, "auto_transition_deliver_notifications_at_end": False,
        "scheduled_remind_prior": True, "component_ids": [component]}
planned = check("POST", f"{P}/incidents", {"incident": plan}, expect=201)
check("PATCH", f"{P}/incidents/{planned['id']}", {"incident": {"scheduled_auto_completed": False}}, expect=200)
check("POST", f"{P}/incidents", {"incident": {"name": "x", "scheduled_auto_in_progress": True}}, expect=422)
for listing in ("scheduled", "upcoming", "active_maintenance"):
    check("GET", f"{P}/incidents/{listing}", expect=200)
check_fields("PATCH", P, "page")
check_fields("POST", f"{P}/components", "component")
check_fields("PATCH", f"{P}/components/{component}", "component")
check_fields("POST", f"{P}/incidents", "incident")
check_fields("PATCH", one, "incident")
check_fields("PATCH", f"{one}/incident_updates/{update}", "incident_update")
check_fields("POST", groups, "component_group")
check_fields("PATCH", group, "component_group")
check_fields("PUT", postmortem, "postmortem")
check_fields("PUT", f"{postmortem}/publish", "postmortem")
check("DELETE", postmortem, expect=204)
check("GET", postmortem, expect=404)
check("DELETE", group, expect=200)
check("DELETE", one, expect=200)
providers = f"{P}/metrics_providers"
check("GET", providers, expect=200)
provider = check("POST", providers, {"metrics_provider": {"type": "Self"}}, expect=201)
check("POST", providers, {"metrics_provider": {"type": "Datadog"}}, expect=422)
provider = f"{providers}/{provider['id']}"
check("GET", provider, expect=200)
check("PATCH", provider, {"metrics_provider": {"type": "Self"}}, expect=200)
curve = {"name": "Latency", "metric_identifier": "ping", "suffix": "ms", "decimal_places": 1, "y_axis_min": 0, "y_axis_max": 500,
         "y_axis_hidden": False, "display": True, "tooltip_description": "Average of 5", "transform": "average"}
metric = check("POST", f"{provider}/metrics", {"metric": curve}, expect=201)
check("POST", f"{provider}/metrics", {"metric": {}}, expect=422)
check("GET", f"{provider}/metrics?page=1&per_page=10", expect=200)
check("GET", f"{P}/metrics?page=1&per_page=10", expect=200)
now = int(time.time())
check("POST", f"{P}/metrics/data", {"data": {metric["id"]: [{"timestamp": now, "value": 1.5}]}}, expect=202)
check("POST", f"{P}/metrics/data", {"data": {"zzzzzzzzzzzz": [{"timestamp": now, "value": 1.5}]}}, expect=404)
metric = f"{P}/metrics/{metric['id']}"
check("POST", f"{metric}/data", {"data": {"timestamp": now, "value": 2}}, expect=201)
check("POST", f"{metric}/data", {"data": {"timestamp": now}}, expect=422)
check_fields("POST", f"{provider}/metrics", "metric")
check_fields("PATCH", metric, "metric")
check("GET", metric, expect=200)
check("PATCH", metric, {"metric": {"name": "RTT"}}, expect=200)
check("DELETE", f"{metric}/data", expect=200)
check("DELETE", metric, expect=200)
check("DELETE", provider, expect=200)

# Everything that the keeper has was called above.
is_served = lambda method, path: (method, path) in served
table, unexplained = absent.table(description, is_served, answered, asked, taken)
for fault in unexplained:
    print("deviates ", fault)
deviations.extend(unexplained)
open(table_file, "w").write(table)
print(f"{len(deviations)} deviations")
sys.exit(bool(deviations))
