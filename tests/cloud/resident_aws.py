"""The AWS command line in one process: `resident_aws.py SOCKET` loads it once, and forks for each call that `aws_call.py` hands on.

A call has the arguments, variables, folder and open files of who makes it, and awscli's own entry does it: only the start of Python
and the reading of the service descriptions are saved, which are nine tenths of a call.
"""

import functools
import json
import os
import signal
import socket
import sys
import threading
import traceback

import awscli.clidriver
import botocore.loaders

BIGGEST = 1 << 20

# awscli has set it when it was imported.
DATA_PATH = os.environ["AWS_DATA_PATH"]

# A description is read once, and each call has a copy of its own, by the fork.
load = botocore.loaders.JSONFileLoader.load_file
descriptions = functools.cache(lambda path: load(botocore.loaders.JSONFileLoader(), path))
botocore.loaders.JSONFileLoader.load_file = lambda _, path: descriptions(path)


def read(connection):
    """What was handed on, and the three open files."""
    message, files, _, _ = socket.recv_fds(connection, BIGGEST, 3)
    while not message.endswith(b"\n"):
        message += connection.recv(BIGGEST) or sys.exit("half a call")
    return json.loads(message), files


def call(connection):
    handed, files = read(connection)
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.chdir(handed["folder"])
    os.environ.clear()
    os.environ.update(handed["variables"], AWS_DATA_PATH=DATA_PATH)
    sys.argv = ["aws", *handed["words"]]
    # Who made the call may be ended: the call ends with it.
    threading.Thread(target=lambda: connection.recv(1) or os._exit(1), daemon=True).start()
    code = awscli.clidriver.main() or 0
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(bytes([code]))


def main():
    session = awscli.clidriver.create_clidriver().session
    for service in ("sts", "ssm", "cloudformation", "lambda"):
        session.create_client(service, region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen(16)
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                code = 1
                try:
                    call(connection)
                    code = 0
                except BaseException:
                    traceback.print_exc()
                    sys.stderr.flush()
                finally:
                    os._exit(code)
            connection.close()


main()
