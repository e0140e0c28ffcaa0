# SPDX-License-Identifier: GPL-2.0
"""The analysis behind the two semantic patches: which lock a page walk is made under."""
