# SPDX-License-Identifier: GPL-2.0
#
# The protocol of a call, checked by spin.

model:
	@$(VM)/deps build model
	@$(MAKE) --no-print-directory -s -C selftests/model model

.PHONY: model
