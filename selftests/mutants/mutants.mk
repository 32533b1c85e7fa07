# SPDX-License-Identifier: GPL-2.0
#
# MUTANTS="wipe grant": only these of selftests/mutants/list

mutants:
	@$(VM)/deps build kernel test vm
	@selftests/mutants/run $(MUTANTS)

.PHONY: mutants
