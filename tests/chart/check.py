"""Renders, lints and judges the chart. Prints a line for each thing that is wrong and a last line with counts; ends
with 1 where anything is.

    check.py            everything
    check.py golden …   only the parts that are named
    UPDATE_CHART=1      write the golden files, the messages in wrong/, and the chart's files/ anew
"""

import sys
import time

import checks
import effects
import helm
import installs
import notices
import programs
import renders
import safety
import schemas
import sections
import upgrades
import waiting
import watched
import words
from parts import parts

# Each of these brings its parts; quick ones that say most come first.
MODULES = (renders, effects, notices, checks, watched, upgrades, sections, installs, waiting, safety, words)
# A mistake in the chart shows in every case.
MOST = 12


def main():
    start = time.monotonic()
    failures = 0
    everything = [name for module in MODULES for name, part in parts.items() if part.__module__ == module.__name__]
    for name in sys.argv[1:] or everything:
        began = time.monotonic()
        problems = list(parts[name]())
        for problem in problems[:MOST]:
            print(f"WRONG in {name}: {problem}")
        if len(problems) > MOST:
            print(f"WRONG in {name}: and {len(problems) - MOST} more")
        failures += len(problems)
        print(f"{name}: {time.monotonic() - began:.1f} s", flush=True)
    print(
        f"{helm.rendered} renderings, {len(schemas.seen)} objects validated, {len(programs.seen)} programs asked, "
        f"{failures} wrong, {time.monotonic() - start:.0f} s"
    )
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
