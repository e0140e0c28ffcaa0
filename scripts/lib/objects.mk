# SPDX-License-Identifier: GPL-2.0
#
# Prints what FOLDER's Makefile lists: "FOLDER OBJECT", "FOLDER SUBFOLDER/"; run at the top of the source,
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
folders := $(filter %/,$(obj-y) $(obj-m) $(patsubst %,%/,$(patsubst %/,%,$(subdir-y) $(subdir-m))))

none:
	@:
$(info $(FOLDER) .)
$(foreach o,$(objects) $(folders),$(info $(FOLDER) $(FOLDER)/$(o)))
