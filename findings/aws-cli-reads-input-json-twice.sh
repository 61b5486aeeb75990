#!/usr/bin/env bash
# The AWS command line reads what --cli-input-json names twice, which a pipe cannot be; a parameter's own file:// it reads once.
#
# Seen with awscli 1.46.3 (November 2026), without any call of AWS: --generate-cli-skeleton output ends before one.
#
# A secret that must be on no command line and in no file can only come by standard input. With --cli-input-json file:///dev/stdin
# the whole input of a call would, and the second reader finds the pipe empty and says that the JSON is invalid. From a file the same
# JSON is taken, and so is --value file:///dev/stdin, for the secret alone.
#
# Output seen:
#   input of a file      taken
#   input of a pipe      Invalid JSON: Expecting value: line 1 column 1 (char 0)
#   --value of a pipe    taken
#
# Why it matters here: the message blames the JSON, which is right, so that one looks for the fault in the wrong place. A setup
# that stores a secret hands over its value alone.
#
# Needs python3 with venv, and PyPI; talks to nobody else. Fails when the behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv tools
tools/bin/pip install --quiet --disable-pip-version-check 'awscli==1.46.3'
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=eu-central-1
echo '{"Name": "/a/name", "Type": "String", "Value": "a value"}' >input.json
put() { # its standard input is what the words name
  if tools/bin/aws ssm put-parameter --generate-cli-skeleton output "$@" >answer 2>complaint; then
    echo taken
  else
    grep -o 'Invalid JSON.*' complaint
  fi
}
{
  printf '%-20s %s\n' 'input of a file' "$(put --cli-input-json file://input.json)"
  printf '%-20s %s\n' 'input of a pipe' "$(put --cli-input-json file:///dev/stdin < <(cat input.json))"
  printf '%-20s %s\n' '--value of a pipe' "$(printf 'a value' | put --name /a/name --type String --value file:///dev/stdin)"
} | tee seen
cat >expected <<'TEXT'
input of a file      taken
input of a pipe      Invalid JSON: Expecting value: line 1 column 1 (char 0)
--value of a pipe    taken
TEXT
diff expected seen
echo "as it was"
