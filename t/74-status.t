# What mod_status shows of DynamoDB: calls and the capacity they consume, of all children together, until httpd ends.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Process;

needs('capacity as AWS counts it');

my $PARENT  = SessionTest::Process::parent($SessionTest::T);
my $RESTART = qr/SIGUSR1 received|Graceful restart requested/;   # each MPM has its words
my $TOTALS  = qr/\[session_dynamodb:info\].*counted since httpd was started: (.*)/;
my @NAMES   = qw(ReadUnits WriteUnits GetItem PutItem UpdateItem DeleteItem FailedCalls FailedConditions Retries Throttled
                 TurnedAway BreakerOpened Created Renewed Ended Merged RefusedIDs Limited CachedReads SharedReads);
# These came later, and t/74-metrics.t looks at what is behind them.
my @MORE    = qw(FailedThrottled FailedDenied Failed5xx FailedTimeout FailedConnect FailedTLS FailedCredentials
                 ConnectionsOpened ConnectionsReused Attempts AttemptSeconds Requests RequestSeconds BreakersOpen Queued
                 Dropped Loaded Failures);

sub children { return SessionTest::Process::children($PARENT, setting('mpm')) }
sub status   { return get('/server-status?auto')->body =~ /^SessionDynamoDB(\w+): (\S+)$/mg }

# What a block adds to the numbers: those that change, in the order of their names above.
sub counts_are (&$$) {
    my($block, $expected, $sentence) = @_;
    my %before = status();
    $block->();
    quiet();
    my %after = status();
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is join(' ', map { my $n = $after{$_} - $before{$_}; $n ? "$_ $n" : () } @NAMES), $expected, $sentence;
}

note 'What is counted';
my $id;
{
    my %now = status();
    is join(' ', sort keys %now), join(' ', sort @NAMES, @MORE), 'mod_status has a line of each number for programs';
    is scalar(grep { !/^\d+(?:\.\d+)?$/ } values %now), 0, '... and each is a number';
    counts_are { get('/test/') } '', 'a request without a session costs nothing';
    counts_are { $id = session(a => 1) } 'WriteUnits 1 PutItem 1 Created 1', 'a new session: one write';
    counts_are { get('/test/?get=a', cookie => $id) } 'ReadUnits 1 GetItem 1', 'a request with it: one read';
    counts_are { get('/test/?set=a:2', cookie => $id) } 'ReadUnits 1 WriteUnits 1 GetItem 1 UpdateItem 1',
        'a change: one write more';
    age($id, 300);
    counts_are { get('/test/?get=a', cookie => $id) } 'ReadUnits 1 WriteUnits 1 GetItem 1 UpdateItem 1',
        'a touch that is due: the same';
    counts_are { get('/test/?set=b:' . 'x' x 2000, cookie => $id) } 'ReadUnits 1 WriteUnits 3 GetItem 1 UpdateItem 1',
        'a write costs by the size of the row';
    counts_are { get('/test/?get=a', cookie => 'x' x 43) } 'RefusedIDs 1', 'an ID that can be none costs nothing';
    my $gone = session(a => 1);
    counts_are { get('/test/?clear', cookie => $gone) } 'ReadUnits 1 WriteUnits 1 GetItem 1 DeleteItem 1 Ended 1',
        'an end: a read and a write';
    counts_are { get('/test/?get=a', cookie => $gone) } 'ReadUnits 1 GetItem 1 RefusedIDs 1',
        'an unknown session ID costs a read';
    counts_are { get('/test/?renew', cookie => session(a => 1)) }
        'ReadUnits 1 WriteUnits 3 GetItem 1 PutItem 2 UpdateItem 1 Created 1 Renewed 1',
        'a new session and its new ID';
}

note 'Other ends of a call';
{
    fault(kind => 'throttle', op => 'GetItem', count => 1);
    counts_are { is get('/test/?get=a', cookie => $id)->status, 200, 'a call that is throttled once is answered' }
        'ReadUnits 1 GetItem 1 Retries 1 Throttled 1', '... and counted as one call and a retry';
    fault(kind => '500', op => 'GetItem', count => 3);
    expect_log qr/the session could not be read/, qr/AH01816/;
    counts_are { is get('/test/?get=a', cookie => $id)->status, 503, 'a call that fails' }
        'GetItem 1 FailedCalls 1 Retries 2', '... is counted as that';
    counts_are {
        my($one, $two) = map { connection()->send_request(path => "/test/?meet=status$_&set=c$_:1",
            headers => [['Cookie', "id=$id"]]) } 1, 2;
        here('status1') && here('status2');
        let_go('status1');
        is $one->read_response->status, 200, 'of two changes one is first';
        let_go('status2');
        is $two->read_response->status, 200, '... and the other is merged with it';
    } 'ReadUnits 2 WriteUnits 6 GetItem 2 UpdateItem 3 FailedConditions 1 Merged 1', '... at the cost of a call more';
}

note 'What people see';
{
    my $body = get('/server-status')->body;
    like $body, qr{<h2>Sessions in DynamoDB, since httpd was started</h2>\s*<table border="0">}, 'the page has a table';
    like $body, qr{<tr><th align="left">Read units consumed</th><td align="right">\d+\.[05]</td></tr>}, '... of numbers';
    my $key = key_of($id);
    is scalar(grep { index($body . get('/server-status?auto')->body, $_) >= 0 } $id, $key), 0, '... and names no session';
}

note 'Children that die, and a restart';
{
    my %before   = status();
    my @children = children();
    kill KILL => @children;
    my %after;
    ok eventually(sub { my %old = map { $_ => 1 } @children; my @now = children();
                        @now && !grep { $old{$_} } @now and %after = eval { status() } }, 20), 'children are replaced';
    is $after{$_}, $before{$_}, "... and $_ is not lost" for qw(ReadUnits WriteUnits Created);

    my $lines = () = log_lines($RESTART);
    kill USR1 => $PARENT;
    ok eventually(sub { $lines < (() = log_lines($RESTART)) }), 'a graceful restart';
    ok eventually(sub { my %now = eval { status() }; %now && $now{WriteUnits} == $before{WriteUnits} }, 20),
        '... goes on with what was counted';
    ok eventually(sub { () = log_lines($TOTALS) }, 20), '... which the log has';
    my($line) = map { /$TOTALS/ ? $1 : () } log_lines($TOTALS);
    is $line && (split /, /, $line)[1], "WriteUnits $before{WriteUnits}", '... as it was then';
    is scalar(() = log_lines($TOTALS)), 1, '... once';
    is index($line, $id), -1, '... and no session';
}

done;
