"""Reads a dashboard by Grafana's own library of what dashboards are, and fails where that leaves out or changes anything."""

import json
import sys

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard


def lost(ours, theirs, path="$"):
    """Where ours says something that theirs does not."""
    if isinstance(ours, dict):
        if not isinstance(theirs, dict):
            return [path]
        return [place for key, value in ours.items() for place in lost(value, theirs.get(key), f"{path}.{key}")]
    if isinstance(ours, list):
        if not isinstance(theirs, list) or len(ours) != len(theirs):
            return [path]
        return [place for index, value in enumerate(ours) for place in lost(value, theirs[index], f"{path}[{index}]")]
    return [] if ours == theirs else [path]


register_default_plugins()
with open(sys.argv[1], encoding="utf-8") as file:
    ours = json.load(file)
theirs = json.loads(JSONEncoder().encode(Dashboard.from_json(ours)))
places = lost(ours, theirs)
print("\n".join(places))
sys.exit(bool(places))
