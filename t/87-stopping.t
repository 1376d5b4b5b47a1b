# httpd stops, restarts and replaces its children while clients write: what a client was told is stored is stored, every
# row is whole, and no connection to the table is left.

use strict;
use warnings;
use File::Basename ();
use File::Path ();
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Outage;
use SessionTest::Load;
use SessionTest::Machine;
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

note 'Stopped at once, with activity that the table takes no time for';
{
    my($server) = begin();
    my @ids = map { get("/test/?set=a:$_", port => $server->port)->cookie('id') } 1 .. 6;
    age($_, 300) for @ids;
    clear_faults();
    fault(kind => 'hold', op => 'UpdateItem', count => 0);
    is get('/test/?get=a', port => $server->port, cookie => $_)->status, 200, 'a request with a touch due' for @ids;
    ok held(1), '... which the table does not answer';
    kill TERM => $server->pid;
    has_stopped($server);
    clear_faults();
    my $given_up = qr/dropped (\d) queued writes, because this process ends: sessions may expire up to/;
    my $failed   = qr/queued touch \(session activity\) failed: the deadline passed/; # had its last attempt just then
    my $said     = failures_told($server->log_lines(qr{}));
    $said += $_ for map { /$given_up/ } $server->log_lines($given_up);
    is $said, scalar(@ids), '... and the log says so of each';
    $server->stop(grep { $server->log_lines($_) } $given_up, $failed);
}

my $DIR = File::Temp::tempdir('/tmp/stopping-XXXXXX', CLEANUP => 1);
sub write_file {
    my($name, $text, $mode) = @_;
    File::Path::make_path(File::Basename::dirname("$DIR/$name"));
    open my $out, '>', "$DIR/$name" or die "$DIR/$name: $!";
    print $out $text;
    close $out;
    chmod $mode // 0600, "$DIR/$name";
    return "$DIR/$name";
}
my $metadata = SessionTest::Machine::metadata();
my $sts      = SessionTest::Machine::sts();
my $program  = write_file(program => "#!/bin/sh\necho \$\$ >>$DIR/asked\nsleep 60 &\necho \$! >>$DIR/asked\nwait\n", 0700);
write_file('home/' . SessionTest::Machine::sso_token_file(),
           '{"accessToken": "sso-token", "expiresAt": "2099-01-01T00:00:00Z"}');
sub programs { return split ' ', SessionTest::Log::slurp("$DIR/asked") }

for my $case (
    [credential_process => AWS_CONFIG_FILE => write_file(config => "[default]\ncredential_process = $program\n")],
    ['instance metadata' => AWS_EC2_METADATA_SERVICE_ENDPOINT => $metadata->('url'),
     AWS_METADATA_SERVICE_TIMEOUT => 60],
    [container => AWS_CONTAINER_CREDENTIALS_FULL_URI => $metadata->('url') . '/v1/credentials'],
    ['web identity' => AWS_ENDPOINT_URL_STS => $sts->('url'), AWS_WEB_IDENTITY_TOKEN_FILE => write_file(token => 'token'),
     AWS_ROLE_ARN => 'arn:aws:iam::123456789012:role/pod'],
    [SSO => AWS_ENDPOINT_URL_SSO => $sts->('url'), HOME => "$DIR/home", AWS_CONFIG_FILE => write_file(sso => SessionTest::Machine::sso_profile())],
) {
    my($provider, %environment) = @$case;
    note "Stopped while a provider of credentials hangs: $provider";
    for ($metadata, $sts) {
        $_->(POST => 'reset');
        $_->(POST => 'fault', { on => $provider eq 'container' ? 'container' : 'token', do => 'hang', count => 0 });
    }
    my $httpd = SessionTest::Machine->start(%environment);
    ok eventually(sub { programs() || map { @{ $_->(GET => 'requests') } } $metadata, $sts }), 'it is asked';
    my $waiting = SessionTest::HTTP->connect($httpd->port)->send_request(path => '/?set=a:1');
    select undef, undef, undef, 0.3;
    my $seconds = within { kill TERM => $httpd->{pid}; waitpid delete $httpd->{pid}, 0 };
    # httpd looks for its children after 1.3 s, then after 2.3 s, and speaks of those that are left after 3 s.
    cmp_ok $seconds, '<', 3 * setting('slow'), sprintf '... httpd ends (after %.3f s)', $seconds;
    ok eventually(sub { !grep { kill 0 => $_ } programs() }), '... with all it has started';
    unlink "$DIR/asked";
    my $told = qr/the session could not be written: the process is stopping|AH01822/;
    $httpd->stop($httpd->log_lines($told) ? $told : ());
}

done;
