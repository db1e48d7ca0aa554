# Tagout. `make help` lists the targets.
#
# VARIANT chooses how the code is compiled; each has a tree of its own under build/:
#   release   optimised, hardened; what `make all`, `make demo` and `make install` use
#   debug     no optimisation, symbols
#   sanitize  ASan and UBSan; what `make test` runs everything with

VARIANT ?= release
ifeq ($(origin CC),default)
CC := gcc
endif
PYTHON ?= /usr/bin/python3
PREFIX ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0

OBJ := build/$(VARIANT)
BIN := $(if $(filter release,$(VARIANT)),build/bin,$(OBJ)/bin)

WARNINGS := -Wall -Wextra -Werror -Wconversion -Wshadow -Wswitch-enum -Wstrict-prototypes \
    -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings \
    -Wformat=2 -Wundef -Wvla -Wdouble-promotion -Wnull-dereference
FLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
FLAGS_debug := -O0 -g3
FLAGS_sanitize := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
    -fno-sanitize-recover=undefined
LINK_release := -pie -Wl,-z,relro,-z,now
LINK_debug :=
LINK_sanitize := -fsanitize=address,undefined

CFLAGS_ALL := -std=c11 -D_GNU_SOURCE -DTAGOUT_VERSION='"$(VERSION)"' -I. -pthread $(WARNINGS) \
    $(FLAGS_$(VARIANT)) $(CFLAGS)
LDFLAGS_ALL := -pthread $(LINK_$(VARIANT)) $(LDFLAGS)

# The rooms, each an archive. A program is linked with the rooms that it may use and no others.
ROOMS := support topics core config persistence daemon
DIR_support := controller/support
DIR_topics := topics
DIR_core := controller/core
DIR_config := controller/config
DIR_persistence := persistence
DIR_daemon := controller/daemon

LIBS := -lpaho-mqtt3as -lhiredis -levent -levent_pthreads -lcjson -linih -lsodium -lsystemd -lm

# Program: its main file, and its rooms from the top down.
PROGRAMS := tagoutd
MAIN_tagoutd := controller/daemon/main.c
USES_tagoutd := daemon config persistence core topics support

object = $(patsubst %.c,$(OBJ)/%.o,$(1))
archive = $(patsubst %,$(OBJ)/lib%.a,$(1))
room_sources = $(filter-out %/main.c,$(wildcard $(DIR_$(1))/*.c))

UNIT_TESTS := $(patsubst tests/unit/%.c,$(OBJ)/tests/%,$(wildcard tests/unit/*_test.c))
TEST_LIB := $(call object,$(wildcard tests/lib/*.c))
ALL_SOURCES = $(shell git ls-files --cached --others --exclude-standard '*.c' '*.h')

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAMS:%=$(BIN)/%) ## build every program into build/bin

# A flag file per variant, so that changed flags rebuild.
FLAGS_FILE := $(OBJ)/flags
FLAGS_NOW := $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL)
$(shell mkdir -p $(OBJ); [ "$$(cat $(FLAGS_FILE) 2>/dev/null)" = '$(subst ','\'',$(FLAGS_NOW))' ] \
    || printf '%s' '$(subst ','\'',$(FLAGS_NOW))' > $(FLAGS_FILE))

$(OBJ)/%.o: %.c $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

define room_rule
$(OBJ)/lib$(1).a: $$(call object,$$(call room_sources,$(1)))
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach room,$(ROOMS),$(eval $(call room_rule,$(room))))

define program_rule
$(BIN)/$(1): $$(call object,$$(MAIN_$(1))) $$(call archive,$$(USES_$(1)))
	@mkdir -p $$(@D)
	$$(CC) -o $$@ $$^ $$(LDFLAGS_ALL) $$(LIBS)
endef
$(foreach program,$(PROGRAMS),$(eval $(call program_rule,$(program))))

$(OBJ)/tests/%: $(OBJ)/tests/unit/%.o $(TEST_LIB) $(call archive,daemon config persistence core topics support)
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(LDFLAGS_ALL) -lcmocka $(LIBS)

-include $(shell find build -name '*.d' 2>/dev/null)

unit-tests: $(UNIT_TESTS) ## build the unit tests of this VARIANT (not run)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

clean: ## remove everything that was built
	rm -rf build

.PHONY: all unit-tests help clean
