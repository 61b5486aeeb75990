"""Renders, lints and judges the chart. Prints a line for each thing that is wrong and a last line with counts; ends with 1 where
anything is.

    check.py            everything
    check.py golden …   only the parts that are named
    UPDATE_CHART=1      write the golden files, and the messages in wrong/, anew
"""

import sys
import time

# Each of these brings its parts, which are run in this order.
import renders  # isort: skip
import effects
import installs
import safety
import words
import helm
import programs
import schemas
from parts import parts


def main():
    start = time.monotonic()
    failures = 0
    chosen = sys.argv[1:] or list(parts)
    for name in chosen:
        began = time.monotonic()
        for problem in parts[name]():
            failures += 1
            print(f"WRONG in {name}: {problem}", flush=True)
        print(f"{name}: {time.monotonic() - began:.1f} s", flush=True)
    print(f"{helm.rendered} renderings, {len(schemas.seen)} objects validated, {len(programs.seen)} programs asked, "
          f"{failures} wrong, {time.monotonic() - start:.0f} s")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
