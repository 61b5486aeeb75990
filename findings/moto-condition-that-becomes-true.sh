#!/usr/bin/env bash
# moto: an update of a stack by a parameter alone makes a resource whose condition becomes true only where the resource's own text
# has a `Ref` to that parameter. Where it is named in a `Fn::Sub`, the update is complete, and the resource is not there.
#
# Seen with moto 5.2.5 and boto3 1.44.8 (December 2026).
#
# The template has one log group with the condition that the parameter `Name` is not empty. A stack is made with an empty one, and
# then updated with the same template and a name. CloudFormation makes the group in both writings.
#
# Output seen:
#   by Ref:     UPDATE_COMPLETE, groups ['a-group']
#   by Fn::Sub: UPDATE_COMPLETE, groups []
#
# Why it matters here: the role of a second location is asked for with one parameter, on a stack that is there already. Tested against
# moto as it is, the policy is missing, whatever the template says; or worse, one that should not be there is not missed.
#
# Needs python3 with venv, and PyPI. Fails when the behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet --disable-pip-version-check 'moto[cloudformation,logs]==5.2.5' 'boto3==1.44.8'
cat >update.py <<'PYTHON'
import json

import boto3
from moto import mock_aws


def template(name):
    return json.dumps({
        "Parameters": {"Name": {"Type": "String", "Default": ""}},
        "Conditions": {"HasName": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Name"}, ""]}]}},
        "Resources": {
            "Group": {"Type": "AWS::Logs::LogGroup", "Condition": "HasName", "Properties": {"LogGroupName": name}}
        },
    })


def client(service):
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    return boto3.client(service, region_name="eu-central-1", **keys)


for label, name in [("by Ref:    ", {"Ref": "Name"}), ("by Fn::Sub:", {"Fn::Sub": "${Name}"})]:
    with mock_aws():
        cloud = client("cloudformation")
        cloud.create_stack(StackName="one", TemplateBody=template(name))
        named = [{"ParameterKey": "Name", "ParameterValue": "a-group"}]
        cloud.update_stack(StackName="one", TemplateBody=template(name), Parameters=named)
        status = cloud.describe_stacks(StackName="one")["Stacks"][0]["StackStatus"]
        groups = [group["logGroupName"] for group in client("logs").describe_log_groups()["logGroups"]]
        print(f"{label} {status}, groups {groups}")
PYTHON
tools/bin/python update.py | tee seen
cat >expected <<'TEXT'
by Ref:     UPDATE_COMPLETE, groups ['a-group']
by Fn::Sub: UPDATE_COMPLETE, groups []
TEXT
diff expected seen
echo "as it was"
