# SessionDynamoDBShareReads: requests that want the same session while a read of it is under way wait for its end, and
# share the next one. Each sees what was written before it came.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Server;
use SessionTest::Log;

plan(skip_all => 'one request at a time') if setting('mpm') eq 'prefork';

my $server = SessionTest::Server->start({ modules => ['status'] }, 'LogLevel session_dynamodb:debug', 'SessionDynamoDBShareReads On',
    'SessionDynamoDBTimeout 3s', 'ServerLimit 1', 'StartServers 1', 'ThreadsPerChild 20', 'MaxSpareThreads 20',
    'MaxRequestWorkers 20', '<Location /json/>', 'SetHandler test-session', 'SessionDynamoDBFormat json', '</Location>',
    '<Location /eventual/>', 'SetHandler test-session', 'SessionDynamoDBConsistentRead Off', '</Location>',
    '<Location /workers>', 'SetHandler server-status', 'Session Off', '</Location>');
my $here = $server->port;

# Requests that have been sent, with this ID.
sub sent {
    my($id, @paths) = @_;
    return map { connection($here)->send_request(path => $_, headers => [['Cookie', "id=$id"]]) } @paths;
}

sub answers { return map { $_->read_response } @_ }
sub values_of { my $key = shift; return join ' ', map { $_->status == 200 ? $_->line("get $key") : $_->status } @_ }

# A session whose read by a first request is held at the table, and that request.
sub held_read {
    my($id) = @_;
    fault(kind => 'hold', op => 'GetItem', count => 1);
    my($first) = sent($id, '/test/?get=a');
    ok held(1), 'a read is under way';
    return $first;
}

# Let requests that were sent come to wait for it, so many with the first: from outside it can be seen that a worker has
# each of them, not how far it is.
sub settle {
    my($requests) = @_;
    ok eventually(sub { get('/workers?auto', port => $here)->line('BusyWorkers') > $requests }, 20), '... and others come';
    select undef, undef, undef, 0.2 * setting('slow');
    return;
}

note 'A page';
{
    my $id = session(a => 1);
    my @all;
    my @calls = calls_of {
        my $first  = held_read($id);
        my @assets = sent($id, ('/test/?get=a') x 6);
        settle(7);
        release();
        @all = answers($first, @assets);
    };
    is values_of('a', @all), '1 1 1 1 1 1 1', 'seven requests at once have the session';
    is join(' ', map { $_->{op} } @calls), 'GetItem GetItem', '... at the cost of two reads';
    my $shared = () = SessionTest::Log::slurp($server->{log}) =~ /received: loaded, read shared; not changed; 0 calls in /g;
    is $shared, 5, '... five of them at no call, as the log tells at debug';
}

note 'Each sees what was written before it came';
{
    my $id = session(a => 1);
    my $first = held_read($id);
    get('/test/?set=a:2', cookie => $id);
    my @later = sent($id, ('/test/?get=a') x 3);
    settle(4);
    release();
    my @all = answers($first, @later);
    is values_of('a', @all[1 .. 3]), '2 2 2', 'a change that was made while an earlier read was under way';

    # The same where that read was done before the change, and only its answer is late.
    fault(kind => 'hold_after', op => 'GetItem', count => 1);
    ($first) = sent($id, '/test/?get=a');
    ok held(1), 'a read is done, and its answer is under way';
    get('/test/?set=a:3', cookie => $id);
    @later = sent($id, ('/test/?get=a') x 3);
    settle(4);
    release();
    @all = answers($first, @later);
    # On a slow machine that read is given up, and repeated after the change.
    like values_of('a', @all), qr/^[23] 3 3 3$/, '... is seen by all that came after it, whatever that read saw';

    @all = answers(sent($id, map { "/test/?set=$_:1" } 'b' .. 'g'));
    is scalar(grep { $_->status == 200 } @all), 6, 'six changes at once';
    is join(' ', map { get("/test/?get=$_", cookie => $id, port => $here)->line("get $_") } 'b' .. 'g'), '1 1 1 1 1 1',
        '... are all there';
}

note 'What differs is not shared';
{
    my($one, $two) = (session(a => 1), session(a => 2));
    my @calls = calls_of {
        my $first = held_read($one);
        my @other = sent($two, '/test/?get=a');
        is values_of('a', answers(@other)), '2', 'another session does not wait';
        is values_of('a', answers(sent($one, '/eventual/?get=a'))), '1', 'nor another kind of read';
        release();
        is values_of('a', answers($first)), '1', '... for this one';
    };
    is scalar(@calls), 3, '... each is read';

    # The same row by requests of two formats: each judges it itself.
    my $first = held_read($one);
    my @both  = sent($one, '/test/?get=a', '/json/?get=a');
    settle(3);
    release();
    is values_of('a', answers($first, @both)), '1 1 (none)', 'a row of another format is no session where that is shared';
}

note 'No session';
{
    my $id = session(a => 1);
    my @calls = calls_of {
        my $first = held_read($id);
        my @later = sent($id, ('/test/?get=a') x 3);
        settle(4);
        delete_row(key_of($id));
        release();
        is values_of('a', answers($first, @later)), '(none) (none) (none) (none)', 'a session that is gone is gone for all';
    };
    cmp_ok scalar(@calls), '<=', 2, '... at the cost of two reads at most';
}

note 'Failures';
{
    my $id = session(a => 1);
    my @calls = calls_of {
        my $first = held_read($id);
        my @later = sent($id, ('/test/?get=a') x 4);
        settle(5);
        fault(kind => 'error', type => 'AccessDeniedException', op => 'GetItem', count => 1);
        release();
        is values_of('a', answers($first, @later)), '1 503 503 503 503', 'a read that fails, fails for all that share it';
    };
    is scalar(@calls), 2, '... at once';
    is get('/test/?get=a', cookie => $id, port => $here)->line('get a'), 1, '... and not for later ones';
}

note 'Deadlines';
{
    my $id = session(a => 1);
    # The first read hangs until its attempts are over; who came a second later has a second left, and reads itself.
    fault(kind => 'hang', op => 'GetItem', count => 3);
    my($first) = sent($id, '/test/?get=a');
    select undef, undef, undef, 1;
    my @later = sent($id, ('/test/?get=a') x 3);
    is values_of('a', answers($first)), '503', 'a read that hangs comes to its deadline';
    is values_of('a', answers(@later)), '1 1 1', '... and those that waited for it have time left, and read';

    # All hang: each request ends by its own deadline.
    fault(kind => 'hang', op => 'GetItem', count => 0);
    my $took = within {
        my @all = sent($id, ('/test/?get=a') x 4);
        is values_of('a', answers(@all)), '503 503 503 503', 'reads that all hang';
    };
    cmp_ok $took, '<', 5 * setting('slow'), '... end in time';
    clear_faults();
    is get('/test/?get=a', cookie => $id, port => $here)->line('get a'), 1, '... and later ones are none the worse';
}

note 'Many sessions';
{
    my @ids = map { session(a => $_) } 1 .. 5;
    my @all = map { my $i = $_; sent($ids[$i], ('/test/?get=a') x 4) } 0 .. 4;
    is values_of('a', answers(@all)), join(' ', map { ($_) x 4 } 1 .. 5), 'each request has its own session';
}

$server->stop(qr/the session could not be read|AH018\d\d|ignored a malformed session row/);
done;
