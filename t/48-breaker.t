# A store that does not answer: requests with sessions are not kept waiting for it one after another, those without do
# not notice, and soon after it is back all is as before.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Time::HiRes ();
use SessionTest;
use SessionTest::Outage;
use SessionTest::Unavailable;

my $PREFORK  = setting('mpm') eq 'prefork';
my $CHILDREN = 2;                         # of the other MPMs
my $DEADLINE = 2;                         # seconds: SessionDynamoDBTimeout
my $SLOW     = 3;                         # seconds that a busy machine may take beside
my @HOST     = (host => 'breaker.test', port => 'bulk');

my $OPENED = qr/\[session_dynamodb:warn\].*circuit breaker open: no answer from \S+ to \d+ consecutive calls/;
my $CLOSED = qr/\[session_dynamodb:notice\].*circuit breaker closed: \S+ answers again after \d+ ms; \d+ calls were not sent/;
my $FAILED = qr/\[session_dynamodb:error\].*the session could not be read/;

# How many lines of each kind there are, less those that were there before.
my %seen = map { $_ => 0 } $OPENED, $CLOSED;
sub new_lines {
    my $pattern = shift;
    my $count = () = log_lines($pattern);
    my $new = $count - $seen{$pattern};
    $seen{$pattern} = $count;
    return $new;
}

my $failed = 0; # requests that the log has to tell of

sub load { my $id = shift; return ('/test/?get=a', cookie => $id, @HOST) }

sub all_are {
    my($status, @answers) = @_;
    return !grep { $_->status != $status } @answers;
}

# Until that many requests at once are all answered well, in the seconds that it took.
sub back_for {
    my($clients, $id) = @_;
    my $start = Time::HiRes::time();
    my $done  = eventually(sub { all_are(200, parallel(map { [load($id)] } 1 .. $clients)) }, 20);
    return $done ? Time::HiRes::time() - $start : 'never';
}

my $id = session(a => 1);
is get(load($id))->line('get a'), 1, 'a session is read';

if ($PREFORK) {
    note 'One child after the other';
    fault(kind => '500', count => 0, op => 'GetItem');
    ok eventually(sub { get(load($id)); log_lines(qr/not sent.* 0 attempts\)/) }, 20), 'calls are turned away';
    is_unavailable(res(), '... and the request');
    clear_faults();
    cmp_ok back_for(4, $id), '<', 2 + $SLOW, 'when the store is back, all is well';
    ok new_lines($CLOSED), '... and the log says so';
}
else {
    note 'The store hangs, and sixty-four clients ask';
    fault(kind => 'hang', count => 0);
    my $start   = Time::HiRes::time();
    my @waiting = map { connection('bulk') } 1 .. 64;
    $_->send_request(path => '/test/?get=a', host => 'breaker.test', headers => [['Cookie', "id=$id"]]) for @waiting;
    ok eventually(sub { connections()->{hung} >= 64 }), 'all of them wait for it';
    my @others = map { get('/plain/page.html', cookie => $id, @HOST) } 1 .. 20;
    ok all_are(200, @others), '... pages without a session are shown';
    ok all_are(200, map { get('/test/?get=a', @HOST) } 1 .. 20), '... pages with a session for who has none are, too';
    my @answers = map { $_->read_response } @waiting;
    ok all_are(503, @answers), '... and each gets an answer: 503';
    is_unavailable($answers[0], '...');
    cmp_ok Time::HiRes::time() - $start, '<', $DEADLINE + $SLOW, '... within the deadline';
    $failed += 64;
    ok all_told($failed, @HOST), '... the log tells of all of them';
    is failures_told(), $failed, '... each once';
    cmp_ok scalar(() = log_lines($FAILED)), '<=', 2 + $SLOW, '... in a line for each second';
    is new_lines($OPENED), $CHILDREN, '... and one for each child that gives up';

    note 'From now on they are answered at once';
    my $seconds;
    my @calls = calls_of {
        $seconds = within { @answers = parallel(map { [load($id)] } 1 .. 64) };
    };
    ok all_are(503, @answers), 'sixty-four more get 503';
    is_unavailable($answers[-1], '...');
    # One probe at a time, each of a second.
    cmp_ok scalar(@calls), '<=', $CHILDREN * (1 + int $seconds), '... but for probes, the table is not sent';
    $failed += 64;
    ok all_told($failed, @HOST), '... the log tells of all of them';
    is failures_told(), $failed, '... each once';
    ok eventually(sub {
        get(load($id));
        log_lines(qr/not sent.*\(GetItem, type -, HTTP status 0, request ID -, 0 attempts\)/);
    }), '... and says why';
    is new_lines($OPENED), 0, '... and no more about the store itself';
    my $rows = rows();
    is_unavailable(get('/test/?set=b:1', @HOST), 'a first store');
    is scalar(rows()), $rows, '... makes no row';
    get('/anonymous/?get=a', cookie => $id, @HOST);
    is_deeply [res()->status, res()->line('get a')], [200, '(none)'], 'where it is to be so, the page is shown without';

    note 'The store is back';
    clear_faults();
    my $took = back_for(64, $id);
    cmp_ok $took, '<', 2 + $SLOW, 'all sixty-four are served again';
    note "full service after $took s";
    is new_lines($CLOSED), $CHILDREN, '... and each child says so once';
    @answers = parallel(map { [load($id)] } 1 .. 64);
    is scalar(grep { $_->line('get a') eq '1' } @answers), 64, '... they have their session';
    is new_lines($OPENED), 0, '... and nothing opens again';

    note 'A store that comes and goes';
    for my $kind ('500', 'refuse', 'close_after', 'html') {
        fault(kind => $kind, count => 0);
        parallel(map { [load($id)] } 1 .. 64);
        is new_lines($OPENED), $CHILDREN, "$kind: it is given up";
        clear_faults();
        cmp_ok back_for(64, $id), '<', 2 + $SLOW, '... and found again';
        is new_lines($CLOSED), $CHILDREN, '... with a line for each';
    }

    note 'What is an answer';
    for my $kind ('throttle', 'error') {
        fault(kind => $kind, count => 0);
        parallel(map { [load($id)] } 1 .. 64);
        my @calls = calls_of { get(load($id)) };
        cmp_ok scalar(@calls), '>=', 1, "$kind: the store is asked as ever";
        is new_lines($OPENED), 0, '... it is there';
        clear_faults();
        is get(load($id))->line('get a'), 1, '... and answers the next one';
    }

    note 'Not too many retries';
    @HOST = (host => 'retries.test', port => 'bulk');
    fault(kind => '500', count => 0);
    my @all = calls_of { parallel(map { [load($id)] } 1 .. 50) for 1 .. 6 };
    cmp_ok scalar(@all), '<=', 300 + $CHILDREN * 101, 'three hundred calls that fail share two hundred retries';
    cmp_ok scalar(@all), '>=', 300 + $CHILDREN * 50, '... and use them';
    ok eventually(sub {
        # The failure that is the line of its second may be of either child, which has to have used up its share.
        parallel(map { [load($id)] } 1 .. 20);
        log_lines(qr/not retried: the retry budget is used up \(.*, 1 attempts\)/);
    }, 20), '... which the log says';
    clear_faults();
    is get(load($id))->line('get a'), 1, '... the next one is served';
}

expect_log $OPENED, qr/\[session_dynamodb:error\].*the session could not be read/, qr/\[session:error\].*AH01816/,
    $PREFORK ? () : (qr/\[session_dynamodb:error\].*the session could not be written/, qr/AH01822/);
# A create that timed out may have left a row; whether its removal finds the store before it is given up is chance.
my $left = qr/queued removal of an unused row failed: .*not sent/;
expect_log $left if log_lines($left);

done;
