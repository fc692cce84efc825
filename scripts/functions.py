#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
The functions of the API: is each one that is said to be built exported, documented with its
statuses, and covered by cases that provoke every one of them?

usage: functions.py LOG...      (logs of the KUnit suites, as scripts/kunit.sh leaves them)

The names come from kmcl/functions.h. Against them stand Documentation/functions.md (what is said
to be built), the log of kunit/functions_test.c (what is exported), kunit/statuses.txt (what each
returns), the kernel-doc of the headers, the calls that kunit/calls.c has seen and the allocations it
has counted in them, and the text of the suites. Prints the counts and fails on any gap.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
gaps = []


def read(*paths):
    return "\n".join(Path(ROOT, p).read_text() for p in paths)


def gap(name, what):
    gaps.append(f"{name}: {what}")


def names():
    """The functions in order, those of servers apart."""
    text = read("kmcl/functions.h")
    cut = text.index("14 for servers only")
    listed = [re.findall(r"F\((Vmb\w+)\)", part) for part in (text[:cut], text[cut:])]
    if [len(part) for part in listed] != [59, 15] or len(set(sum(listed, []))) != 74:
        sys.exit("functions.py: kmcl/functions.h does not list 59 and 15 functions")
    return listed


def documented():
    """What the headers' own Return sections name, by function."""
    out = {}
    for part in ("config", "channel", "packet", "server"):
        text = read(f"include/kmcl/{part}-functions.h")
        for fn, doc, code in re.findall(r"/\*\*\n \* typedef (FN_VMB_\w+)(.*?)\*/\n(.*?)(?=/\*\*|\Z)",
                                        text, re.S):
            name = re.search(rf"^{fn}\s+(Vmb\w+);", code, re.M).group(1)
            returns = doc.split("Return:")[1] if "Return:" in doc else ""
            found = re.findall(r"STATUS_([A-Z0-9_]+)|(?<!\w)_(\d)\b", returns)
            out[name] = {(a or b).replace("INVALID_PARAMETER_", "") for a, b in found}
    return out


def table():
    out = {}
    for line in read("kunit/statuses.txt").splitlines():
        if line and line[0] != "#":
            name, *statuses = line.split()
            if name in out:
                gap(name, "twice in kunit/statuses.txt")
            out[name] = statuses
    return out


def observed(logs):
    values = {int(v, 16): n.replace("INVALID_PARAMETER_", "") for n, v in re.findall(
        r"#define STATUS_(?!WAIT_)(\w+)\s+\(\(NTSTATUS\)(0x\w+)\)", read("include/nt/ntstatus.h"))}
    seen, exported = {}, {}
    for log in logs:
        text = Path(log).read_text(errors="replace")
        for name, what in re.findall(r"kmcl_calls: (\w+) (\w+)", text):
            if what.startswith("0x"):
                what = values.get(int(what, 16), what)
            seen.setdefault(name, set()).add(what)
        for name, what in re.findall(r"kmcl_functions: (\w+) (\w+)", text):
            exported[name] = what == "exported"
    return seen, exported


def allocations(logs):
    """By function: allocations in one call at most, the last that has failed, calls in which one was to."""
    out = {}
    for log in logs:
        for name, *counts in re.findall(r"kmcl_allocations: (\w+) (\d+) (\d+) (\d+)",
                                        Path(log).read_text(errors="replace")):
            before = out.get(name, (0, 0, 0))
            out[name] = tuple(max(a, int(b)) for a, b in zip(before, counts))
    return out


def asserted(listed):
    """Functions whose result, or effect where they have none, a case asserts."""
    files = sorted(f for where in ("kunit", "kunit/loopback") for f in Path(ROOT, where).glob("*_test.c"))
    bodies = []
    for f in files:
        text = re.sub(r"/\*.*?\*/", "", f.read_text(), flags=re.S)
        for short, long in re.findall(r"^#define (\w+)\s+(Vmb\w+)$", text, re.M):
            text = re.sub(rf"\b{short}\b", long, text)
        bodies += [b for b in re.split(r"^}", text, flags=re.M) if "(" in b]
    check = re.compile(r"\b(?:KUNIT_(?:EXPECT|ASSERT)\w*|(?:vsc|end|bus)_expect_\w+|kmsg_expect|expect_\w+)\(")
    out = set()
    for name in listed:
        call = re.compile(rf"(?:([\w.\[\]>-]+)\s*\|?=\s*)?\b{name}\(")
        for body in bodies:
            for m in call.finditer(body):
                behind = body[m.end():]
                # inside of one, or what it was assigned to, or the effect, further down
                inside = body.rfind(";", 0, m.start()) < max(
                    [c.start() for c in check.finditer(body, 0, m.start())], default=-2)
                later = any(not m.group(1) or m.group(1) in c.group(0) for c in
                            re.finditer(check.pattern + r"[^;]*;", behind, re.S))
                if inside or later:
                    out.add(name)
    return out


def main():
    client, server = names()
    every = client + server
    said = dict(re.findall(r"^\| `(Vmb\w+)` \| (built|not yet)", read("Documentation/functions.md"), re.M))
    docs, statuses = documented(), table()
    seen, exported = observed(sys.argv[1:])
    proven = asserted(every)
    allocates = allocations(sys.argv[1:])
    if not allocates:
        sys.exit("functions.py: no log is of a kernel where allocations can fail")
    if not exported or not seen:
        sys.exit("functions.py: the logs do not say what was called: were the suites run?")

    for name in every:
        if name not in said:
            gap(name, "not in Documentation/functions.md")
        elif (said[name] == "built") != exported.get(name, False):
            gap(name, f"is {said[name]} in Documentation/functions.md, and "
                f"{'exported' if exported.get(name) else 'not exported'}")
    for name in set(said) - set(every):
        gap(name, "in Documentation/functions.md and no function")
    for name in set(statuses) ^ set(every):
        gap(name, "in kunit/statuses.txt or in kmcl/functions.h, not in both")

    built = [n for n in every if exported.get(n)]
    provoked = 0
    for name in every:
        want = {s for s in statuses.get(name, []) if s not in "*-"}
        passes = "*" in statuses.get(name, [])
        for s in sorted(docs[name] - want):
            gap(name, f"its kernel-doc names {s}, kunit/statuses.txt does not")
        if name not in built:
            gap(name, "not built")
            continue
        got = seen.get(name, set()) - {"called"}
        provoked += len(want & got)
        for s in sorted(want - got):
            gap(name, f"no case has provoked {s}")
        for s in sorted(got - want):
            if not passes and not (s == "zero" and "-" in statuses.get(name, [])):
                gap(name, f"a case has seen {s}, which kunit/statuses.txt does not list")
        if name not in seen:
            gap(name, "no case calls it")
        if name not in proven:
            gap(name, "no case asserts what it does")
        sites, failed, tried = allocates.get(name, (0, 0, 0))
        if sites and not tried:
            gap(name, f"allocates (up to {sites} times in a call), and no case lets that fail")

    print("functions: allocations in a call, at most; the last one that was made to fail; calls in "
          "which one was to", file=sys.stderr)
    for name in every:
        if any(allocates.get(name, ())):
            print("    {:46} {:7} {:5} {:6}".format(name, *allocates[name]), file=sys.stderr)
    for line in gaps:
        print(f"functions: {line}", file=sys.stderr)
    print(f"functions: {len(built)} of {len(every)} are exported, "
          f"{sum(n in proven and n in seen for n in built)} of them asserted; "
          f"{provoked} statuses provoked; {len(gaps)} gaps", file=sys.stderr)
    sys.exit(bool(gaps))


main()
