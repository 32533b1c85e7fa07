#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# lsabufctl as an administrator and as anybody uses it: what it prints, and
# with what status it ends.

cd "$(dirname "$0")" || exit
PATH=$PATH:$PWD/../userlib/host:$PWD/../userlib/tools
LSABUF_ENDPOINT=ctl-sh
export LSABUF_ENDPOINT
out=/tmp/ctl-sh
number=0 failed=0

# test_that TEXT COMMAND...
test_that()
{
	text=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number $text"
	else
		failed=$((failed + 1))
		sed 's/^/# /' $out
		echo "not ok $number $text"
	fi
}

# ends_with STATUS COMMAND...: it prints into $out
ends_with()
{
	wanted=$1
	shift
	status=0
	"$@" >$out 2>&1 || status=$?
	[ "$status" = "$wanted" ] && return
	echo "# status $status, not $wanted: $*"
	return 1
}

# ctl STATUS WORD...
ctl()
{
	wanted=$1
	shift
	ends_with "$wanted" lsabufctl "$@"
}

# as_nobody STATUS WORD...
as_nobody()
{
	wanted=$1
	shift
	ends_with "$wanted" /usr/bin/setpriv --reuid=65534 --regid=65534 \
		--clear-groups lsabufctl "$@"
}

# has EXPRESSION...: each of them is in what was printed last
has()
{
	for expression; do
		grep -qE -e "$expression" $out && continue
		echo "# not printed: $expression"
		return 1
	done
}

wait_for()
{
	for _ in $(seq 100); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
}

help_and_words()
{
	ctl 0 --help && has 'status .*--json' doctor drain 'Exit status' &&
		ctl 0 --version && has '^lsabufctl [0-9]' && ctl 2 && ctl 2 bogus &&
		has 'no such command' && ctl 2 status extra && ctl 2 top -d x &&
		ctl 2 trace -n -1 && ctl 2 holders extra && ctl 2 drain --wait=x &&
		ctl 2 drain --undo --stop && ctl 2 endpoint allow x &&
		ctl 2 endpoint allow x nobody && ctl 2 endpoint allow x uid=-1 &&
		ctl 2 call && ctl 2 call account --hex=abc && ctl 2 doctor extra
}

status_table()
{
	ctl 0 status && has '^Authorities$' "ctl-sh +$host +lsahost" \
		'^1 authorities, 0 clients, 0 requests, .* of memory$' &&
		! grep -q "$(printf '\033')" $out
}

status_json()
{
	ctl 0 status --json || return
	has '"authorities":\[\{"pid":[0-9]+,"command":"lsahost","fd":[0-9]+' \
		'"endpoint":"ctl-sh"' '"calls":[0-9]+' '"complete":true' || return
	command -v perl >/dev/null || return 0
	# Brackets and quotes match.
	perl -0777 -e '$_ = <>; s/"([^"\\]|\\.)*"/0/g;
		1 while s/\[[^][{}]*\]/0/g || s/\{[^][{}]*\}/0/g;
		exit !/^0\s*$/' $out
}

# A narrow terminal gets narrow lines, without a name cut off elsewhere.
narrow()
{
	COLUMNS=100 ctl 0 status && [ "$(awk '{ if (length($0) > m)
		m = length($0) } END { print m }' $out)" -le 100 ]
}

status_of_others()
{
	as_nobody 0 status && has '^0 authorities' 'without root'
}

top_rounds()
{
	ctl 0 top -d 1 -n 1 && has 'CALLS/S' 'ctl-sh' &&
		! grep -q "$(printf '\033')" $out
}

# "Who is user 0?" of the package account
who=0200000000000000$(printf '%032d' 0)

call_package()
{
	ctl 0 call account --hex="$who" && has '^status     0x00000000' \
		'lsabuf:\[arena\]' '^freed      success' || return
	printf '\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' >$out.in
	ctl 0 call account --file=$out.in && has '^status     0x00000000' &&
		ctl 1 call account --hex=ffffffff && has 'call: .*status 0x' &&
		ctl 1 call nothing && has 'nothing: .*status 0x' &&
		ctl 1 call account --file=/none && has 'No such file'
}

# The bytes of the reply and nothing else, as "root" in 16 bits
call_raw()
{
	lsabufctl call account --raw --hex="$who" >$out.raw 2>$out &&
		[ ! -s $out ] && tr -d '\0' <$out.raw | grep -q root
}

traces_calls()
{
	(wait_for sh -c 'grep -q 1 /sys/kernel/tracing/instances/lsabufctl-*/events/lsabuf/lsabuf_abandon/enable' &&
		sleep 1 && lsacall account root) >/dev/null 2>&1 &
	ends_with 0 timeout 20 lsabufctl trace -n 2 || return
	[ "$(grep -c 0x00000000 $out)" = 2 ] && has RETURNING || return
	# No stage took no time.
	! grep ' 0\.0us.* 0x' $out && ! ls -d /sys/kernel/tracing/instances/lsabufctl-*
}

traces_only_for_root()
{
	as_nobody 3 trace && has 'takes root'
}

holders_tells()
{
	ctl 0 holders && has "^ *$host +lsahost +fd [0-9]+: authority of ctl-sh" \
		"$host +lsahost +memory: lsabuf:\[snapshots\]"
}

endpoints()
{
	ctl 0 endpoint allow ctl-other uid=4711 && ctl 0 endpoint list &&
		has 'ctl-other +uid=4711' &&
		ctl 0 endpoint allow ctl-other group=nogroup &&
		ctl 0 endpoint list && has 'ctl-other +gid=65534' &&
		ctl 0 endpoint disallow ctl-other uid=4711 &&
		ctl 0 endpoint disallow ctl-other gid=65534 &&
		ctl 1 endpoint disallow ctl-other uid=4711 &&
		as_nobody 3 endpoint allow ctl-other uid=1 && has 'takes root' &&
		as_nobody 3 endpoint list
}

doctor()
{
	# There is no version of its own in the kernel's tree of this module
	ctl 0 doctor && has '^ok +kernel' '^ok +module and library' \
		'^ok +.*mode 0666' "^ok +ctl-sh is served by process $host" \
		'events and summary' &&
		as_nobody 0 doctor && has 'not root'
}

drain_busy()
{
	as_nobody 3 drain && has 'takes root' && ctl 1 drain &&
		has "$host +lsahost +fd" && ctl 1 doctor && has 'being drained' &&
		lsacall account root >$out 2>&1
	[ $? = 1 ] && ctl 0 drain --undo && lsacall account root >$out
}

# Nobody calls: the host holds nothing, and is asked to end.
drain_stops()
{
	ctl 0 drain --stop --wait=10 && has "asked $host" 'rmmod lsabuf will' &&
		[ "$(cat /sys/module/lsabuf/refcnt)" = 0 ] &&
		ctl 0 holders && has 'nothing holds' && ctl 0 drain --undo
}

clean_up()
{
	lsabufctl drain --undo
	echo 1 >/sys/kernel/tracing/options/record-cmd
	kill "$host" 2>/dev/null
	wait "$host" 2>/dev/null
	rm -f $out*
}

echo TAP version 13
# As in trace.sh
echo 0 >/sys/kernel/tracing/options/record-cmd
lsahost -e ctl-sh -q ../userlib/packages/account.so &
host=$!
trap clean_up EXIT
wait_for lsacall account root
test_that "help, and wrong words" help_and_words
test_that "status as a table" status_table
test_that "status as JSON" status_json
test_that "status on a narrow terminal" narrow
test_that "status without root" status_of_others
test_that "top" top_rounds
test_that "call" call_package
test_that "call, raw" call_raw
test_that "trace" traces_calls
test_that "trace without root" traces_only_for_root
test_that "holders" holders_tells
test_that "endpoint" endpoints
test_that "doctor" doctor
test_that "drain while in use" drain_busy
test_that "drain, to the end" drain_stops
echo "1..$number"
[ "$failed" = 0 ]
