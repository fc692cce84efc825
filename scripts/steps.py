#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Which functions the instructions of a benchmark's case are in.

usage: steps.py KERNEL MODULES LOG PROFILE

KERNEL is the UML kernel, MODULES the directory of its modules, LOG the log of a run under
kunit/uml/steps.c that says where in memory one function of each module is, and PROFILE what
steps.c has written. Prints instructions for one operation, and the function.
"""
import bisect
import collections
import pathlib
import re
import subprocess
import sys


def functions(path):
    """(address, name) of each function in an object file."""
    out = subprocess.run(['nm', str(path)], capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] in 'tT':
            yield int(fields[0], 16), fields[2]


def main(kernel, modules, log, profile):
    text = pathlib.Path(log).read_text(errors='replace')
    where = {name: int(address, 16) for name, address
             in re.findall(r'kmcl_bench: function (\w+) ([0-9a-f]+)', text)}
    operations = int(re.search(r'kmcl_bench: operations (\d+)', text)[1])
    symbols = list(functions(kernel))
    for path in pathlib.Path(modules).rglob('*.ko'):
        here = list(functions(path))
        known = [(address, name) for address, name in here if name in where]
        # a module that only calls it has no address for it
        for address, name in known[:1]:
            symbols += [(a + where[name] - address, n) for a, n in here
                        if not n.startswith(('init_module', 'cleanup_module'))]
    symbols.sort()
    addresses = [address for address, _ in symbols]
    count = collections.Counter()
    for line in pathlib.Path(profile).read_text().splitlines():
        address, seen = line.split()
        count[symbols[bisect.bisect(addresses, int(address, 16)) - 1][1]] += int(seen)
    for name, seen in count.most_common(25):
        print(f'{seen / operations:8.1f}  {name}')


if __name__ == '__main__':
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
