"""A stand-in for a cluster's API server, on loopback: it tells what kinds there are, holds the objects that a case
gives it, and takes whatever is written. Helm stores a release with it, and the rendering is in there.

Each case has a cluster of its own, below a path of its own, so that one server is enough for all.
"""

import base64
import gzip
import itertools
import json
import re
import select
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml

KINDS = {
    "v1": ["ConfigMap", "Namespace", "PersistentVolumeClaim", "Pod", "Secret", "Service", "ServiceAccount"],
    "apiextensions.k8s.io/v1": ["CustomResourceDefinition"],
    "apps/v1": ["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"],
    "batch/v1": ["CronJob", "Job"],
    "networking.k8s.io/v1": ["Ingress", "NetworkPolicy"],
    "rbac.authorization.k8s.io/v1": ["Role", "RoleBinding"],
}
# What is in no namespace.
WIDE = ("CustomResourceDefinition", "Namespace")
REFUSED = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "BadRequest", "code": 400}
MONITORING = "monitoring.coreos.com/v1"


def plural(kind):
    word = kind.lower()
    return word[:-1] + "ies" if word.endswith("y") else word + ("es" if word.endswith("s") else "s")


class Cluster:
    """What one case sees."""

    def __init__(self, version, objects, operator):
        self.version = version
        self.objects = list(objects)
        self.kinds = {**KINDS, MONITORING: operator} if operator else KINDS
        self.releases = []

    def take(self, body):
        """Something is written."""
        # The record of a release comes as a protobuf, whose one long text is a compressed JSON.
        self.releases += re.findall(rb"H4sI[A-Za-z0-9+/]+=*", body)

    def change(self, verb, path, body):
        """Something that is there is patched or deleted."""

    def release(self):
        """The release as Helm stored it last."""
        return json.loads(gzip.decompress(base64.b64decode(self.releases[-1])))

    def answer(self, path):
        """The status and object that a GET is answered with."""
        parts = path.strip("/").split("/")
        if parts == ["version"]:
            major, minor = self.version.split(".")
            return 200, {"major": major, "minor": minor, "gitVersion": f"v{self.version}.0"}
        if parts == ["api"]:
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if parts == ["apis"]:
            return 200, {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [group(v) for v in self.kinds if "/" in v],
            }
        version, rest = ("v1", parts[2:]) if parts[0] == "api" else ("/".join(parts[1:3]), parts[3:])
        if version in self.kinds and not rest:
            return 200, resources(version, self.kinds[version])
        if version in self.kinds and rest[0] == "namespaces" and len(rest) in (3, 4):
            found = [thing for thing in self.objects if located(thing, version, rest[1], rest[2])]
            if len(rest) == 3:
                kind = next(kind for kind in self.kinds[version] if plural(kind) == rest[2])
                return 200, {"kind": f"{kind}List", "apiVersion": version, "metadata": {}, "items": found}
            for thing in found:
                if thing["metadata"]["name"] == rest[3]:
                    return 200, thing
        if version in self.kinds and len(rest) == 2:
            for thing in self.objects:
                if located(thing, version, None, rest[0]) and thing["metadata"]["name"] == rest[1]:
                    return 200, thing
        return 404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}


def located(thing, version, namespace, plural_of_kind):
    return (thing["apiVersion"], thing["metadata"].get("namespace"), plural(thing["kind"])) == (
        version,
        namespace,
        plural_of_kind,
    )


def group(version):
    told = {"groupVersion": version, "version": version.split("/")[1]}
    return {"name": version.split("/")[0], "versions": [told], "preferredVersion": told}


def resources(version, kinds):
    verbs = ["create", "delete", "get", "list", "patch", "update"]
    told = [
        {"name": plural(k), "singularName": "", "namespaced": k not in WIDE, "kind": k, "verbs": verbs}
        for k in kinds
    ]
    return {"kind": "APIResourceList", "groupVersion": version, "resources": told}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: the second would wait 40 ms for the first to be acknowledged, at each call.
    wbufsize = 1 << 16

    def log_message(self, *_):
        pass

    def cluster(self):
        number, path = re.fullmatch(r"/(\d+)(/[^?]*)(?:\?.*)?", self.path).groups()
        return self.server.clusters[int(number)], path

    def send(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        cluster, path = self.cluster()
        if "watch=true" in self.path:
            return self.watch()
        status, thing = cluster.answer(path)
        self.send(status, "application/json", json.dumps(thing).encode())

    def watch(self):
        """Nothing changes while somebody watches: who has listed what there is has seen it all."""
        if "sendInitialEvents=true" in self.path:
            return self.send(400, "application/json", json.dumps(REFUSED).encode())
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.flush()
        select.select([self.connection], [], [], 30)

    def do_POST(self):
        cluster, _ = self.cluster()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        cluster.take(body)
        kind = self.headers["Content-Type"]
        self.send(201 if self.command == "POST" else 200, kind if "protobuf" in kind else "application/json", body)

    do_PUT = do_POST

    def do_PATCH(self):
        # What is there stays as it is, unless the cluster cares: nobody looks at it again.
        cluster, path = self.cluster()
        cluster.change("PATCH", path, self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    def do_DELETE(self):
        cluster, path = self.cluster()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()
        cluster.change("DELETE", path, body)


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    # Many cases come at once, and who is turned away comes again a second later.
    request_queue_size = 256


class Server:
    """The API server of all clusters; gone with the process."""

    def __init__(self):
        self.http = Listener(("127.0.0.1", 0), Handler)
        self.http.clusters = {}
        self.numbers = itertools.count()
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def add(self, cluster):
        """A kubeconfig that leads to the cluster."""
        number = next(self.numbers)
        self.http.clusters[number] = cluster
        url = f"http://127.0.0.1:{self.http.server_port}/{number}"
        # As YAML in lines: what is one line would be taken for the name of a file.
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "c",
                "users": [{"name": "u", "user": {}}],
                "clusters": [{"name": "c", "cluster": {"server": url}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            }
        )
