#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
The functions of KMCL and of packet injection: is each one that is said to be built exported,
documented with its statuses, and covered by cases that provoke every one of them?

usage: functions.py LOG...      (logs of the KUnit suites, as scripts/kunit.sh leaves them)

KMCL's names come from kmcl/functions.h, those of packet injection from the headers that declare them.
Against them stand the documentation (what is said to be built), what is exported, a table of what each
returns, the kernel-doc of the headers, the calls that kunit/wrap.c has seen and the allocations it has
counted in them, and the text of the suites. Prints the counts and fails on any gap.
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


class Kmcl:
    """74 functions, listed in kmcl/functions.h; a case of kunit/functions_test.c says which are there."""
    what = "functions"
    statuses = "kunit/statuses.txt"
    suites = ("kunit", "kunit/loopback")
    page = "Documentation/functions.md"

    @staticmethod
    def names():
        text = read("kmcl/functions.h")
        cut = text.index("14 for servers only")
        listed = [re.findall(r"F\((Vmb\w+)\)", part) for part in (text[:cut], text[cut:])]
        if [len(part) for part in listed] != [59, 15] or len(set(sum(listed, []))) != 74:
            sys.exit("functions.py: kmcl/functions.h does not list 59 and 15 functions")
        return sum(listed, [])

    def said(self):
        return {n for n, what in re.findall(r"^\| `(Vmb\w+)` \| (built|not yet)", read(self.page), re.M)
                if what == "built"}

    @staticmethod
    def exported(logs):
        return {n for n, what in re.findall(r"kmcl_functions: (\w+) (\w+)", logs) if what == "exported"}

    @staticmethod
    def documented():
        out = {}
        for part in ("config", "channel", "packet", "server"):
            text = read(f"include/kmcl/{part}-functions.h")
            for fn, doc, code in re.findall(
                    r"/\*\*\n \* typedef (FN_VMB_\w+)(.*?)\*/\n(.*?)(?=/\*\*|\Z)", text, re.S):
                out[re.search(rf"^{fn}\s+(Vmb\w+);", code, re.M).group(1)] = doc
        return out

    @staticmethod
    def pattern(name):
        return name


class Fwps:
    """What fwps.ko exports."""
    what = "packet injection"
    statuses = "kunit/fwps/statuses.txt"
    suites = ("kunit/fwps",)
    page = "Documentation/fwps.md"
    headers = ("include/fwpsk.h", "include/nt/nblapi.h")

    def names(self):
        return list(self.documented())

    def said(self):
        # in the page a name stands without its number
        page = read(self.page)
        return {n for n in self.names() if re.search(rf"`{self.pattern(n)}(\(\))?`", page)}

    @staticmethod
    def exported(_):
        return set(re.findall(r"^EXPORT_SYMBOL_GPL\((\w+)\);",
                              read(*sorted(Path(ROOT, "fwps").glob("*.c"))), re.M))

    def documented(self):
        return {name: doc for name, doc in
                re.findall(r"/\*\*\n \* (\w+)\(\) - (.*?)\*/", read(*self.headers), re.S)}

    @staticmethod
    def pattern(name):
        return re.sub("0$", "0?", name)


def documented(lib):
    """What the headers' own Return sections name, by function, and what those name that are "as" another's."""
    out, like = {}, {}
    for name, doc in lib.documented().items():
        returns = doc.split("Return:")[1] if "Return:" in doc else ""
        found = re.findall(r"STATUS_([A-Z0-9_]+)(?![*\w])|(?<!\w)_(\d)\b", returns)
        # "less ...", "but ...": not all of them
        other = re.match(r"[\s*]*as (\w+)\(\)(?!,[\s*]*(?:less|but)\b)", returns)
        out[name] = {short(a or b) for a, b in found}
        if other:
            like[name] = other.group(1)
    for name, other in like.items():
        # parameters are numbered by each function itself
        out[name] |= {s for s in out[other] if not s.isdigit()}
    return out


def short(status):
    """NDIS has names of its own for some."""
    ndis = {"RESOURCES": "INSUFFICIENT_RESOURCES", "FAILURE": "UNSUCCESSFUL"}
    return ndis.get(status, status.replace("INVALID_PARAMETER_", ""))


def table(path):
    out = {}
    for line in read(path).splitlines():
        if line and line[0] != "#":
            name, *statuses = line.split()
            if name in out:
                gap(name, f"twice in {path}")
            out[name] = statuses
    return out


def observed(text):
    """What the suites have seen each function return."""
    values = {}
    for name, value in re.findall(r"#define (?:NDIS_)?STATUS_(?!WAIT_)(\w+)\s+\(\((?:NTSTATUS|NDIS_STATUS)\)(0x\w+)\)",
                                  read("include/nt/ntstatus.h", "include/nt/ndis.h", "include/fwpsk.h")):
        values.setdefault(int(value, 16), short(name))
    seen = {}
    for name, what in re.findall(r"kmcl_calls: (\w+) (\w+)", text):
        if what.startswith("0x"):
            what = values.get(int(what, 16), what)
        seen.setdefault(name, set()).add(what)
    return seen


def allocations(text):
    """By function: allocations in one call at most, the last that has failed, calls in which one was to."""
    out = {}
    for name, *counts in re.findall(r"kmcl_allocations: (\w+) (\d+) (\d+) (\d+)", text):
        before = out.get(name, (0, 0, 0))
        out[name] = tuple(max(a, int(b)) for a, b in zip(before, counts))
    return out


def asserted(lib):
    """Functions whose result, or effect where they have none, a case asserts."""
    files = sorted(f for where in lib.suites for f in Path(ROOT, where).glob("*_test.c"))
    bodies = []
    for f in files:
        text = re.sub(r"/\*.*?\*/", "", f.read_text(), flags=re.S)
        for alias, name in re.findall(r"^#define (\w+)\s+((?:Vmb|Fwps|Ndis)\w+)$", text, re.M):
            text = re.sub(rf"\b{alias}\b", name, text)
        bodies += [b for b in re.split(r"^}", text, flags=re.M) if "(" in b]
    check = re.compile(r"\b(?:KUNIT_(?:EXPECT|ASSERT)\w*|(?:vsc|end|bus|fx)_expect_\w+|kmsg_expect|expect_\w+)\(")
    out = set()
    for name in lib.names():
        call = re.compile(rf"(?:([\w.\[\]>-]+)\s*\|?=\s*)?\b{lib.pattern(name)}\(")
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


def judge(lib, logs):
    every, said, exported, proven = lib.names(), lib.said(), lib.exported(logs), asserted(lib)
    docs, statuses = documented(lib), table(lib.statuses)
    seen, allocates = observed(logs), allocations(logs)
    if not exported or not set(seen) & set(every):
        sys.exit("functions.py: the logs do not say what was called: were the suites run?")

    for name in said ^ exported:
        gap(name, f"{'built' if name in said else 'not there'}, says {lib.page}, and it is "
            f"{'exported' if name in exported else 'not exported'}")
    for name in (set(statuses) | said | exported) ^ set(every):
        gap(name, f"not a function, or not in {lib.statuses}")
    for name in set(every) - set(statuses):
        gap(name, f"not in {lib.statuses}")

    built = [n for n in every if n in exported]
    provoked = 0
    for name in every:
        want = {s for s in statuses.get(name, []) if s not in "*-"}
        passes = "*" in statuses.get(name, [])
        for s in sorted(docs[name] - want):
            gap(name, f"its kernel-doc names {s}, {lib.statuses} does not")
        if name not in built:
            gap(name, "not built")
            continue
        got = seen.get(name, set()) - {"called"}
        provoked += len(want & got)
        for s in sorted(want - got):
            gap(name, f"no case has provoked {s}")
        for s in sorted(got - want):
            if not passes and not (s == "zero" and "-" in statuses.get(name, [])):
                gap(name, f"a case has seen {s}, which {lib.statuses} does not list")
        if name not in seen:
            gap(name, "no case calls it")
        if name not in proven:
            gap(name, "no case asserts what it does")
        sites, _, tried = allocates.get(name, (0, 0, 0))
        if sites and not tried:
            gap(name, f"allocates (up to {sites} times in a call), and no case lets that fail")

    print(f"{lib.what}: allocations in a call, at most; the last one that was made to fail; calls in "
          "which one was to", file=sys.stderr)
    for name in every:
        if any(allocates.get(name, ())):
            print("    {:46} {:7} {:5} {:6}".format(name, *allocates[name]), file=sys.stderr)
    return (f"{lib.what}: {len(built)} of {len(every)} are exported, "
            f"{sum(n in proven and n in seen for n in built)} of them asserted; {provoked} statuses provoked")


def main():
    logs = "\n".join(Path(log).read_text(errors="replace") for log in sys.argv[1:])
    if not allocations(logs):
        sys.exit("functions.py: no log is of a kernel where allocations can fail")
    counts = [judge(lib, logs) for lib in (Kmcl(), Fwps())]
    for line in gaps + counts + [f"functions: {len(gaps)} gaps"]:
        print(line, file=sys.stderr)
    sys.exit(bool(gaps))


main()
