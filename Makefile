# SPDX-License-Identifier: ISC
# Sallyport: one non-recursive Makefile.  `make help` lists the targets.

CC ?= cc
PREFIX ?= /usr/local
DESTDIR ?=
SANITIZE ?= 0
WITH_SECCOMP ?= 1
WERROR ?= 0
V ?= 0
CFLAGS ?= -O2 -g

ifeq ($(SANITIZE),1)
B ?= build/san-$(notdir $(CC))
else
B ?= build
endif

.DEFAULT_GOAL := all
.PHONY: all install test guest check check-all fuzz lint cover bench demo \
	size clean help sabotage

WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
	-Wswitch-enum
ifeq ($(WERROR),1)
WARN += -Werror
endif
LIBS_PC := libcrypto libuv libnl-3.0 libnl-xfrm-3.0 libconfuse jansson \
	libcap-ng
ifeq ($(WITH_SECCOMP),1)
LIBS_PC += libseccomp
DEFS += -DWITH_SECCOMP
endif
ifneq ($(filter-out clean help,$(or $(MAKECMDGOALS),all)),)
DEPS_OK := $(shell scripts/install-deps build >&2 && echo ok)
ifneq ($(DEPS_OK),ok)
$(error the build dependencies are missing; see scripts/install-deps)
endif
PC_CFLAGS := $(shell pkg-config --cflags $(LIBS_PC))
PC_LIBS := $(shell pkg-config --libs $(LIBS_PC))
endif
HARDEN := -fstack-protector-strong -fPIE
LDHARDEN := -pie -Wl,-z,relro,-z,now
ifeq ($(SANITIZE),1)
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
DEFS += -DSALLYPORT_SANITIZE
else
HARDEN += -D_FORTIFY_SOURCE=2
endif

# A directory's sources are what lies in it: a new file needs no change
# here.
CORE_SRC := $(wildcard common/*.c)
IKE_CORE_SRC := $(wildcard ikev1/core/*.c)
IKE_SRC := $(wildcard ikev1/*.c)
L2TP_CORE_SRC := $(wildcard l2tpd/core/*.c)
L2TP_SRC := $(wildcard l2tpd/*.c)
CTL_SRC := $(wildcard ctl/*.c)
PLUGIN_SRC := $(wildcard pppd-plugin/*.c)
# The plugin carries the codec itself: pppd links nothing of ours.
PLUGIN_COMMON := common/wire.c common/msg.c common/addr.c common/secret.c \
	$(wildcard common/aaa_msg.c)
TEST_SRC := $(wildcard test/unit/test_*.c)
TEST_LIB_SRC := $(wildcard test/lib/*.c)
FUZZ_SRC := $(wildcard test/fuzz/fuzz_*.c)
BENCH_SRC := $(wildcard test/bench/bench_*.c)

# Objects have a tree of their own: a program may be called like a directory.
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
PROGRAMS := $(if $(wildcard ikev1/ikev1d.c),$(B)/ikev1d) \
	$(if $(wildcard l2tpd/l2tpd.c),$(B)/l2tpd) \
	$(if $(wildcard ctl/sallyport.c),$(B)/sallyport)
PLUGIN := $(if $(PLUGIN_SRC),$(B)/sallyport.so)
TESTS := $(patsubst test/unit/%.c,$(B)/test/%,$(TEST_SRC))
ARCHIVES := $(B)/libctl.a $(B)/libike.a $(B)/libl2tp.a $(B)/libcommon.a

ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -I. $(WARN) $(HARDEN) $(SAN) $(DEFS) \
	$(PC_CFLAGS) $(CFLAGS) -MMD -MP

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-5s %s\n'
endif

all: $(PROGRAMS) $(PLUGIN)

$(B)/obj/%.o: %.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(B)/pic/%.o: %.c
	$(say) CC "$< (plugin)"
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -fPIE,$(ALL_CFLAGS)) -fPIC -fvisibility=hidden \
		-c -o $@ $<

define archive
	$(say) AR $@
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)
endef

# The programs' own sources, all but main(), are in archives too: tests
# reach every module.
ike_main := ikev1/ikev1d.c
l2tp_main := l2tpd/l2tpd.c
ctl_main := ctl/sallyport.c
$(B)/libcommon.a: $(call obj,$(CORE_SRC))
	$(archive)
$(B)/libike.a: $(call obj,$(IKE_CORE_SRC) $(filter-out $(ike_main),$(IKE_SRC)))
	$(archive)
$(B)/libl2tp.a: $(call obj,$(L2TP_CORE_SRC) $(filter-out $(l2tp_main),$(L2TP_SRC)))
	$(archive)
$(B)/libctl.a: $(call obj,$(filter-out $(ctl_main),$(CTL_SRC)))
	$(archive)

define link
	$(say) LD $@
	@mkdir -p $(@D)
	@[ ! -d $@ ] || rm -rf $@
	$(Q)$(CC) $(SAN) $(LDHARDEN) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) \
		$(PC_LIBS) -lpthread $(EXTRA_LIBS)
endef

$(B)/ikev1d: $(call obj,$(ike_main)) $(B)/libike.a $(B)/libcommon.a
	$(link)
$(B)/l2tpd: $(call obj,$(l2tp_main)) $(B)/libl2tp.a $(B)/libcommon.a
	$(link)
$(B)/sallyport: $(call obj,$(ctl_main)) $(B)/libctl.a $(B)/libike.a \
		$(B)/libl2tp.a $(B)/libcommon.a
	$(link)
# Connects out as one of the personas of the tests; not installed.
$(B)/persona-player: $(call obj,$(wildcard test/persona/*.c) \
		test/lib/personas.c) $(B)/libike.a $(B)/libcommon.a
	$(link)
$(B)/sallyport.so: $(patsubst %.c,$(B)/pic/%.o,$(PLUGIN_SRC) $(PLUGIN_COMMON))
	$(say) LD $@
	$(Q)$(CC) -shared -Wl,-z,relro,-z,now -o $@ $(filter %.o,$^)

$(B)/test/%: EXTRA_LIBS = -lcmocka
$(B)/test/%: $(B)/obj/test/unit/%.o $(call obj,$(TEST_LIB_SRC)) $(ARCHIVES)
	$(link)
.SECONDARY:

# --- tests --------------------------------------------------------------
# The bench is built, so that it stays right, but not run.
test: all $(TESTS) $(B)/bench_ike $(B)/persona-player
	$(Q)scripts/run-tests $(TESTS)

# What test/system runs in the guest, besides the programs.
guest: all $(B)/persona-player $(addprefix $(B)/test/test_, \
	xfrm_kernel esp_sweep ike_io nft)

check:
	$(Q)scripts/check

check-all:
	$(Q)scripts/check --all

lint:
	$(Q)scripts/lint

fuzz:
	$(Q)scripts/fuzz

cover:
	$(Q)scripts/cover

sabotage:
	$(Q)scripts/sabotage

$(B)/bench_ike: EXTRA_LIBS = -lcmocka
$(B)/bench_ike: $(call obj,$(BENCH_SRC) $(TEST_LIB_SRC)) $(ARCHIVES)
	$(link)

bench: all $(B)/bench_ike
	$(Q)scripts/bench

demo:
	$(Q)scripts/demo

size: all
	$(Q)for p in $(PROGRAMS) $(PLUGIN); do cp $$p $(B)/stripped && \
		strip $(B)/stripped && printf '%8d %s\n' \
		$$(stat -c %s $(B)/stripped) $$p; done; rm -f $(B)/stripped

# --- installation -------------------------------------------------------
ETC := $(DESTDIR)/etc
LIB := $(DESTDIR)$(PREFIX)/lib
SHARE := $(DESTDIR)$(PREFIX)/share
DOC := $(SHARE)/doc/sallyport

install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(LIB)/sallyport $(ETC)/sallyport \
		$(SHARE)/man/man5 $(SHARE)/man/man8 $(DOC) \
		$(SHARE)/bash-completion/completions $(LIB)/systemd/system \
		$(LIB)/sysusers.d $(LIB)/tmpfiles.d $(LIB)/modules-load.d
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/sbin
	install -m 644 $(PLUGIN) $(LIB)/sallyport
	test -e $(ETC)/sallyport/sallyport.conf || \
		install -m 644 etc/sallyport.conf $(ETC)/sallyport
	install -m 644 README HACKING etc/sallyport.conf etc/sallyport.init \
		etc/nftables/sallyport.nft $(DOC)
	install -m 644 etc/man/*.5 $(SHARE)/man/man5
	install -m 644 etc/man/*.8 $(SHARE)/man/man8
	install -m 644 etc/completion/sallyport \
		$(SHARE)/bash-completion/completions
	install -m 644 etc/sallyport.sysusers $(LIB)/sysusers.d/sallyport.conf
	install -m 644 etc/sallyport.tmpfiles $(LIB)/tmpfiles.d/sallyport.conf
	install -m 644 etc/sallyport.modules \
		$(LIB)/modules-load.d/sallyport.conf
	for f in $(LIB)/systemd/system/ikev1d.service \
		$(LIB)/systemd/system/l2tpd.service $(DOC)/sallyport.init; do \
		sed 's,@PREFIX@,$(PREFIX),g' etc/$${f##*/} > $$f; done

clean:
	rm -rf build

help:
	@echo 'all install test check check-all lint fuzz cover sabotage bench' \
		'demo size clean'
	@echo 'variables: CC PREFIX DESTDIR SANITIZE=1 WITH_SECCOMP=0 WERROR=1 V=1'

# Not those of $(B)/san, $(B)/fuzz or a copy of the tree in $(B)/sabotage.
-include $(shell find $(B)/obj $(B)/pic -type f -name '*.d' 2>/dev/null)
