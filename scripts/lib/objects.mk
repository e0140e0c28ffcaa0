# SPDX-License-Identifier: GPL-2.0
#
# Prints the objects that FOLDER's Makefile compiles; run at the top of the source,
# after a -f .config.  Called by wl_enabled (build.sh).

srctree := .
src := $(FOLDER)
obj := $(FOLDER)
CONFIG_SHELL := sh
cc-option = $(1)
cc-option-yn = y
cc-disable-warning =

include $(FOLDER)/Makefile

parts = $(foreach o,$(1),$(o) $($(o:.o=-y)) $($(o:.o=-objs)) $(if $(filter m,$(2)),$($(o:.o=-m))))
objects := $(filter %.o,$(call parts,$(obj-y) $(lib-y)) $(call parts,$(obj-m) $(lib-m),m))

none:
	@:
$(foreach o,$(objects),$(info $(FOLDER)/$(o)))
