#!/usr/bin/env bash
# statuspage-prometheus-exporter: a group is one more component, and a component under maintenance is down.
#
# Seen with statuspage-prometheus-exporter 2.6.0 (November 2026).
#
# In /api/v2/summary.json a group stands among the components, as a row of its own with "group": true and the worst status of its
# members. One expects a reader to leave it out, or to mark it. The exporter gives it a series beside those of its members, so a
# sum or a count over components has it twice. And of the five statuses only `operational` is 1: a planned maintenance reads 0,
# as an outage does, so an alert on 0 fires for it.
#
# Output seen:
#   At home       0.0    (a group)
#   Home internet 0.0    (under_maintenance)
#   Cabin         1.0    (operational)
#
# Why it matters here: pages with groups and planned maintenance are what people watch with it. Who alerts by this exporter has to
# leave groups out by their names, and maintenance by the exporter's series of it.
#
# Needs python3 with venv, and PyPI; talks to 127.0.0.1 only. Fails when the behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet --disable-pip-version-check --ignore-requires-python --no-deps \
  statuspage-prometheus-exporter==2.6.0
tools/bin/pip install --quiet --disable-pip-version-check prometheus_client==0.25.0 apscheduler==3.11.1 requests==2.32.5
cat >served.py <<'PYTHON'
import http.server
import json
import os
import subprocess
import sys
import threading

page = {"id": "gytm4qzbx9t6", "name": "Home", "url": "http://127.0.0.1/", "updated_at": "2026-11-28T12:00:00.000Z"}


def component(identity, name, status, **more):
    times = {"created_at": page["updated_at"], "updated_at": page["updated_at"]}
    common = {"page_id": page["id"], "description": None, "position": 1, "showcase": False, "only_show_if_degraded": False}
    return {"id": identity, "name": name, "status": status, "group": False, "group_id": None} | common | times | more


group, member = "7kbf7d35c070", "8kbf7d35c070"
summary = {
    "page": page,
    "status": {"indicator": "maintenance", "description": "Service Under Maintenance"},
    "components": [
        component(group, "At home", "under_maintenance", group=True, components=[member]),
        component(member, "Home internet", "under_maintenance", group_id=group),
        component("9kbf7d35c070", "Cabin", "operational"),
    ],
    "incidents": [],
    "scheduled_maintenances": [],
}


class Served(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(summary).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Served)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/api/v2/summary.json"
with open("services.json", "w") as file:
    json.dump({"home": {"name": "Home", "url": url, "type": "status_page"}}, file)
settings = {"SERVICES_JSON_PATH": "services.json", "RUN_MODE": "once", "METRICS_TEXTFILE_PATH": "metrics.prom"}
command = [sys.executable, "-m", "statuspage_prometheus_exporter.status_monitoring"]
subprocess.run(command, env=os.environ | settings, check=True, capture_output=True, timeout=60)
name = 'statuspage_component_status{component_name="'
seen = {}
for line in open("metrics.prom"):
    if line.startswith(name):
        seen[line[len(name):].split('"')[0]] = line.split()[-1]
for component_name, value in seen.items():
    print(f"{component_name:<13} {value}")
assert seen == {"At home": "0.0", "Home internet": "0.0", "Cabin": "1.0"}, seen
PYTHON
timeout 120 tools/bin/python served.py
