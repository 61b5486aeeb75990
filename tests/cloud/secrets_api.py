"""What kubectl needs of a Kubernetes API server to keep namespaces and Secrets, on loopback and without a key: `secrets_api.py FOLDER`
writes FOLDER/kubeconfig, and a line for each call to FOLDER/calls. A Secret that FOLDER/hold names is not made as long as that file is
there, and its call gets no answer. It refuses what the real one would: other content types, unknown
fields, data that is not base64, what is there already, and what is not there.
"""

import base64
import json
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "pi",
    "contexts": [{"name": "pi", "context": {"cluster": "pi", "user": "pi"}}],
    "users": [{"name": "pi", "user": {}}],
}
VERBS = ["create", "delete", "get", "list", "update"]
RESOURCES = [
    {"name": "namespaces", "singularName": "", "namespaced": False, "kind": "Namespace", "verbs": VERBS},
    {"name": "secrets", "singularName": "", "namespaced": True, "kind": "Secret", "verbs": VERBS},
]
FIELDS = {
    "Namespace": {"apiVersion", "kind", "metadata", "spec", "status"},
    "Secret": {"apiVersion", "kind", "metadata", "data", "stringData", "type", "immutable"},
}
METADATA = {"name", "namespace", "labels", "annotations", "creationTimestamp", "resourceVersion", "uid", "managedFields"}
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
PATH = re.compile(r"/api/v1/namespaces(?:/(?P<name>[^/]+)(?:/secrets(?:/(?P<secret>[^/]+))?)?)?")

# By what it is told apart from other clusters.
SYSTEM = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "uid": "u0"}}

namespaces, secrets, count = {"kube-system": SYSTEM}, {}, 0


class Refused(Exception):
    def __init__(self, code, reason, message):
        super().__init__(message)
        self.status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": code,
        }


def fields(message):
    """The fields of a protobuf message that are bytes, by their numbers."""
    found, at = {}, 0

    def number():
        nonlocal at
        value, shift = 0, 0
        while True:
            value |= (message[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if message[at - 1] < 0x80:
                return value

    while at < len(message):
        tag = number()
        size = number()
        if tag & 7 == 2:
            found[tag >> 3], at = message[at : at + size], at + size
    return found


def taken(kind, body):
    """What was sent: JSON, or of kubectl's own calls (`create namespace`) a protobuf, of which the name is read."""
    if kind in (None, "application/json"):
        return json.loads(body)
    if kind != "application/vnd.kubernetes.protobuf" or not body.startswith(b"k8s\0"):
        raise Refused(415, "UnsupportedMediaType", f"{kind} is not taken")
    unknown = fields(body[4:])
    about = fields(unknown[1])
    name = fields(fields(unknown[2])[1])[1].decode()
    return {"apiVersion": about[1].decode(), "kind": about[2].decode(), "metadata": {"name": name}}


def checked(thing, kind, namespace):
    """The object as it is kept."""
    global count
    if thing.get("apiVersion") != "v1" or thing.get("kind") != kind:
        raise Refused(400, "BadRequest", f"no {kind} of v1")
    metadata = thing.get("metadata") or {}
    unknown = (set(thing) - FIELDS[kind]) | (set(metadata) - METADATA)
    if unknown:
        raise Refused(400, "BadRequest", f"strict decoding error: unknown field {sorted(unknown)}")
    if not NAME.fullmatch(metadata.get("name") or "") or metadata.get("namespace", namespace) != namespace:
        raise Refused(422, "Invalid", "the name, or its namespace, is none")
    for key, value in (thing.get("data") or {}).items():
        try:
            base64.b64decode(value, validate=True)
        except ValueError:
            raise Refused(400, "BadRequest", f"illegal base64 data in {key}") from None
    count += 1
    return {
        **thing,
        **({"type": thing.get("type") or "Opaque"} if kind == "Secret" else {}),
        "metadata": {**metadata, "uid": f"u{count}", "resourceVersion": str(count)},
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, code, body, kind="application/json"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self):
        path = self.path.partition("?")[0]
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        with (FOLDER / "calls").open("a") as calls:
            calls.write(f"{self.command} {path}\n")
        try:
            self.send(*self.told(path, body))
        except Refused as refused:
            self.send(refused.status["code"], refused.status)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

    def told(self, path, body):
        if self.command == "GET":
            if path == "/version":
                return 200, {"major": "1", "minor": "32", "gitVersion": "v1.32.0"}
            if path == "/api":
                return 200, {"kind": "APIVersions", "versions": ["v1"]}
            if path == "/apis":
                return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}
            if path == "/api/v1":
                return 200, {"kind": "APIResourceList", "groupVersion": "v1", "resources": RESOURCES}
            if path == "/openapi/v2":
                # A document with nothing in it: kubectl then leaves the fields to the server.
                return 200, b"", "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
        found = PATH.fullmatch(path)
        if not found:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        thing = None
        if self.command in ("POST", "PUT"):
            thing = taken(self.headers["Content-Type"], body)
        if path.startswith(f"/api/v1/namespaces/{found['name']}/secrets"):
            return self.kept(thing, "Secret", secrets, found["name"], found["secret"])
        return self.kept(thing, "Namespace", namespaces, "", found["name"])

    def held(self, name):
        hold = FOLDER / "hold"
        is_held = hold.exists() and hold.read_text() == name
        if is_held:
            (FOLDER / "held").touch()
        while hold.exists() and is_held:
            time.sleep(0.02)
        if is_held:
            raise Refused(503, "ServiceUnavailable", "it was held")

    def kept(self, thing, kind, kept, namespace, name):
        if kind == "Secret" and namespace not in namespaces:
            raise Refused(404, "NotFound", f'namespaces "{namespace}" not found')
        if thing is not None:
            thing = checked(thing, kind, namespace if kind == "Secret" else None)
            named = thing["metadata"]["name"]
            self.held(named)
            is_there = (namespace, named) in kept if kind == "Secret" else named in kept
            if self.command == "POST" and is_there:
                raise Refused(409, "AlreadyExists", f'{kind.lower()}s "{named}" already exists')
            if self.command == "PUT" and (name != named or not is_there):
                raise Refused(404, "NotFound", f'{kind.lower()}s "{name}" not found')
            kept[(namespace, named) if kind == "Secret" else named] = thing
            return (201 if self.command == "POST" else 200), thing
        at = (namespace, name) if kind == "Secret" else name
        if at not in kept:
            raise Refused(404, "NotFound", f'{kind.lower()}s "{name}" not found')
        if self.command == "DELETE":
            kept.pop(at)
            return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return 200, kept[at]


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
address = f"http://127.0.0.1:{server.server_port}"
KUBECONFIG["clusters"] = [{"name": "pi", "cluster": {"server": address}}]
(FOLDER / "kubeconfig").write_text(json.dumps(KUBECONFIG))
print("ready", flush=True)
server.serve_forever()
