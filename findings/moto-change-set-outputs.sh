#!/usr/bin/env bash
# moto: a stack that was made by a change set has no outputs, though one that was made from the same template at once has.
#
# Seen with moto 5.2.5 and boto3 1.44.8 (November 2026).
#
# The template has one log group, and one output with its name. `create_stack` makes a stack whose description has the output.
# `create_change_set` and `execute_change_set`, which is what `aws cloudformation deploy` does, make one that is complete, has
# the log group among its resources, and has no outputs. CloudFormation itself has the same outputs on both ways.
#
# Output seen:
#   at once:         CREATE_COMPLETE, outputs {'Name': 'a-group'}
#   by a change set: CREATE_COMPLETE, outputs {}
#
# Why it matters here: the road to the cloud deploys with `aws cloudformation deploy`, and its next step reads an output. Tested
# against moto as it is, that step gets nothing, and nothing fails before.
#
# Needs python3 with venv, and PyPI. Fails when the behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet --disable-pip-version-check 'moto[cloudformation,logs]==5.2.5' 'boto3==1.44.8'
cat >stacks.py <<'PYTHON'
import json

import boto3
from moto import mock_aws

TEMPLATE = json.dumps({
    "Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "a-group"}}},
    "Outputs": {"Name": {"Value": {"Ref": "Group"}}},
})


def described(client):
    stack = client.describe_stacks(StackName="one")["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return f"{stack['StackStatus']}, outputs {outputs}"


def client():
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    return boto3.client("cloudformation", region_name="eu-central-1", **keys)


with mock_aws():
    cloud = client()
    cloud.create_stack(StackName="one", TemplateBody=TEMPLATE)
    print("at once:        ", described(cloud))
with mock_aws():
    cloud = client()
    cloud.create_change_set(StackName="one", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=TEMPLATE)
    cloud.execute_change_set(StackName="one", ChangeSetName="c")
    print("by a change set:", described(cloud))
PYTHON
tools/bin/python stacks.py | tee seen
cat >expected <<'TEXT'
at once:         CREATE_COMPLETE, outputs {'Name': 'a-group'}
by a change set: CREATE_COMPLETE, outputs {}
TEXT
diff expected seen
echo "as it was"
