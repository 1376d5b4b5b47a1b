package SessionTest::Tally;

# The summary of a run: what the tests went through, and what was lost by it. Test files add to it by tally (see
# SessionTest.pm), fuzz targets by the line "# N inputs replayed" in their logs; t/TEST prints the table at the end.

use strict;
use warnings;

use SessionTest::Log ();

# Name of each count, and its column.
my @COLUMNS = (
    [faults_tried    => 'faults tried'],
    [faults_survived => 'survived'],
    [inputs_fuzzed   => 'inputs fuzzed'],
    [requests        => 'requests held'],
    [sessions_lost   => 'sessions lost'],
);

sub add {
    my($t, %counts) = @_;
    my %known = map { $_->[0] => 1 } @COLUMNS;
    for my $name (sort keys %counts) {
        $known{$name} or die "tally: no count is called $name; there are: @{[map { $_->[0] } @COLUMNS]}\n";
        SessionTest::Log::append("$t/logs/tally", "$name $counts{$name}\n");
    }
    return;
}

# All counts of the run in the working directory $t, with the fuzz targets' of the build directory.
sub sums {
    my($t, $build) = @_;
    my %sum = map { $_->[0] => 0 } @COLUMNS;
    for (split /\n/, SessionTest::Log::slurp("$t/logs/tally")) {
        my($name, $count) = split ' ';
        $sum{$name} += $count;
    }
    for my $log (glob "$build/t/fuzz/*.log") {
        $sum{inputs_fuzzed} += $_ for SessionTest::Log::slurp($log) =~ /^# (\d+) inputs replayed/mg;
    }
    return \%sum;
}

# Two lines, or nothing where nothing was counted.
sub table {
    my $sum = shift;
    return '' unless grep { $_ } values %$sum;
    return join('  ', map { $_->[1] } @COLUMNS) . "\n"
        . join('  ', map { sprintf '%*d', length $_->[1], $sum->{ $_->[0] } } @COLUMNS) . "\n";
}

1;
