#!/usr/bin/env python3
"""Calls a keeper as clients of healthchecks.io do that PyPI has.

pinging.py ADDRESS SECRET CLIENT CALL TEXT: ADDRESS is all before the secret. Prints what the client makes of the answer.
"""
import sys
import uuid

address, secret, client, call, text = sys.argv[1:]


def healthchecks_io():
    """The whole API, by httpx: what is sent along is the body of a POST."""
    import healthchecks_io as theirs

    with theirs.Client(ping_url=address) as of:
        if call == "run":
            with theirs.CheckTrap(of, uuid=secret) as run:
                run.add_log(text)
            return "done"
        if call == "break":
            try:
                with theirs.CheckTrap(of, uuid=secret):
                    raise OSError(text)
            except OSError:
                return "broken"
        try:
            if call.isdecimal():
                return of.exit_code_ping(int(call), uuid=secret, data=text)
            return getattr(of, f"{call}_ping")(uuid=secret, data=text)
        except theirs.client.exceptions.CheckNotFoundError:
            return "not found"


def runchecked():
    """Runs a program, and reports what it printed, until something answers that begins with OK."""
    from runchecked import HealthCheckedContext

    with HealthCheckedContext(address + secret, enable_tty_output=False) as run:
        run.run(["sh", "-c", call])
    return run.status


def duplicacy_backup_runner():
    """A program for backups, by requests: each call of a run carries the run's id."""
    from duplicacy_backup_runner import main as theirs

    theirs.HEALTHCHECKS_BASE_URL = address.rstrip("/")
    suffix = "" if call == "success" else f"/{call}"
    return theirs.ping_healthchecks(secret, str(uuid.uuid4()), suffix, data=text, retries=1)


print(globals()[client]())
