# Tagout. `make help` lists the targets.
#
# VARIANT chooses how the code is compiled; each has a tree of its own under build/:
#   release   optimised, hardened; what `make all`, `make demo` and `make install` use
#   debug     no optimisation, symbols
#   sanitize  ASan and UBSan; what `make test` runs everything with
#   fuzz      the same, for libFuzzer to follow: clang's alone
#   thread    ThreadSanitizer: what `make check-threads` runs
#   coverage  counts which branches are taken: `make coverage`
#   analyze   as release, looked through by gcc's static analysis: part of `make lint`

VARIANT ?= release
ifeq ($(VARIANT),fuzz)
override CC := clang
endif
ifeq ($(origin CC),default)
CC := gcc
endif
PYTHON ?= /usr/bin/python3
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
DESTDIR ?=
VERSION := 0.1.0

VARIANTS := release debug sanitize fuzz thread coverage analyze
ifeq ($(filter $(VARIANT),$(VARIANTS)),)
$(error VARIANT=$(VARIANT): it is one of $(VARIANTS))
endif

OBJ := build/$(VARIANT)
BIN := $(if $(filter release,$(VARIANT)),build/bin,$(OBJ)/bin)

WARNINGS := -Wall -Wextra -Werror -Wconversion -Wshadow -Wswitch-enum -Wstrict-prototypes \
    -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings \
    -Wformat=2 -Wundef -Wvla -Wdouble-promotion -Wnull-dereference
FLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
FLAGS_debug := -O0 -g3
FLAGS_sanitize := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,float-cast-overflow \
    -fno-sanitize-recover=undefined,float-cast-overflow
FLAGS_fuzz := $(FLAGS_sanitize) -fsanitize=fuzzer-no-link
FLAGS_thread := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
FLAGS_coverage := -O0 -g --coverage -fprofile-update=atomic
# gcc 12 does not see what is owned by way of a list, a table or an offset and takes it for lost;
# leaks are LeakSanitizer's, in every test, and valgrind's.
FLAGS_analyze := -O2 -fanalyzer -Wno-analyzer-malloc-leak
LINK_release := -pie -Wl,-z,relro,-z,now
LINK_debug :=
LINK_sanitize := -fsanitize=address,undefined
LINK_fuzz := -fsanitize=address,undefined
LINK_thread := -fsanitize=thread
LINK_coverage := --coverage

CFLAGS_ALL := -std=c11 -D_GNU_SOURCE -DTAGOUT_VERSION='"$(VERSION)"' -I. -pthread $(WARNINGS) \
    $(FLAGS_$(VARIANT)) $(CFLAGS)
# A program is bound to the libraries that it calls, and to none of its rooms' others.
LDFLAGS_ALL := -pthread -Wl,--as-needed $(LINK_$(VARIANT)) $(LDFLAGS)

# The rooms, each an archive, and the libraries that each needs. A program is linked with the rooms
# that it may use and no others.
ROOMS := support topics core config persistence daemon watcher setup backup ctl devices esphome sim
DIR_support := controller/support
DIR_topics := topics
DIR_core := controller/core
DIR_config := controller/config
DIR_persistence := persistence
DIR_daemon := controller/daemon
DIR_watcher := controller/watcher
DIR_setup := controller/setup
DIR_backup := controller/backup
DIR_ctl := controller/ctl
DIR_devices := devices
DIR_esphome := devices/esphome
DIR_sim := devices/sim
LIBS_support := -lpaho-mqtt3as -lpaho-mqtt3cs -lcjson -lcrypto -lm
LIBS_config := -linih -lsodium
LIBS_persistence := -lhiredis -levent
LIBS_backup := -larchive -lhiredis -lsodium
LIBS_watcher := -levent -lcurl
LIBS_daemon := -levent -levent_pthreads -lsodium

# Program: its main file, and its rooms from the top down.
PROGRAMS := tagoutd tagout-watcher tagoutctl tagout-sim
MAIN_tagoutd := controller/daemon/main.c
USES_tagoutd := daemon config persistence core topics support
MAIN_tagout-watcher := controller/watcher/main.c
USES_tagout-watcher := watcher config topics support
MAIN_tagoutctl := controller/ctl/main.c
USES_tagoutctl := ctl backup setup config persistence topics support
MAIN_tagout-sim := devices/sim/main.c
USES_tagout-sim := sim devices topics support

# Each fuzz target, with a main that replays its corpus; and with libFuzzer's, in the variant for it.
FUZZ_TARGETS := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_SHARED := $(filter-out %_fuzz.c %/replay.c,$(wildcard tests/fuzz/*.c)) tests/lib/core_same.c \
    tests/lib/heard_log.c
MORE_http := tests/lib/passing_clock.c
MORE_sentinel := tests/lib/passing_clock.c
MORE_watcher := tests/lib/passing_clock.c
REPLAYS := $(FUZZ_TARGETS:%=replay_%)
FUZZERS := $(FUZZ_TARGETS:%=fuzz_%)
$(foreach target,$(FUZZ_TARGETS),\
    $(eval MAIN_replay_$(target) := tests/fuzz/$(target)_fuzz.c $(FUZZ_SHARED) $(MORE_$(target))\
        tests/fuzz/replay.c)\
    $(eval USES_replay_$(target) = $$(USES_unit))\
    $(eval MAIN_fuzz_$(target) := tests/fuzz/$(target)_fuzz.c $(FUZZ_SHARED) $(MORE_$(target)))\
    $(eval USES_fuzz_$(target) = $$(USES_unit))\
    $(eval LIBS_fuzz_$(target) := -fsanitize=fuzzer))

# Programs that only tests use; they stay in the variant's own tree.
TOOLS := $(if $(wildcard tests/scenario/main.c),tagout-scenario) \
    $(if $(wildcard tests/cluster/main.c),tagout-cluster) \
    $(if $(wildcard tests/lint/print_topics.c),print_topics) print_discovery $(REPLAYS)
MAIN_tagout-scenario := tests/scenario/*.c tests/lib/heard_log.c
USES_tagout-scenario := daemon config persistence core topics support
MAIN_tagout-cluster := tests/cluster/*.c tests/lib/heard_log.c
USES_tagout-cluster := daemon config persistence core devices topics support
MAIN_print_topics := tests/lint/print_topics.c
USES_print_topics := topics support
MAIN_print_discovery := tests/homeassistant/print_discovery.c
USES_print_discovery := daemon config persistence core topics support

# Programs that only `make bench` uses.
BENCHES := bench-load bench-storm bench-echo-mosquitto bench-echo-paho bench-echo-adapter
MAIN_bench-load := tests/bench/load.c tests/bench/fleet.c tests/bench/wire.c
MAIN_bench-storm := tests/bench/storm.c tests/bench/fleet.c tests/bench/wire.c
MAIN_bench-echo-mosquitto := tests/bench/echo_mosquitto.c tests/bench/echo.c
LIBS_bench-echo-mosquitto := -lmosquitto
MAIN_bench-echo-paho := tests/bench/echo_paho.c tests/bench/echo.c
USES_bench-echo-paho := support
MAIN_bench-echo-adapter := tests/bench/echo_adapter.c tests/bench/echo.c
USES_bench-echo-adapter := support
LIBS_bench-echo-adapter := -levent

# Every unit test may use every room.
USES_unit := sim esphome devices ctl backup setup watcher daemon config persistence core topics support

object = $(patsubst %.c,$(OBJ)/%.o,$(1))
archive = $(patsubst %,$(OBJ)/lib%.a,$(1))
room_sources = $(filter-out %/main.c,$(wildcard $(DIR_$(1))/*.c))
libs = $(foreach room,$(USES_$(1)),$(LIBS_$(room)))

UNIT_TESTS := $(patsubst tests/unit/%.c,$(OBJ)/tests/%,$(wildcard tests/unit/*_test.c))
SOURCES = $(wildcard controller/*/*.[ch] devices/*.[ch] devices/*/*.[ch] persistence/*.[ch] \
    topics/*.[ch] tests/*/*.[ch])

# The firmware's half that is C++, its tests and their stand-ins for ESPHome.
FIRMWARE = $(wildcard devices/esphome/components/*/*.h devices/esphome/components/*/*.cpp \
    tests/esphome/*.cpp) $(shell find tests/esphome/stub -name '*.h')

# A submake uses all processors, unless this make was told how many. Its lines begin with a plus, for
# make would not see in a variable's name that they are submakes, and keep its jobs from them.
parallel = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
SUBMAKE = $(MAKE) --no-print-directory $(parallel)

# Compiling prints one short line a file; V=1 prints the commands.
ifeq ($(V),1)
say =
else
say = @printf '  %-5s %s\n' $(1) $@;
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAMS:%=$(BIN)/%) ## build every program into build/bin

# Writes $(2) into the file $(1) if it holds anything else: what depends on the file is then built
# again when flags, or the list of a room's files, change.
differs = $(subst x$(1),,x$(2))$(subst x$(2),,x$(1))
remember = $(if $(call differs,$(2),$(file <$(1))),$(shell mkdir -p $(dir $(1)))$(file >$(1),$(2)))

ifneq ($(filter-out help clean format deps,$(or $(MAKECMDGOALS),all)),)
$(call remember,$(OBJ)/flags,$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL))
$(foreach room,$(ROOMS),$(call remember,$(OBJ)/lib$(room).files,files: $(call room_sources,$(room))))
endif

$(OBJ)/%.o: %.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# The exploration's bookkeeping is too hot to be sanitized; what it explores is.
$(call object,$(addprefix tests/lib/joint_,memo.c reduce.c space.c step.c)): \
    CFLAGS_ALL += -O2 -fno-sanitize=all

# Files that it holds.
$(OBJ)/controller/setup/shipped.o: $(addprefix deploy/,etc/tagout.ini mosquitto/tagout.conf \
    redis/tagout.conf)

define room_rule
$(OBJ)/lib$(1).a: $$(call object,$$(call room_sources,$(1))) $(OBJ)/lib$(1).files
	@rm -f $$@
	$$(call say,AR)ar rcs $$@ $$(filter %.o,$$^)
endef
$(foreach room,$(ROOMS),$(eval $(call room_rule,$(room))))

# $(1) program, $(2) where it goes.
define program_rule
$(2)/$(1): $$(call object,$$(wildcard $$(MAIN_$(1)))) $$(call archive,$$(USES_$(1)))
	@mkdir -p $$(@D)
	$$(call say,LD)$$(CC) -o $$@ $$^ $$(LDFLAGS_ALL) $$(call libs,$(1)) $$(LIBS_$(1))
endef
$(foreach program,$(PROGRAMS),$(eval $(call program_rule,$(program),$(BIN))))
$(foreach tool,$(TOOLS) $(BENCHES) $(FUZZERS),$(eval $(call program_rule,$(tool),$(OBJ)/bin)))

# Libraries that tests load into programs ahead of the C library, to make the host misbehave. In
# an archive they would take its place in every test.
PRELOADS := $(patsubst %,tests/lib/%.c,count_allocations failing_calls frozen_disk full_disk \
    resolv_conf synced_disk time_paho wrong_clock)
preloads: $(PRELOADS:tests/lib/%.c=$(OBJ)/lib/%.so)
$(OBJ)/lib/%.so: tests/lib/%.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(filter-out -fPIE -D_FORTIFY_SOURCE=2,$(CFLAGS_ALL)) -fPIC -shared -MMD \
	    -MP -o $@ $< -pthread

# Stands before the C library's clock wherever it is linked in, so not in the archive either.
CLOCK := tests/lib/passing_clock.c
$(patsubst %,$(OBJ)/tests/%_test,redis_sentinel redis_torture resolve): $(call object,$(CLOCK))

# What tests share is an archive too: a test takes from it what it uses. What stands in the place of
# support's log would be taken by all.
$(OBJ)/libtest.a: $(call object,$(filter-out $(PRELOADS) $(CLOCK) %/heard_log.c,\
    $(wildcard tests/lib/*.c)))
	@rm -f $@
	$(call say,AR)ar rcs $@ $^

$(OBJ)/tests/%: $(OBJ)/tests/unit/%.o $(OBJ)/libtest.a $(call archive,$(USES_unit))
	@mkdir -p $(@D)
	$(call say,LD)$(CC) -o $@ $^ $(LDFLAGS_ALL) -lcmocka $(call libs,unit)

# What our own code asks memory of goes by way of tests/lib/failing_memory.c.
$(OBJ)/tests/memory_torture_test $(OBJ)/tests/redis_torture_test: LDFLAGS_ALL += \
    -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup
# Likewise what it asks of a disk, by way of tests/lib/failing_disk.c.
$(OBJ)/tests/disk_torture_test: LDFLAGS_ALL += \
    -Wl,--wrap=write,--wrap=openat,--wrap=fsync,--wrap=fdatasync,--wrap=ftruncate,--wrap=renameat

-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)

unit-tests: $(UNIT_TESTS) ## build the unit tests of this VARIANT (not run)

tools: $(TOOLS:%=$(OBJ)/bin/%)

benches: $(BENCHES:%=$(OBJ)/bin/%)

fuzzers: $(FUZZERS:%=$(OBJ)/bin/%)

core-archive: $(OBJ)/libcore.a

deps: ## install the Debian packages that `make demo` and `make test` need
	@deploy/install-deps build test

demo: deps ## a workshop on this terminal; needs no configuration, leaves nothing behind
	+@$(SUBMAKE) VARIANT=release all
	@deploy/demo/run

test: deps ## every test: unit, scenario, integration, lints; T=word for some of them
	+@$(SUBMAKE) VARIANT=sanitize all unit-tests tools
	+@$(SUBMAKE) VARIANT=release all core-archive preloads
	@CC=$(CC) $(PYTHON) tests/run --build build/sanitize --core build/release/libcore.a $(T)

lint: ## what `make test` checks of the code's shape, and all static analysis
	@deploy/install-deps build test lint bench
	@$(MAKE) --no-print-directory -k lint-house lint-format lint-clang lint-analyzer lint-cppcheck \
	    lint-shell
	@echo 'lint: nothing to complain about'

lint-house:
	+@$(SUBMAKE) VARIANT=sanitize tools
	+@$(SUBMAKE) VARIANT=release core-archive
	@CC=$(CC) $(PYTHON) tests/run --build build/sanitize --core build/release/libcore.a lint/

lint-format:
	@clang-format --dry-run -Werror $(SOURCES) $(FIRMWARE)

lint-clang:
	+@$(SUBMAKE) -k VARIANT=release CC=clang OBJ=build/clang BIN=build/clang/bin \
	    all unit-tests tools tidy

lint-analyzer:
	+@$(SUBMAKE) -k VARIANT=analyze CC=gcc all

# cppcheck 2.10 cannot read a compound literal inside ?:, and takes what utlist.h's loops assign for
# uninitialised; clang's analyzer sees both right.
lint-cppcheck:
	@mkdir -p build/cppcheck
	@cppcheck --quiet -j2 --cppcheck-build-dir=build/cppcheck --std=c11 --language=c \
	    --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	    --suppress=internalAstError --suppress=uninitvar --suppress=ctuuninitvar \
	    -D_GNU_SOURCE -I. $(filter %.c,$(SOURCES))

lint-shell:
	@shellcheck $$(tests/lint/scripts.sh)

# clang-tidy's verdict on a file stands until the file, one of its headers or the checks change.
# What takes the C library's place is named and declared as it is.
TIDIED := $(patsubst %.c,$(OBJ)/%.tidy,$(filter-out $(PRELOADS),$(filter %.c,$(SOURCES))))
tidy: $(TIDIED)
$(OBJ)/%.tidy: %.c $(OBJ)/%.o .clang-tidy tests/.clang-tidy
	$(call say,TIDY)clang-tidy --quiet $< -- $(CFLAGS_ALL) 2>$@.err || { cat $@.err >&2; exit 1; }
	@rm -f $@.err
	@touch $@

# T names targets; what was found stays in build/fuzz/found, and fails.
FUZZ_S ?= 30
fuzz: ## vary the input of each parser and state machine, FUZZ_S=30 seconds each; T=words for some
	@deploy/install-deps build test fuzz
	+@$(SUBMAKE) VARIANT=fuzz fuzzers
	@$(PYTHON) tests/fuzz/run --seconds $(FUZZ_S) $(T)

# What has threads of its own, or is called on several; and all programs through a day.
THREADED := inbox log outbox mqtt_backoff mqtt_broker mqtt_direct mqtt_slow mqtt_stall mqtt_tls \
    mqtt_url watcher_audit watcher_audit_start watcher_late watcher_past roster_load
check-threads: ## ThreadSanitizer over everything that has threads
	@deploy/install-deps build test
	+@$(SUBMAKE) VARIANT=thread all $(THREADED:%=build/thread/tests/%_test)
	@TSAN_OPTIONS='suppressions=$(CURDIR)/tests/threads.supp' CC=$(CC) $(PYTHON) tests/run \
	    --build build/thread --core build/release/libcore.a $(THREADED:%=unit/%) integration/whole

# A stand-in for each program, which runs the real one under valgrind.
check-valgrind: ## memory of all programs, at exit too, under valgrind
	@deploy/install-deps build test check
	+@$(SUBMAKE) VARIANT=debug all
	@mkdir -p build/valgrind/bin
	@set -e; for program in $(PROGRAMS); do \
	    install -m 755 tests/valgrind.sh build/valgrind/bin/$$program; \
	done
	@CC=$(CC) $(PYTHON) tests/run --build build/valgrind --core build/release/libcore.a \
	    integration/whole

# The explorations take long without optimisation, and no branch that others do not.
COVERING := $(filter-out unit/device_core_% unit/core_exhaustive,\
    $(patsubst tests/unit/%_test.c,unit/%,$(wildcard tests/unit/*_test.c)))
coverage: ## which branches the unit tests, scenarios and corpora take, by room; T=ROOM for its gaps
	@deploy/install-deps build test
	+@$(SUBMAKE) VARIANT=coverage unit-tests tools
	@find build/coverage -name '*.gcda' -delete
	@CC=$(CC) $(PYTHON) tests/run --build build/coverage --core build/release/libcore.a \
	    $(COVERING) scenario/ fuzz/
	@$(PYTHON) tests/coverage build/coverage $(T)

check-esphome: ## the ESP32 firmware's files, as ESPHome sees them; needs the Python registry
	@python3 tests/esphome/check.py

check-homeassistant: ## Home Assistant's own schemas and templates over what it is told
	+@$(SUBMAKE) VARIANT=release build/release/bin/print_discovery
	@tests/homeassistant/run build/release/bin/print_discovery

check-metrics: ## metrics, alert rules and dashboard, as Prometheus' own promtool sees them
	@deploy/install-deps build test
	+@$(SUBMAKE) VARIANT=sanitize all
	@$(PYTHON) tests/prometheus/check

bench: ## measure latency, throughput and cost beside bare echoing clients; T=--full for all of it
	@deploy/install-deps build test bench
	+@$(SUBMAKE) VARIANT=release all benches preloads
	@$(PYTHON) tests/bench/run $(T)

soak: ## ten million reports and every kind of trouble: memory stays flat; about 10 min; T=reports
	@deploy/install-deps build test bench
	+@$(SUBMAKE) VARIANT=release all benches
	@$(PYTHON) tests/bench/soak $(T)

chaos: ## all programs, with people and faults that come and end; T="--seconds 600 --seed 7"
	@deploy/install-deps build test
	+@$(SUBMAKE) VARIANT=sanitize all
	+@$(SUBMAKE) VARIANT=release preloads
	@$(PYTHON) tests/chaos/run $(T)

format: ## lay out the code as .clang-format says
	clang-format -i $(SOURCES) $(FIRMWARE)

# What goes where, for the package too. What is in the configuration's folder already belongs to
# whoever runs the shop: it is never overwritten. Users and secrets are in it, hence the modes. It
# begins without machines and users: an example's card must not open anything.
CONF = $(DESTDIR)$(SYSCONFDIR)/tagout
SHARE = $(DESTDIR)$(PREFIX)/share
EXAMPLES = $(SHARE)/doc/tagout/examples
FIRMWARE_DIR = $(SHARE)/tagout/firmware/devices
install: all ## install under PREFIX (/usr/local), configuration under SYSCONFDIR (/etc)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(UNITDIR) $(EXAMPLES) $(FIRMWARE_DIR) \
	    $(SHARE)/bash-completion/completions
	install -m 755 $(PROGRAMS:%=$(BIN)/%) $(DESTDIR)$(PREFIX)/bin
	@set -e; for unit in $(notdir $(wildcard deploy/systemd/*.service)); do \
	    sed -e 's|@BINDIR@|$(PREFIX)/bin|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' \
	        deploy/systemd/$$unit > $(DESTDIR)$(UNITDIR)/$$unit; \
	    chmod 644 $(DESTDIR)$(UNITDIR)/$$unit; \
	done
	install -D -m 644 deploy/systemd/tagout.sysusers \
	    $(DESTDIR)$(PREFIX)/lib/sysusers.d/tagout.conf
	@set -e; for page in $(notdir $(wildcard deploy/man/*.[1-8])); do \
	    install -D -m 644 deploy/man/$$page $(SHARE)/man/man$${page##*.}/$$page; \
	done
	install -m 644 deploy/completion/tagout.bash \
	    $(SHARE)/bash-completion/completions/$(firstword $(PROGRAMS))
	@set -e; for program in $(wordlist 2,$(words $(PROGRAMS)),$(PROGRAMS)); do \
	    ln -sf $(firstword $(PROGRAMS)) $(SHARE)/bash-completion/completions/$$program; \
	done
	install -m 644 README.md $(SHARE)/doc/tagout
	cp -r $(wildcard deploy/etc deploy/mosquitto deploy/redis deploy/homeassistant \
	    deploy/prometheus deploy/grafana) $(EXAMPLES)
	install -m 644 $(wildcard devices/*.[ch]) $(FIRMWARE_DIR)
	cp -r devices/esphome $(FIRMWARE_DIR)
	find $(FIRMWARE_DIR) -name __pycache__ -prune -exec rm -r {} +
	install -d -m 750 $(CONF)
	@[ -e $(CONF)/tagout.ini ] || install -m 640 deploy/etc/tagout.ini $(CONF)
	@umask 027; [ -e $(CONF)/machines.json ] || echo '{}' > $(CONF)/machines.json
	@umask 027; [ -e $(CONF)/users.json ] || echo '[]' > $(CONF)/users.json
ifeq ($(DESTDIR),)
	@echo 'Installed. To run it as a service:'
	@echo '  systemd-sysusers && chgrp -R tagout $(SYSCONFDIR)/tagout'
	@echo '  systemctl daemon-reload && systemctl enable --now tagoutd tagout-watcher'
endif

# debhelper wants its folder at the top of the tree, so the package is built in a copy.
DEB_DIR := build/deb/tagout-$(VERSION)
deb: ## build the Debian package into build/deb
	@deploy/install-deps build deb
	rm -rf $(DEB_DIR)
	@mkdir -p $(DEB_DIR)
	@tar -c --exclude=./build --exclude=.git --exclude=__pycache__ --exclude=.pytest_cache . | \
	    tar -x -C $(DEB_DIR)
	mv $(DEB_DIR)/deploy/debian $(DEB_DIR)/debian
	sed -i '1s/(.*)/($(VERSION))/' $(DEB_DIR)/debian/changelog
	cd $(DEB_DIR) && env -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc -b
	lintian --fail-on error,warning build/deb/tagout_$(VERSION)_*.changes

check-docker: deb ## the image and the compose file, played without Docker; needs root, network
	@deploy/install-deps test boot
	@tests/deb/compose $(VERSION)

check-deb: deb ## install, use, upgrade and purge the package in a booted Debian; needs root, network
	@deploy/install-deps boot
	@tests/deb/run $(VERSION)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

clean: ## remove everything that was built
	rm -rf build

.PHONY: all unit-tests tools benches fuzzers preloads core-archive deps demo test lint lint-house lint-format \
    lint-clang lint-analyzer lint-cppcheck lint-shell tidy check-esphome check-homeassistant check-metrics fuzz \
    check-threads check-valgrind coverage bench soak chaos format install deb check-deb check-docker help clean
