"""Hands one call of the AWS command line on to `resident_aws.py`, whose socket AWS_RESIDENT names, and ends as it ended."""

import json
import os
import socket
import sys

connection = socket.socket(socket.AF_UNIX)
connection.connect(os.environ["AWS_RESIDENT"])
handed = {"folder": os.getcwd(), "words": sys.argv[1:], "variables": dict(os.environ)}
message = json.dumps(handed).encode() + b"\n"
sent = socket.send_fds(connection, [message], [0, 1, 2])
connection.sendall(message[sent:])
sys.exit((connection.recv(1) or b"\1")[0])
