# 64 clients, 10,000 requests, graceful restarts: no error, no lost session, nothing that grows. Two hosts with a table
# each, all the while. MSD_TEST_LOAD=NUMBER for another number of requests.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Load;
use SessionTest::Process;

my $SLOW     = setting('slow');   # under a sanitizer
my $REQUESTS = $ENV{MSD_TEST_LOAD} || 10_000 / $SLOW;
my $CLIENTS  = 64 / $SLOW;
my @HOSTS    = map { { port => port('bulk'), host => $_ } } qw(patient.test patient-other.test);
my %TABLE    = ('patient.test' => 'app_session', 'patient-other.test' => 'other_session');
my $PARENT   = SessionTest::Process::parent($SessionTest::T);

sub children    { return SessionTest::Process::children($PARENT, setting('mpm')) }
sub kilobytes   { return SessionTest::Process::kilobytes($_[0]) }
sub descriptors { return SessionTest::Process::descriptors($_[0]) }
sub sum         { my $sum = 0; $sum += $_ for @_; return $sum }

note 'Two hosts, two tables';
{
    my @ids = map { get('/test/?set=a:1', %$_)->cookie('id') } @HOSTS;
    for my $n (0, 1) {
        ok row(key_of($ids[$n]), $TABLE{ $HOSTS[$n]{host} }), "$HOSTS[$n]{host} stores in $TABLE{ $HOSTS[$n]{host} }";
        is row(key_of($ids[$n]), $TABLE{ $HOSTS[1 - $n]{host} }), undef, '... and not in the other table';
        is get('/test/?get=a', cookie => $ids[$n], %{ $HOSTS[1 - $n] })->line('get a'), '(none)',
            '... and its session is none of the other host\'s';
        is get('/test/?get=a', cookie => $ids[$n], %{ $HOSTS[$n] })->line('get a'), 1, '... but its own';
    }
    clear_tables();
}

mode(verify => JSON::PP::false());   # of signatures: the proxy's work, and most of it
my $load = SessionTest::Load->new(hosts => \@HOSTS, clients => $CLIENTS);

sub all_is_well {
    my $what = shift;
    is join("\n", $load->faults), '', "$what: every answer is right";
}

note 'Load';
{
    $load->run($REQUESTS * .4);
    all_is_well('warming up');
    my %before  = map { $_ => kilobytes($_) } children();
    my $seconds = within { $load->run($REQUESTS * .4) };
    all_is_well(sprintf 'at %.0f requests per second', $REQUESTS * .4 / $seconds);
    quiet();
    my @same = grep { $before{$_} } children();
    ok @same > 0, 'the children are the same';
    # Less than a kilobyte per request: each of 80 threads takes its time to get all the memory that it will keep. Not
    # under prefork, where each of 64 children still uses more of what it shared with its parent, nor
    # under a sanitizer, which keeps what was freed.
    my $growth = sum(map { kilobytes($_) - $before{$_} } @same);
    cmp_ok $growth, '<', 2500 + $REQUESTS * .15, "... and have not grown (by $growth KB)"
        if setting('mpm') ne 'prefork' && $SLOW == 1;

    # What httpd has open without a client, some 20, and a connection for each thread, the writer of touches being one
    # more. libcurl has a pair of sockets beside each.
    $load->hang_up;
    my $limit = 24 + 3 * ((setting('mpm') eq 'prefork' ? 1 : 40) + 1);
    ok eventually(sub { !grep { descriptors($_) > $limit } @same }),
        "... nor have they more than $limit descriptors open"
        or diag join ' ', map { descriptors($_) } @same;
}

note 'Graceful restarts under load';
{
    my @before = children();
    my($kilobytes, $descriptors) = (kilobytes($PARENT), descriptors($PARENT));
    my $restart = sub { kill USR1 => $PARENT };
    my $part = $REQUESTS * .2;
    $load->run($part, map { int($part * $_ / 4) => $restart } 1 .. 3);
    all_is_well('three restarts');
    note 'requests sent again on a new connection: ', $load->resent;
    ok eventually(sub { my %now = map { $_ => 1 } children(); !grep { $now{$_} } @before }, 20), 'all children are new';
    is descriptors($PARENT), $descriptors, 'the parent has no more descriptors';
    my $growth = kilobytes($PARENT) - $kilobytes;
    cmp_ok $growth, '<', 3000, "... and has not grown (by $growth KB)" if $SLOW == 1;
    $load->run(640);
    all_is_well('the new children');
}

note 'What is left';
{
    quiet();
    my @sessions = $load->sessions;
    cmp_ok scalar(@sessions), '>', $CLIENTS * .5, 'most clients have a session';
    my %expected = map { $_ => [] } values %TABLE;
    push @{ $expected{ $TABLE{ $_->[0] } } }, key_of($_->[1]) for @sessions;
    for my $host (sort keys %TABLE) {
        my $table = $TABLE{$host};
        is_deeply [sort map { $_->{id}{S} } rows($table)], [sort @{ $expected{$table} }],
            "$table has the sessions of $host, and no other row";
    }
    my @lost = grep {
        my($host, $id, $value) = @$_;
        get('/test/?get=n', port => 'bulk', host => $host, cookie => $id)->line('get n') ne $value;
    } @sessions;
    is scalar(@lost), 0, 'none is lost';
}

mode(verify => JSON::PP::true());
done;
