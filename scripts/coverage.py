#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Add up what gcov has counted in several guests, for scripts/coverage.sh.

usage: coverage.py ROOT OBJECTS LEAST COUNTERS...

OBJECTS is the build directory of kmcl/ (its .gcno files), each COUNTERS a directory with .gcda files
of one guest. Prints the lines of kmcl/ that have not run, then a table; fails below LEAST per cent of
lines. Branches are those of the compiled code: a macro of the kernel's may be several.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile


class File:
    """Counts of one source file, over all guests and all objects that include it."""

    def __init__(self):
        self.lines = collections.Counter()
        self.branches = collections.Counter()
        self.functions = collections.Counter()

    def add(self, entry, name):
        for line in entry["lines"]:
            number = line["line_number"]
            self.lines[number] += line["count"]
            for n, branch in enumerate(line["branches"]):
                # those to the landing pads of calls are none of ours
                if not branch["throw"]:
                    self.branches[name, number, n] += branch["count"]
        for function in entry["functions"]:
            self.functions[function["name"], function["start_line"]] += function["execution_count"]


def ran(counter):
    return sum(1 for count in counter.values() if count)


def percent(counter):
    return 100.0 * ran(counter) / len(counter) if counter else 100.0


def read(objects, directory, files):
    """One guest's counters: gcov wants them beside what the compiler has written."""
    with tempfile.TemporaryDirectory() as tmp:
        for name in os.listdir(directory):
            os.symlink(os.path.join(directory, name), os.path.join(tmp, name))
            graph = name.replace(".gcda", ".gcno")
            os.symlink(os.path.join(objects, graph), os.path.join(tmp, graph))
        for name in sorted(os.listdir(directory)):
            done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", name],
                                  cwd=tmp, check=True, stdout=subprocess.PIPE)
            for document in done.stdout.splitlines():
                for entry in json.loads(document)["files"]:
                    path = os.path.normpath(os.path.join(objects, entry["file"]))
                    if os.path.dirname(path) == objects and not path.endswith(".mod.c"):
                        files[os.path.basename(path)].add(entry, name)


def ranges(numbers):
    """Lines in a row as one."""
    first = last = None
    for number in sorted(numbers):
        if last is not None and number == last + 1:
            last = number
            continue
        if first is not None:
            yield first, last
        first = last = number
    if first is not None:
        yield first, last


def uncovered(root, files):
    for name in sorted(files):
        missing = [line for line, count in files[name].lines.items() if not count]
        if not missing:
            continue
        with open(os.path.join(root, "kmcl", name), encoding="utf-8") as source:
            text = source.read().split("\n")
        for first, last in ranges(missing):
            for number in range(first, last + 1):
                print(f"kmcl/{name}:{number}: {text[number - 1].strip()}")


def main():
    root, objects, least = sys.argv[1], os.path.realpath(sys.argv[2]), float(sys.argv[3])
    files = collections.defaultdict(File)
    for directory in sys.argv[4:]:
        read(objects, directory, files)
    if not files:
        sys.exit("coverage.py: gcov has counted nothing in kmcl/")

    uncovered(root, files)
    total = File()
    print(f"\n{'':16} {'lines':>7} {'ran':>7} {'%':>6}   {'branches':>8} {'ran':>7} {'%':>6}")
    for name in sorted(files):
        file = files[name]
        for kind in ("lines", "branches", "functions"):
            for key, count in getattr(file, kind).items():
                getattr(total, kind)[name, key] += count
    for name, file in [*sorted(files.items()), ("all", total)]:
        print(f"{name:16} {len(file.lines):7} {ran(file.lines):7} {percent(file.lines):6.1f}   "
              f"{len(file.branches):8} {ran(file.branches):7} {percent(file.branches):6.1f}")
    never = sorted(key for key, count in total.functions.items() if not count)
    print(f"functions: {ran(total.functions)} of {len(total.functions)} ran")
    for name, (function, line) in never:
        print(f"    never: {function}, kmcl/{name}:{line}")
    if percent(total.lines) < least:
        sys.exit(f"coverage.py: {percent(total.lines):.1f} % of the lines have run, wanted are {least:.0f} %")


if __name__ == "__main__":
    main()
