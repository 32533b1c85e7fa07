# SPDX-License-Identifier: GPL-2.0
#
# OLD=COMMIT: another older state than the one before the first feature bit

check-skew:
	@$(VM)/deps build kernel test vm
	@selftests/skew/check

.PHONY: check-skew
