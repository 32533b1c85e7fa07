#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# profile.pl OPERATION BEGIN SYMBOLS LOG: count the instructions of a log of
# QEMU by function. BEGIN is the address that each operation begins with,
# SYMBOLS has lines "symbol ADDRESS TYPE NAME [MODULE]".

use strict;
use warnings;

my ($operation, $begin, $symbols, $log) = @ARGV;
my (@address, @name, %symbol);
my (%count, %entered, $total, $rounds);

open(my $in, '<', $symbols) or die "$symbols: $!\n";
while (<$in>) {
	/^symbol ([0-9a-f]{16}) [tTwW] (\S+)(?:\s+(\[\S+\]))?/ or next;
	$symbol{$1} //= $3 ? "$2 $3" : $2;
}
close($in);
# As many digits each: text sorts as the numbers do.
@address = sort keys %symbol;
@name = map { $symbol{$_} } @address;

# The index of the function that an address is in
sub function_at
{
	my ($pc) = @_;
	my ($low, $high) = (0, scalar @address);

	while ($high - $low > 1) {
		my $middle = ($low + $high) >> 1;
		if ($address[$middle] le $pc) {
			$low = $middle;
		} else {
			$high = $middle;
		}
	}
	return $low;
}

my (%cache, @pending);
$begin = sprintf('%016s', $begin);
$begin =~ tr/ /0/;
open($in, '<', $log) or die "$log: $!\n";
while (<$in>) {
	/^Trace \d+: \S+ \[[0-9a-f]+\/([0-9a-f]+)\// or next;
	my $pc = sprintf('%016s', $1);
	$pc =~ tr/ /0/;
	if ($pc eq $begin) {
		# What came before the first one began is not whole.
		if (defined $rounds) {
			$count{$_}++ for @pending;
			$rounds++;
		}
		$rounds //= 0;
		@pending = ();
	}
	next unless defined $rounds;
	if (!defined $cache{$pc}) {
		my $which = function_at($pc);
		$cache{$pc} = $name[$which];
		$cache{$pc} .= "\0" if $address[$which] eq $pc;
	}
	push @pending, $cache{$pc};
}
close($in);
die "$operation: not one whole operation in the log\n" unless $rounds;

for my $key (keys %count) {
	(my $name = $key) =~ s/\0$//;
	$entered{$name} += $count{$key} if $key ne $name;
	next if $key eq $name;
	$count{$name} += delete $count{$key};
}
$total += $_ for values %count;
my ($module, $user) = (0, 0);
for my $name (keys %count) {
	$module += $count{$name} if $name =~ /\[lsabuf\]$/;
	$user += $count{$name} if $name =~ /\[user\]$/;
}
printf("%s: %.0f instructions (mean of %d operations)\n", $operation,
       $total / $rounds, $rounds);
printf("%.0f of them in lsabuf.ko, %.0f in user space\n\n", $module / $rounds,
       $user / $rounds);
printf("%-44s %12s %8s\n", 'function', 'instructions', 'calls');
for my $name (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count) {
	next if $count{$name} / $rounds < 4;
	printf("%-44s %12.1f %8.2f\n", $name, $count{$name} / $rounds,
	       ($entered{$name} // 0) / $rounds);
}
print "\n";
