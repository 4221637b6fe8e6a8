"""Run the benchmarks that are named, or all of them, and say which bounds hold."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks import (
    accuracy,
    app,
    drawing,
    engine,
    epoch,
    first_step,
    many_runs,
    photographs,
    six_runs,
    store_writes,
    whole_run,
)
from lenet_tui.host.hardware import available_cores, environment

BENCHMARKS = {
    "epoch": epoch,
    "engine": engine,
    "whole-run": whole_run,
    "six-runs": six_runs,
    "accuracy": accuracy,
    "store-writes": store_writes,
    "queued-to-first-step": first_step,
    "many-runs": many_runs,
    "app": app,
    "drawing": drawing,
    "photographs": photographs,
}


def main() -> int:
    """Return 1 when a bound does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"{unknown[0]} is none of {', '.join(BENCHMARKS)}")

    machine = environment()
    print(f"{machine['cpu']}, {available_cores()} cores, torch {machine['torch']}, {machine['platform']}\n")
    results = []
    for name in arguments.names or BENCHMARKS:
        print(f"## {name}: {BENCHMARKS[name].__doc__.splitlines()[0]}", flush=True)
        for result in BENCHMARKS[name].measure():
            print(result, flush=True)
            results.append(result)
        print()
    if arguments.json:
        document = {"machine": machine, "results": [vars(result) for result in results]}
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")
    missed = [result for result in results if not result.holds]
    print(f"{len(missed)} bounds missed" if missed else "every bound holds")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
