#!/usr/bin/env bash
# sprig: `slice` of Go's templates, which takes texts, is another one in Helm and in Alloy, which takes lists alone.
#
# Seen with Helm as helm-sdkpy 0.1.32 (PyPI) has it, November 2026.
#
# Go's package text/template has a function `slice` for texts and lists: `{{ slice "404" 0 1 }}` is `4`. Programs that add
# sprig's functions replace it, because sprig has one of the same name for lists: Helm, and by its source Grafana Alloy in
# its stage.template, too. Helm stops with an error ("list should be type of slice or array but string"). Alloy logs it at
# the level debug and goes on without the value, so a label is missing, and nothing says so.
#
# Output seen:
#   {{ slice "404" 0 1 }}: refused
#   {{ slice (list "4" "0" "4") 0 1 }}: fine
#   {{ trunc 1 "404" }}: fine
#
# Why it matters here: the example for Alloy cut a status to its first digit so, and all but 401, 403 and 429 were counted
# without one.
#
# Needs python3 with venv, and PyPI; takes some seconds. Fails when the behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'cffi>=2,<3'
# It asks for a newer Python than it needs.
python/bin/pip install --quiet --disable-pip-version-check --ignore-requires-python --no-deps helm-sdkpy==0.1.32

mkdir -p chart/templates
echo '{apiVersion: v2, name: chart, version: 1.0.0, icon: "http://127.0.0.1/icon.svg"}' >chart/Chart.yaml
echo '{}' >chart/values.yaml
cat >lint.py <<'PYTHON'
import asyncio
import sys
from pathlib import Path

from helm_sdkpy import Configuration
from helm_sdkpy.chart import Lint

said = []
for template in ['{{ slice "404" 0 1 }}', '{{ slice (list "4" "0" "4") 0 1 }}', '{{ trunc 1 "404" }}']:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: one}}\ndata: {{first: '{template}'}}\n"
    Path("chart/templates/one.yaml").write_text(text)
    found = asyncio.run(Lint(Configuration()).run("chart"))["Messages"] or []
    said.append("refused" if any(message["Severity"] >= 3 for message in found) else "fine")
    print(f"{template}: {said[-1]}")
sys.exit(said != ["refused", "fine", "fine"])
PYTHON
python/bin/python lint.py
