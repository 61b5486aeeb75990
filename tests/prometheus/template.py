#!/usr/bin/env python3
"""Fills in a template of Go's, as Alloy's stage.template has them: template.py FILE, JSON with a `template` and a list of `values`.
Prints what it comes to with each. Helm does it, whose templates are Go's with the same functions beside (sprig)."""
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "chart"))
import helm  # noqa: E402

asked = json.loads(Path(sys.argv[1]).read_text())
with tempfile.TemporaryDirectory() as folder:
    chart = Path(folder)
    (chart / "templates").mkdir()
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: filled, version: 1.0.0}")
    filled = [
        f"  n{number}: |-\n    {{{{- with index $.Values.values {number} }}}}\n    >{asked['template']}<\n    {{{{- end }}}}\n"
        for number in range(len(asked["values"]))
    ]
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: filled}\ndata:\n"
    (chart / "templates/filled.yaml").write_text(head + "".join(filled))
    data = helm.render({"values": asked["values"]}, chart=chart).one("ConfigMap", "filled")["data"]
print(json.dumps([data[f"n{number}"].strip()[1:-1] for number in range(len(asked["values"]))]))
