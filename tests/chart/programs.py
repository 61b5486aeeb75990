"""The real programs look at the settings that the chart gives them (--check)."""

import base64
import datetime
import json
import os
import subprocess
import tempfile
from pathlib import Path

import rules
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SECRETS = {
    "KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    "TOKEN": "01234567-89ab-cdef-0123-456789abcdef",
    "PASSWORD": "0123456789abcdef",
    "URLS": "ntfy://ntfy.sh/home",
    "URL": "https://kq7ub2x9d4n6w3.lambda-url.eu-central-1.on.aws/",
    "API_KEY": "fedcba9876543210",
    "BACKUP_PING": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
}
# Of its own: a keeper refuses to show its own token to a page upstream.
KEEPERS = "porchlight_keeper_0123456789abcdef"
FOLDER = Path(os.environ.get("PROGRAMS", "target/debug"))

seen = set()


def problems(rendering):
    """What a program says against its settings, each distinct set of them once."""
    for thing, _, spec in rules.pods(rendering):
        for first in spec.get("initContainers", []):
            yield from understood(thing["metadata"]["name"], first["args"])
        container = spec["containers"][0]
        # In an image of the user's it is a command of the tool that was copied there.
        program = Path(container["command"][-1]).name
        if container.get("args") == ["--version"]:
            continue
        if program == "porchlight" and container["args"][0] != "port":
            yield from understood(thing["metadata"]["name"], container["args"])
            continue
        reads = program in ("keeper", "checks")
        seeds = [json.dumps(config["data"]) for config in rendering.all("ConfigMap")] if reads else []
        key = json.dumps([program, container.get("args"), container["env"], seeds])
        if key not in seen:
            seen.add(key)
            yield from checked(thing["metadata"]["name"], program, container, rendering)


def checked(told, program, container, rendering):
    with tempfile.TemporaryDirectory() as folder:
        env = {variable["name"]: variable["value"] for variable in container["env"]}
        # Everything that begins with a slash is a file, but for a path of addresses.
        env |= {
            name: moved(value, Path(folder), name.endswith("_FILE")) for name, value in env.items() if name != "KEEPER_BASE_PATH"
        }
        for name, path in env.items():
            if name.endswith("_FILE"):
                given = {"KEEPER_TOKEN_FILE": KEEPERS, "NOTIFY_URLS_FILE": channels(rendering)}
                defines = Path(path).name if name in ("CHECKS_FILE", "STATPING_FILE") else ""
                write(path, given.get(name) or defined(rendering, defines) or SECRETS.get(Path(path).name, "any text"))
        if "KEEPER_TLS_CERTIFICATE" in env:
            make_certificate(env["KEEPER_TLS_CERTIFICATE"], env["KEEPER_TLS_KEY"])
        if "KEEPER_SEED" in env:
            config = next(config for config in rendering.all("ConfigMap") if "seed.toml" in config["data"])
            # The seed, and what it names: all of it is mounted in one folder.
            for name, text in config["data"].items():
                write(Path(env["KEEPER_SEED"]).with_name(name), text)
        if program == "operator":
            yield from begun(told, env, folder)
            return
        command = [FOLDER / program, *container.get("args", []), "--check"]
        ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=20)
        if ended.returncode != 0:
            yield f"{told}: {program} refuses what it is told: {ended.stderr.strip()}"


def begun(told, env, folder):
    """The operator looks for its API server once it has taken all settings, and there is none here."""
    ended = subprocess.run([FOLDER / "operator"], env={**env, "HOME": folder}, capture_output=True, text=True, timeout=20)
    if ended.returncode != 2 or "there is no way to the API server" not in ended.stderr:
        yield f"{told}: the operator refuses what it is told: {ended.stderr.strip()}"


def defined(rendering, name):
    """What is to be checked: the file of that name, or where it is the user's, another one."""
    made = [config["data"][name] for config in rendering.all("ConfigMap") if name in config["data"]]
    return made[0] if made else name and "checks: [{name: router, tcp: {host: 192.168.1.1, port: 80}}]"


def channels(rendering):
    """Where notices are sent, where the chart itself holds it."""
    made = [secret["data"]["URLS"] for secret in rendering.all("Secret") if "URLS" in secret.get("data", {})]
    return base64.b64decode(made[0]).decode() if made else ""


def understood(told, args):
    """The pods of `helm test` have no --check, but their command has a --help that knows their flags."""
    if args[0] in seen:
        return
    seen.add(args[0])
    ended = subprocess.run([FOLDER / "porchlight", args[0], "--help"], capture_output=True, text=True, timeout=20)
    flags = [word for word in args if word.startswith("--")]
    if ended.returncode != 0 or not all(flag in ended.stdout for flag in flags):
        yield f"{told}: porchlight {args[0]} does not know {flags}: {ended.stderr.strip()}"


def moved(value, folder, is_file):
    """A path of the pod, as one below the folder; its folder is there."""
    scheme, slash, path = value.partition("/")
    if not slash or scheme not in ("", "sqlite:"):
        return value
    path = folder / path
    (path.parent if is_file or "." in path.name else path).mkdir(parents=True, exist_ok=True)
    return f"{scheme}{path}"


def make_certificate(certificate, key):
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "home.example")])
    now = datetime.datetime.now(datetime.UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    built = built.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    write(certificate, built.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode())
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write(key, private.private_bytes(*plain).decode())


def write(path, text):
    Path(path).write_text(text)
