"""Prints what each built image consists of for each platform, and notes the ids of all.

Fails where one is larger than what its profile may have, where a program is missing, is not static or is built for
another machine, and where an image says of itself what is not so.
"""

import json
import struct
import subprocess
import sys
from pathlib import Path

PROFILE, WORK, OPERATORS, PODMAN = sys.argv[1], Path(sys.argv[2]), sys.argv[3].split(), sys.argv[5:]
# The limit of each by the profile that it is compiled with, in bytes, uncompressed; and what is in it. `release` is shipped.
HOME = (
    {"release": 22_000_000, "quick": 75_000_000},
    {"beacon", "keeper", "ping", "bandwidth", "dns", "checks", "heartbeat", "node-metrics", "porchlight"},
)
OPERATOR = {"release": 13_000_000, "quick": 48_000_000}, {"operator", "check-runner"}
MACHINES = {"amd64": 62, "arm64": 183}
PT_INTERP = 3


def podman(*words):
    return subprocess.run([*PODMAN, *words], check=True, capture_output=True, text=True).stdout


def machine_and_needs(program):
    """The ELF machine, and whether it needs a dynamic linker."""
    with open(program, "rb") as file:
        data = file.read(4096)
    (machine,) = struct.unpack_from("<H", data, 18)
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    kinds = [struct.unpack_from("<I", data, table + size * index)[0] for index in range(count)]
    return machine, PT_INTERP in kinds


def look(architecture, image, limit, expected):
    is_home = "porchlight" in expected
    told = json.loads(podman("image", "inspect", image))[0]
    config, size = told["Config"], told["Size"]
    print(f"{architecture}: {size / 1e6:.1f} MB uncompressed")
    for layer in reversed(json.loads(podman("history", "--format", "json", image))):
        if layer["size"] > 0:
            print(f"  layer {layer['size'] / 1e6:6.2f} MB  {layer['CreatedBy'].split('#(nop) ')[-1][:70]}")
    wrong = []
    root = Path(podman("image", "mount", image).strip())
    try:
        programs = {path.name: path for path in (root / "usr/local/bin").iterdir()}
        for name, path in sorted(programs.items()):
            what = f"is {path.readlink()}" if path.is_symlink() else f"{path.stat().st_size / 1e6:6.2f} MB"
            print(f"    {name:10} {what}")
            machine, dynamic = machine_and_needs(path)
            if machine != MACHINES[architecture] or dynamic:
                wrong.append(f"{name} is not a static program for {architecture}")
        if set(programs) != expected:
            wrong.append(f"the programs are {sorted(programs)}")
        trusted = (root / "etc/ssl/certs/ca-certificates.crt").read_text().count("BEGIN CERTIFICATE")
        if trusted < 50:
            wrong.append(f"the bundle has {trusted} authorities")
        data = root / "var/lib/porchlight"
        if data.exists() != is_home or is_home and (data.stat().st_uid, data.stat().st_gid) != (65532, 65532):
            wrong.append("/var/lib/porchlight belongs to somebody else, or is missing, or is not needed")
    finally:
        podman("image", "unmount", image)
    if size > limit:
        wrong.append(f"it has {size} bytes, and may have {limit}")
    said = (told["Architecture"], config["User"], config.get("Entrypoint"), config.get("Cmd"))
    if said != (architecture, "65532:65532", None, None):
        wrong.append(f"it says of itself {said}")
    # Where podman says it depends on its version.
    check = told.get("Healthcheck") or told.get("HealthCheck") or config.get("Healthcheck") or {}
    # Kubernetes, the only place of the operator's, asks by probes of its own.
    if check.get("Test") != (["CMD", "/usr/local/bin/porchlight", "health"] if is_home else None):
        wrong.append(f"its health check is {check}")
    labels = config["Labels"]
    for label in ("title", "description", "licenses", "version", "revision", "source"):
        if f"org.opencontainers.image.{label}" not in labels:
            wrong.append(f"the label {label} is missing")
    return wrong


images = {image["Digest"]: image["Id"] for image in json.loads(podman("images", "--all", "--no-trunc", "--format", "json"))}
failed = False
for name, prefix, platforms, (limits, expected) in (
    ("porchlight", "", MACHINES, HOME),
    ("porchlight-operator", "operator-", OPERATORS, OPERATOR),
):
    print(f"{name}:")
    found = set()
    for entry in json.loads(podman("manifest", "inspect", f"{name}:tests"))["manifests"]:
        architecture, digest = entry["platform"]["architecture"], entry["digest"]
        found.add(architecture)
        image = images[digest]
        wrong = look(architecture, image, limits[PROFILE], expected)
        for sentence in wrong:
            print(f"  WRONG: {sentence}")
        failed |= bool(wrong)
        (WORK / f"{prefix}{architecture}").write_text(image + "\n")
    if found != set(platforms):
        print(f"the manifest has {sorted(found)}")
        failed = True
sys.exit(failed)
