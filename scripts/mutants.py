#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The list of mutants, for scripts/mutants.sh.

usage: mutants.py LIST names
       mutants.py LIST show NAME            why, file, module and suites: a line each
       mutants.py LIST apply NAME SOURCES   change the file in SOURCES
       mutants.py LIST check SOURCES        each of them applies
       mutants.py LIST caught LOG           what a run's log says: the cases that failed, or a report
"""
import os
import re
import sys


class Mutant:
    def __init__(self, name):
        self.name = name
        self.fields = {}
        self.old = []
        self.new = []


def read(path):
    mutants = {}
    current = None
    with open(path, encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            words = line.strip()
            if not words or words.startswith("#"):
                continue
            key, _, rest = words.partition(" ")
            rest = rest.strip()
            if key == "mutant":
                if rest in mutants:
                    sys.exit(f"{path}:{number}: {rest} is there already")
                current = mutants[rest] = Mutant(rest)
            elif key in ("why", "file", "run"):
                if key == "file" and "/" not in rest:
                    rest = "kmcl/" + rest
                current.fields[key] = rest
            elif key == "-":
                current.old.append(rest)
            elif key == "+":
                current.new.append(rest)
            else:
                sys.exit(f"{path}:{number}: what is {key}?")
    for mutant in mutants.values():
        if set(mutant.fields) != {"why", "file", "run"} or not mutant.old:
            sys.exit(f"{path}: {mutant.name} is not complete")
    return mutants


def changed(mutant, sources):
    """The file's name, and its text with the defect."""
    path = os.path.join(sources, mutant.fields["file"])
    with open(path, encoding="utf-8") as text:
        lines = text.read().split("\n")
    bare = [line.strip() for line in lines]
    length = len(mutant.old)
    at = [i for i in range(len(lines) - length + 1) if bare[i:i + length] == mutant.old]
    if len(at) != 1:
        sys.exit(f"mutants.py: {mutant.name} applies at {len(at)} places of {mutant.fields['file']}, "
                 "not at one: adapt scripts/mutants.txt")
    lines[at[0]:at[0] + length] = mutant.new
    return path, "\n".join(lines)


def caught(log):
    """What was first seen, in a few words."""
    failed = []
    suite = ""
    report = ""
    with open(log, encoding="utf-8", errors="replace") as text:
        for line in text:
            line = line.rstrip()
            if match := re.match(r" {4}# Subtest: (\S+)", line):
                suite = match[1]
            elif match := re.match(r" {4}not ok \d+ (\S+)", line):
                failed.append(f"{suite}.{match[1]}")
            elif not report and (match := re.search(r"BUG: .*|WARNING: .*|Kernel panic.*|UBSAN: .*|DMA-API: .*|"
                                                    r"unreferenced object.*|INFO: task .*|still running after.*", line)):
                report = match[0].strip()
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        return failed[0] + more
    if report:
        return f"{report[:80]} (in {suite})"
    return f"no end (in {suite})"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    mutants = read(sys.argv[1])
    action = sys.argv[2]
    if action == "names":
        print("\n".join(mutants))
    elif action == "show":
        for key in ("why", "file", "run"):
            print(mutants[sys.argv[3]].fields[key])
    elif action == "apply":
        path, text = changed(mutants[sys.argv[3]], sys.argv[4])
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    elif action == "check":
        for mutant in mutants.values():
            changed(mutant, sys.argv[3])
    elif action == "caught":
        print(caught(sys.argv[3]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
