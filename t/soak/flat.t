# Memory and descriptors stay as they are, over many requests of all kinds: MSD_TEST_SOAK of them. Not part of make check:
# build/check soak runs it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use SessionTest;
use SessionTest::Load;
use SessionTest::Process;
use SessionTest::Server;

my $REQUESTS = $ENV{MSD_TEST_SOAK} || 200_000;
my $SAMPLES  = 40;
my $CLIENTS  = 16;
# As many threads as there are clients and a few, or processes, so that each has soon seen all kinds of requests; and
# httpd keeps little of what was freed.
my @SETTINGS = ('MaxMemFree 64', setting('mpm') eq 'prefork'
    ? ("StartServers $CLIENTS", 'MinSpareServers 1', "MaxSpareServers $CLIENTS", "MaxRequestWorkers $CLIENTS")
    : ('ServerLimit 2', 'MaxRequestWorkers 20'));
my $SERVER   = SessionTest::Server->start(@SETTINGS);
my $PARENT   = $SERVER->pid;
my %SEEN     = (kilobytes => [], descriptors => []);   # of each sample: process => number

sub children { return SessionTest::Process::children($PARENT, setting('mpm')) }
sub sum      { my $sum = 0; $sum += $_ for @_; return $sum }

my $load = SessionTest::Load->new(clients => $CLIENTS, mixed => 1, hosts => [{ port => $SERVER->port }]);
my @faults;
my $seconds = within {
    for my $n (1 .. $SAMPLES) {
        forget();                            # or the table's proxy remembers each request
        mode(verify => JSON::PP::false());   # most of its work
        $load->run($REQUESTS / $SAMPLES);
        last if @faults = $load->faults;
        my @children = (children(), $PARENT);
        push @{ $SEEN{kilobytes} },   { map { $_ => SessionTest::Process::kilobytes($_) } @children };
        push @{ $SEEN{descriptors} }, { map { $_ => SessionTest::Process::descriptors($_) } @children };
    }
};
is join("\n", @faults), '', sprintf '%d requests are answered right, %.0f per second', $REQUESTS, $REQUESTS / $seconds;
diag sprintf '%d requests, %.0f per second: %s', $REQUESTS, $REQUESTS / $seconds,
    join ', ', map { "$load->{done}{$_} x $_" } sort keys %{ $load->{done} };

# Of one process, the mean (or most) of a quarter of the samples.
sub quarter {
    my($what, $pid, $q) = @_;
    my @all = map { $_->{$pid} } @{ $SEEN{$what} };
    return @all[@all * ($q - 1) / 4 .. @all * $q / 4 - 1];
}
sub mean { return sum(@_) / @_ }
sub most { return (sort { $b <=> $a } @_)[0] }

# The first quarter is for warming up: each thread takes the memory and the connections that it will keep.
my @stayed = grep { my $pid = $_; @{ $SEEN{kilobytes} } && !grep { !$_->{$pid} } @{ $SEEN{kilobytes} } } $PARENT, children();
is scalar(@stayed), keys(%{ $SEEN{kilobytes}[0] || {} }), 'the processes are the same from beginning to end';
my $growth = 0;
for my $pid (@stayed) {
    my @kilobytes   = map { sprintf '%.0f', mean(quarter('kilobytes', $pid, $_)) } 1 .. 4;
    my @descriptors = map { most(quarter('descriptors', $pid, $_)) } 1 .. 4;
    my $who = $pid == $PARENT ? 'the parent' : "child $pid";
    diag "$who: KB in the four quarters @kilobytes; descriptors @descriptors";
    $growth += $kilobytes[3] - $kilobytes[1];
    cmp_ok $descriptors[3], '<=', $descriptors[1] + 4, "$who opens no more descriptors";
}
# Half the requests lie between these quarters: a leak of a pointer and its block in each would show.
cmp_ok $growth, '<', 750 + 8 * $REQUESTS / 2 / 1024, "all of them together have not grown (by $growth KB)";

mode(verify => JSON::PP::true());
$load->hang_up;
$SERVER->stop;
done;
