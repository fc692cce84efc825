# SPDX-License-Identifier: GPL-2.0
# What a user calls. The modules themselves are described in Kbuild.
#
#   make                  the modules, against KDIR
#   make check            everything that must hold, on this machine alone
#   make demo             a guest, a host, and the Dynamic Memory VSC between them
#   make demo-servicing   a storage server that is replaced 20 times while its client works
#   make echo             a server and a client where there is no Hyper-V, and how fast they are
#   make fwps-net         packet injection among network namespaces, and a million frames
#   make kunit            the KUnit suites in UML, plain and debug kernel
#   make check-6.1        what runs in UML, on Linux 6.1
#   make check-smp        the KUnit suites in UML with two processors, on Linux 7.3
#   make coverage         what of kmcl/ the KUnit suites run, line by line
#   make mutants          deliberate defects, one at a time: does a suite catch each?
#   make storm            everything at once, at random, for STORM_SECONDS on two processors
#   make fuzz             bytes that lie, for FUZZ_SECONDS=60 each: rings, saves, hosts, clients
#   make windows          the samples as Windows drivers, compiled and linked with mingw-w64
#   make bench            what a packet costs, beside the in-tree pattern
#   make bench-threads    two threads on one channel, on Linux 7.3 with two processors
#   make docs             the API reference and the guides as HTML, in build/docs/html
#   make clean            build output of the modules; "make distclean" also build/

ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))

# the running kernel's headers, else the newest installed
KDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	$(shell ls -dv /lib/modules/*/build /usr/src/linux-headers-*-$(shell dpkg --print-architecture 2>/dev/null) 2>/dev/null | tail -n 1))

.PHONY: modules echo modules_install clean distclean check check-6.1 check-smp demo demo-servicing fwps-net windows kunit coverage mutants storm fuzz bench bench-threads docs checkpatch kdir

modules: kdir
	$(MAKE) -C $(KDIR) M=$(ROOT) modules

modules_install: kdir
	$(MAKE) -C $(KDIR) M=$(ROOT) modules_install

kdir:
	@if [ -z "$(KDIR)" ]; then \
		echo "kmcl: no kernel headers installed: apt install linux-headers-amd64, or make KDIR=/path/to/headers" >&2; exit 1; \
	elif [ ! -f "$(KDIR)/Makefile" ] || [ ! -f "$(KDIR)/scripts/Makefile.modpost" ]; then \
		echo "kmcl: KDIR=$(KDIR) is no kernel build directory: give the headers' directory, as /lib/modules/VERSION/build" >&2; exit 1; \
	elif [ ! -f "$(KDIR)/Module.symvers" ]; then \
		echo "kmcl: KDIR=$(KDIR) is not prepared (no Module.symvers): build that kernel first, or install its headers package" >&2; exit 1; \
	fi

clean:
	@find $(ROOT) -path $(ROOT)/build -prune -o -path $(ROOT)/.git -prune -o \
		\( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' \
		-o -name 'modules.order' -o -name 'Module.symvers' \) -print | xargs -r rm -f

distclean: clean
	rm -rf $(ROOT)/build

check:
	@$(ROOT)/scripts/check.sh

check-6.1:
	@$(ROOT)/scripts/check-6.1.sh

check-smp:
	@$(ROOT)/scripts/check-smp.sh

fwps-net:
	@$(ROOT)/scripts/fwps-net.sh

fuzz:
	@$(ROOT)/scripts/fuzz.sh $(if $(FUZZ_SECONDS),-s $(FUZZ_SECONDS))

echo:
	@$(ROOT)/scripts/echo.sh

checkpatch:
	@$(ROOT)/scripts/checkpatch.sh

kunit:
	@$(ROOT)/scripts/kunit.sh

coverage:
	@$(ROOT)/scripts/coverage.sh

mutants:
	@$(ROOT)/scripts/mutants.sh

storm:
	@$(ROOT)/scripts/storm.sh

windows:
	@$(ROOT)/scripts/windows.sh

bench:
	@$(ROOT)/scripts/bench.sh

bench-threads:
	@$(ROOT)/scripts/bench.sh --threads

docs:
	@$(ROOT)/scripts/docs.sh

demo:
	@$(ROOT)/scripts/demo.sh

demo-servicing:
	@$(ROOT)/scripts/demo-servicing.sh
