# httpd stops, restarts and replaces its children while clients write: what a client was told is stored is stored, every
# row is whole, and no connection to the table is left.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Load;
use SessionTest::Process;
use SessionTest::Server;

my @ATTRIBUTES = qw(id data created accessed expires idle_timeout absolute_timeout version write_id);
my $CLIENTS    = setting('slow') > 1 ? 8 : 16;

sub children { return SessionTest::Process::children($_[0]->pid, setting('mpm')) }

# A new server with clients, and a table that takes its time to write: somebody always waits for it.
sub begin {
    close_connections();
    clear_tables();
    my $server = SessionTest::Server->start('MaxKeepAliveRequests 4', @_);
    fault(kind => 'delay', delay => 10, op => 'UpdateItem', count => 0);
    return ($server, SessionTest::Load->new(hosts => [{ port => $server->port }], clients => $CLIENTS));
}

# What the clients were told, against what the table has.
sub nothing_is_lost {
    my($load, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my %rows = map { $_->{id}{S} => $_ } rows();
    my @half = grep { my $row = $_; grep { !$row->{$_} } @ATTRIBUTES } values %rows;
    my($lost, $unknown, $known) = (0, 0, 0);
    for my $c ($load->states) {
        $unknown++ if $c->{open} && $c->{doing} eq 'begin';
        defined $c->{id} or next;
        my $row  = delete $rows{ key_of($c->{id}) };
        my @good = ("n=$c->{value}", $c->{open} && $c->{doing} eq 'change' ? "n=$c->{wanted}" : ());
        my $ok   = $row ? scalar grep { data_of($row) eq $_ } @good : $c->{open} && $c->{doing} eq 'end';
        diag "client was told @good, the table has ", $row ? data_of($row) : 'no row' unless $ok;
        $lost++ unless $ok;
        $known++;
    }
    is scalar(@half), 0, "$what: every row is whole" or diag explain $half[0];
    is $lost, 0, "... each of $known sessions is as its client was told";
    cmp_ok scalar(keys %rows), '<=', $unknown, '... and no row is without one, but of a request that got no answer';
}

sub has_stopped {
    my($server) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok $server->gone, '... it ends';
    ok eventually(sub { connections()->{open} == 0 }), '... and has no connection to the table any more'
        or diag explain connections();
}

for my $case ([WINCH => 'Stopped gracefully'], [TERM => 'Stopped at once']) {
    my($signal, $what) = @$case;
    note "$what, under load";
    my($server, $load) = begin();
    $load->run(10 * $CLIENTS);
    is join("\n", $load->faults), '', 'all is well before';
    ok connections()->{open} > 0, '... with connections to the table';
    $load->run(1000, 3 * $CLIENTS => sub { $load->the_end; kill $signal => $server->pid });
    is join("\n", $load->faults), '', "$what: whoever got an answer got the right one";
    has_stopped($server);
    clear_faults();
    quiet();
    nothing_is_lost($load, $what);
    # Told to stop at once, a threaded MPM closes sockets that its workers may be giving back, and can die of that.
    my $own_fault = qr/AH00051: child pid \d+ exit signal Segmentation fault/;
    $server->stop($signal eq 'TERM' && setting('mpm') ne 'prefork' && $server->log_lines($own_fault) ? $own_fault : ());
}

note 'Stopped gracefully, with activity still to be recorded';
{
    my($server) = begin();
    my @ids = map { get("/test/?set=a:$_", port => $server->port)->cookie('id') } 1 .. 6;
    my %before = map { $_ => age($_, 300)->{accessed}{S} } @ids;
    clear_faults();
    fault(kind => 'delay', delay => 100, op => 'UpdateItem', count => 0);
    is get('/test/?get=a', port => $server->port, cookie => $_)->status, 200, 'a request with a touch due' for @ids;
    kill WINCH => $server->pid;
    has_stopped($server);
    is scalar(grep { row(key_of($_))->{accessed}{S} eq $before{$_} } @ids), 0, '... all activity is recorded';
    clear_faults();
    $server->stop;
}

note 'Children of ten connections, under load';
{
    my($server, $load) = begin('MaxConnectionsPerChild 10');
    my %seen;
    my $look = sub { $seen{$_} = 1 for children($server) };
    $load->run(40 * $CLIENTS, map { $_ * 10 => $look } 1 .. 4 * $CLIENTS - 1);
    is join("\n", $load->faults), '', 'every answer is right';
    cmp_ok scalar(keys %seen), '>=', 6, '... of many children';
    $load->hang_up;
    nothing_is_lost($load, 'Children that end');
    kill TERM => $server->pid;
    has_stopped($server);
    clear_faults();
    $server->stop;
}

done;
