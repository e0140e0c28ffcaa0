#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Medians of "STATE NAME VALUE" lines.

usage: figures.py FILE TREE VERSION SERIES-KEY ARCH PAIRS SECONDS CPUS WHEN
"""
import json
import statistics
import sys


def rounded(x):
    return round(x) if abs(x) >= 1000 else round(x, 1)


def unit(name):
    if name.startswith("instructions"):
        return "instructions"
    if name.startswith(("slab", "sizeof")):
        return "bytes"
    return "per second"


def main():
    if len(sys.argv) != 10:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    path, tree, version, key, arch, pairs, seconds, cpus, when = sys.argv[1:]
    values, order = {}, []
    with open(path) as f:
        for line in f:
            state, name, value = line.split()
            if name not in order:
                order.append(name)
            values.setdefault(name, {}).setdefault(state, []).append(float(value))
    figures = []
    for name in order:
        row = {"name": name, "unit": unit(name)}
        for state in ("base", "patched"):
            v = values[name].get(state, [])
            row[state] = {"median": rounded(statistics.median(v)), "min": rounded(min(v)), "max": rounded(max(v)),
                          "values": v} if v else {"median": None, "min": None, "max": None, "values": []}
        b, p = values[name].get("base"), values[name].get("patched")
        if b and p and statistics.median(b):
            row["ratio"] = round(statistics.median(p) / statistics.median(b), 3)
        figures.append(row)
    json.dump({"tree": tree, "version": version, "series_key": key, "arch": arch, "pairs": int(pairs),
               "seconds": int(seconds), "host_cpus": int(cpus), "when": when, "figures": figures},
              sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
