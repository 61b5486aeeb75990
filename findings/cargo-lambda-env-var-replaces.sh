#!/usr/bin/env bash
# cargo lambda: a variable given by --env-var makes `deploy` forget those of Cargo.toml; one given by --env-file does not.
#
# Seen with cargo-lambda 1.9.2 against moto 5.2.5 (November 2026).
#
# `package.metadata.lambda.deploy.env` of a Cargo.toml has the function's variables. `--env-file` adds to them, and one expects the
# same of `--env-var`. There the function gets the flag's variables alone, without a warning, and `--merge-env` only keeps what the
# function had before: at a first deploy, nothing.
#
# Output seen:
#   neither               ['FROM_CARGO_TOML']
#   --env-file            ['FROM_CARGO_TOML', 'GIVEN']
#   --env-var             ['GIVEN']
#   --env-var --merge-env ['GIVEN']
#
# Why it matters here: where the names of a function's secrets are in its Cargo.toml, one that gets its address by a flag has
# neither token nor key, and that shows in its first run. So variables are given by file.
#
# Needs cargo (nothing is compiled), python3 with venv, and PyPI; talks to 127.0.0.1 only. Fails when the behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet --disable-pip-version-check 'cargo-lambda==1.9.2' 'moto[awslambda,iam,server]==5.2.5' 'boto3==1.44.8'
mkdir src
echo 'fn main() {}' >src/main.rs
cat >Cargo.toml <<'TOML'
[package]
name = "function"
version = "0.0.0"
edition = "2024"
[package.metadata.lambda.deploy.env]
FROM_CARGO_TOML = "1"
TOML
echo 'GIVEN=1' >given.env
cp /bin/true bootstrap
cat >deploys.py <<'PYTHON'
import json
import logging
import os
import subprocess

import boto3
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
endpoint = "http://{}:{}".format(*server.get_host_and_port())
access = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": "eu-central-1"}
os.environ.update(access | {"AWS_DEFAULT_REGION": "eu-central-1", "AWS_ENDPOINT_URL": endpoint})
trusted = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
role = boto3.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(trusted))["Role"]["Arn"]
functions = boto3.client("lambda")
ways = [[], ["--env-file", "given.env"], ["--env-var", "GIVEN=1"], ["--env-var", "GIVEN=1", "--merge-env"]]
for way in ways:
    deploy = ["cargo-lambda", "lambda", "deploy", "function", "--binary-path", "bootstrap", "--role", role, *way]
    subprocess.run(deploy, check=True, stdout=subprocess.DEVNULL)
    environment = functions.get_function_configuration(FunctionName="function").get("Environment", {})
    words = " ".join(word for word in way if word.startswith("--")) or "neither"
    print(f"{words:<21}", sorted(environment.get("Variables", {})))
    functions.delete_function(FunctionName="function")
server.stop()
PYTHON
PATH="$PWD/tools/bin:$PATH" tools/bin/python deploys.py | tee seen
cat >expected <<'TEXT'
neither               ['FROM_CARGO_TOML']
--env-file            ['FROM_CARGO_TOML', 'GIVEN']
--env-var             ['GIVEN']
--env-var --merge-env ['GIVEN']
TEXT
diff expected seen
echo "as it was"
