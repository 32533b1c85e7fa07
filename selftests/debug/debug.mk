# SPDX-License-Identifier: GPL-2.0
#
# Targets of the top Makefile that need a debug kernel; it is built once, in 10
# to 20 minutes, and kept outside of the tree.

DEBUG := selftests/debug

debug-tests:
	@$(VM)/deps build test vm debug
	@$(MAKE) --no-print-directory selftests
	@$(MAKE) --no-print-directory -C $(DEBUG)

check-debug: debug-tests
	@$(DEBUG)/check

coverage: debug-tests
	@$(VM)/deps coverage
	@$(DEBUG)/coverage

races: debug-tests
	@$(DEBUG)/races

detectors:
	@$(VM)/deps build test vm debug
	@$(DEBUG)/detectors $(KIND)

.PHONY: debug-tests check-debug coverage races detectors
