#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What an administrator sees in tracefs: the events of one call by count, the
# latency of its stages by histogram triggers, its path through the module's
# functions.

cd "$(dirname "$0")" || exit
PATH=$PATH:$PWD/../userlib/host:$PWD/../userlib/tools
tracing=/sys/kernel/tracing
instance=$tracing/instances/lsabuf-trace-sh
endpoint=trace-sh
number=0 failed=0

# test_that TEXT COMMAND...
test_that()
{
	text=$1
	shift
	number=$((number + 1))
	if [ "$1" != "${1#triggers}" ] && [ ! -e "$tracing/synthetic_events" ]; then
		echo "ok $number # SKIP this kernel has no histogram triggers"
		return
	fi
	if "$@"; then
		echo "ok $number $text"
	else
		failed=$((failed + 1))
		echo "not ok $number $text"
	fi
}

# ask [N]: N calls of one package by one client, after a look-up of it
ask()
{
	for _ in $(seq "${1:-1}"); do
		lsacall -e "$endpoint" account root >/dev/null || return
	done
}

# wait_for COMMAND...: it succeeds within 10 s
wait_for()
{
	for _ in $(seq 100); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
}

count()
{
	grep -c "lsabuf_$1:" /tmp/trace-sh.text
}

all_events()
{
	# As README.md lists them
	for event in serve permit connect disconnect death call snapshot \
		receive requeue alloc copy chore reply return abandon free \
		wipe arena_map arena_unmap quota_refused grant_refused map \
		section_create section_grow section_share section_revoke \
		section_close; do
		[ -d "$tracing/events/lsabuf/lsabuf_$event" ] ||
			{ echo "# no event $event"; return 1; }
	done
}

# A question is two calls: the look-up of the package and the call of it.
one_of_each()
{
	mkdir "$instance" && echo 1 >"$instance/events/lsabuf/enable" || return
	ask
	grep -v '^#' "$instance/trace" >/tmp/trace-sh.text
	rmdir "$instance"
	for event in connect disconnect alloc free; do
		[ "$(count $event)" = 1 ] ||
			{ echo "# $event: $(count $event)"; return 1; }
	done
	for event in call snapshot receive reply return; do
		[ "$(count $event)" = 2 ] ||
			{ echo "# $event: $(count $event)"; return 1; }
	done
	id=$(sed -n 's/.*lsabuf_alloc: .*\(id=0x[0-9a-f]*\).*/\1/p' \
		/tmp/trace-sh.text)
	# All that belongs to a call is found by its id.
	[ "$(grep -c "$id .*" /tmp/trace-sh.text)" -ge 7 ]
}

triggers_count()
{
	lsabuf-latency start || return
	ask 5 || return
	lsabuf-latency show >/tmp/trace-sh.text || return
	sed 's/^/# /' /tmp/trace-sh.text
	for column in 2 3 4 5; do
		[ "$(awk "/calls/ { print \$$column }" /tmp/trace-sh.text)" = 10 ] ||
			return
		# As many as in the rows above
		[ "$(awk "!/calls|than/ { n += \$($column + 1) } END { print n }" \
			/tmp/trace-sh.text)" = 10 ] || return
	done
}

triggers_go()
{
	lsabuf-latency stop
	! grep lsabuf "$tracing/synthetic_events" &&
		! grep -h '^hist' "$tracing"/events/lsabuf/*/trigger
}

triggers_have_room()
{
	lsabuf-latency start || return
	lsacall -e "$endpoint" account --all >/dev/null 2>&1
	grep -h '^ *Dropped: [1-9]' "$tracing"/events/lsabuf/*/hist && return 1
	lsabuf-latency stop
}

path_of_a_call()
{
	echo ':mod:lsabuf' >"$tracing/set_ftrace_filter" &&
		echo function_graph >"$tracing/current_tracer" || return
	echo 1 >"$tracing/tracing_on"
	ask
	grep 'lsabuf_' "$tracing/trace" >/tmp/trace-sh.text
	echo nop >"$tracing/current_tracer"
	echo >"$tracing/set_ftrace_filter"
	for function in fop_open fop_ioctl authority_connect request_call \
		request_new authority_identify block_alloc pages_fill \
		transfer_submit request_queue request_answer receive_begin \
		request_find request_alloc request_copy transfer_copy \
		block_lookup request_reply blocks_drop pages_wipe \
		request_take blocks_give request_free block_free \
		client_put fop_release; do
		grep -q "lsabuf_$function" /tmp/trace-sh.text && continue
		echo "# lsabuf_$function() is not in the path"
		missing=1
	done
	[ -z "${missing:-}" ]
}

with_trace_cmd()
{
	trace-cmd record -q -o /tmp/trace-sh.dat -e lsabuf \
		lsacall -e "$endpoint" account root >/dev/null 2>&1 || return
	trace-cmd report -i /tmp/trace-sh.dat >/tmp/trace-sh.text 2>&1
	grep -q 'lsabuf_call:.*kind=' /tmp/trace-sh.text &&
		grep -q 'lsabuf_copy:.*path=block' /tmp/trace-sh.text
}

clean_up()
{
	lsabuf-latency stop 2>/dev/null
	echo nop >"$tracing/current_tracer"
	echo 1 >"$tracing/options/record-cmd"
	rmdir "$instance" 2>/dev/null
	kill "$host"
	wait "$host" 2>/dev/null
	rm -f /tmp/trace-sh.*
}

echo TAP version 13
# For the names of tasks the kernel would patch its scheduler, which an
# emulated machine under load does not always survive.
echo 0 >"$tracing/options/record-cmd"
lsahost -e "$endpoint" -q ../userlib/packages/account.so &
host=$!
trap clean_up EXIT
wait_for ask
test_that "every event is there" all_events
test_that "one of each for a call, with its id" one_of_each
test_that "triggers count each stage of each call" triggers_count
test_that "and leave nothing behind" triggers_go
test_that "their tables do not get full" triggers_have_room
test_that "function_graph shows the path of a call" path_of_a_call
if command -v trace-cmd >/dev/null; then
	test_that "trace-cmd records and reports events" with_trace_cmd
fi
echo "1..$number"
[ "$failed" = 0 ]
