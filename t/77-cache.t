# SessionDynamoDBCache: rows that were read are kept for some seconds, by all children. What this server writes counts at
# once; what others write, within those seconds.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 ();
use SessionTest;
use SessionTest::Server;
use SessionTest::Log;

my @MORE = ('LogLevel session_dynamodb:debug', 'SessionDynamoDBUserKey user',
    '<Location /renewing/>', 'SetHandler test-session', 'SessionDynamoDBRenewInterval 2s',
    'SessionDynamoDBRenewGrace 1s', '</Location>',
    '<Location /unhashed/>', 'SetHandler test-session', 'SessionDynamoDBHashSid Off', '</Location>',
    '<Location /json/>', 'SetHandler test-session', 'SessionDynamoDBFormat json', '</Location>');

my @EVENTUAL = ('<Location /eventual/>', 'SetHandler test-session', 'SessionDynamoDBConsistentRead Off', '</Location>');

sub server {
    my($cache, $module, @lines) = @_;
    my $server = SessionTest::Server->start({ modules => [$module] }, @MORE, "SessionDynamoDBCache $cache", @lines);
    mkdir "$server->{dir}/state" and chmod 0777, "$server->{dir}/state";   # of handlers that meet
    return $server;
}

my $server = server('30', 'socache_shmcb', @EVENTUAL);
our $here  = $server->port;

# A request under way in a handler of this server: its connection, and a sub that lets it go on and reads its answer.
sub under_way {
    my($id, $name, $query) = @_;
    my $slow = connection($here);
    $slow->send_request(path => "/test/?meet=$name&$query", headers => [['Cookie', "id=$id"]]);
    ok eventually(sub { -e "$server->{dir}/state/$name.here" }), "$name: a request is under way";
    return sub { SessionTest::Log::append("$server->{dir}/state/$name.go", ''); return $slow->read_response };
}

# That many requests at this server, one after the other, and what they see of an entry.
sub seen {
    my($id, $key, $count, $area) = @_;
    my %seen;
    $seen{ get(($area || '/test/') . "?get=$key", cookie => $id, port => $here)->line("get $key") }++ for 1 .. $count || 1;
    return join ' ', map { "$_ x$seen{$_}" } sort keys %seen;
}

note 'Hits';
for my $area (qw(/test/ /eventual/ /unhashed/ /json/)) {
    my $id = get("$area?set=a:1", port => $here)->cookie('id');
    my($first, @rest) = calls_of { is seen($id, 'a', 12, $area), '1 x12', "$area: the session is there" };
    is "$first->{op} of " . (1 + @rest), 'GetItem of 1', '... after one read for 12 requests, in two children';
    ok $first->{body}{ConsistentRead}, '... which is strongly consistent';
}
{
    my $id = session(a => 1);
    get('/test/', cookie => $id, port => $here);
    calls_are { is $_->line('get a'), 1, 'one of many at once has it' for parallel(map { ["/test/?get=a", cookie => $id, port => $here] } 1 .. 6) }
        [], '... from the cache';
    like SessionTest::Log::slurp($server->{log}), qr/received: loaded, cached; not changed; 0 calls in /,
        'the log tells at debug';
}

note 'What this server writes counts at once';
for my $case (['a change', '/test/?set=a:2', '2', 1], ['a new ID', '/test/?renew', '1', 0], ['a login', '/test/?set=user:u', '1', 0],
              ['an end', '/test/?clear', '(none)', 0]) {
    my($what, $request, $after, $same) = @$case;
    my $id = session(a => 1);
    is seen($id, 'a', 6), '1 x6', "$what: the session is cached";
    my $new = get($request, cookie => $id, port => $here)->cookie('id');
    is seen($id, 'a', 6), ($same ? "$after x6" : '(none) x6'), '... and after it the old ID has what it should';
    is seen($new, 'a', 6), "$after x6", '... and so has the new one' if $new;
}
{
    my $id = session(a => 1);
    age($id, 300);
    calls_are { seen($id, 'a'); quiet(); is seen($id, 'a', 12), '1 x12', 'a touch is due' } [qw(GetItem UpdateItem GetItem)],
        '... and is sent once, and then the row is read once more';
    my $accessed = row(key_of($id))->{accessed}{S};
    cmp_ok seconds_of($accessed), '>', time - 60, '... it is recorded';
}
{
    my $id = session(a => 1);
    seen($id, 'a');
    my $let_go = under_way($id, 'cached', 'set=b:2');
    get('/test/?set=c:3', cookie => $id, port => $here);
    is $let_go->()->status, 200, '... another one changes the session, and it does, too';
    is join(', ', seen($id, 'c'), seen($id, 'b')), '3 x1, 2 x1', '... and both changes are there';
}

note 'A read that is late';
{
    my $id = session(a => 1);
    fault(kind => 'hold_after', op => 'GetItem', count => 1);
    my $slow = connection($here);
    $slow->send_request(path => '/test/?get=a', headers => [['Cookie', "id=$id"]]);
    ok held(1), 'a read is done, and its answer is under way';
    get('/test/?set=a:2', cookie => $id, port => $here);
    is seen($id, 'a', 3), '2 x3', '... while another request changes the session';
    release();
    # On a slow machine it is given up, and repeated after the change.
    like $slow->read_response->line('get a'), qr/^[12]$/, '... and arrives then';
    is seen($id, 'a', 6), '2 x6', '... too late for the cache';
    clear_faults();
}

note 'What another server writes';
{
    my $id = session(a => 1);
    seen($id, 'a');
    get('/test/?set=a:2', cookie => $id);
    is seen($id, 'a', 3), '1 x3', 'a change is not yet known';
    get('/test/?set=b:3', cookie => $id, port => $here);
    is join(', ', seen($id, 'a'), seen($id, 'b')), '2 x1, 3 x1', '... and not lost by one that does not know it';

    get('/test/?clear', cookie => $id);
    is seen($id, 'a', 3), '2 x3', 'an end is not yet known';
    is get('/test/?set=a:3', cookie => $id, port => $here)->status, 503, '... and what changes the session is refused';
    is seen($id, 'a', 3), '(none) x3', '... which makes it known';
    ok !row(key_of($id)), '... and the session does not come back';

    $id = session(a => 1, user => 'x');
    seen($id, 'a');
    get('/users/?set=user:y', cookie => $id);
    is get('/test/?set=a:3', cookie => $id, port => $here)->status, 503, 'a change of a session that another user has taken';
    is seen($id, 'a', 3), '(none) x3', '... is refused, too';

    # Cached with a second left; the other server prolongs it.
    $id = session(a => 1);
    change_row($id, sub { $_->{expires}{N} = '' . (time + 2) });
    seen($id, 'a');
    change_row($id, sub { $_->{expires}{N} = '' . (time + 600) });
    sleep 3;
    calls_are { is seen($id, 'a', 3), '1 x3', 'what is over by the cached row' } ['GetItem'], '... is read again';
}

note 'Within so many seconds';
{
    my $brief = server('2', 'socache_shmcb');
    local $here = $brief->port;
    my $id = session(a => 1);
    seen($id, 'a');
    get('/test/?set=a:2', cookie => $id);
    get('/test/?get=a', cookie => $id, port => $here) for 1 .. 5;
    select undef, undef, undef, 2.1;
    is seen($id, 'a', 3), '2 x3', 'a change is known, however often the session was used';
    get('/test/?clear', cookie => $id);
    select undef, undef, undef, 2.1;
    is seen($id, 'a', 3), '(none) x3', 'and an end';
    $brief->stop;
}

note 'IDs that age';
{
    is get('/renewing/?set=a:1', port => $here)->status, 200, 'a session whose IDs age';
    my $old = res()->cookie('id');
    seen($old, 'a', 2, '/renewing/');
    sleep 3;
    my $new = get('/renewing/?get=a', cookie => $old, port => $here)->cookie('id');
    isnt $new, $old, '... gets a new ID, from the cached row';
    is seen($old, 'a', 3, '/renewing/'), '1 x3', '... and is found by both';
    is seen($new, 'a', 3, '/renewing/'), '1 x3', '... IDs';
    quiet();
    sleep 2;
    is seen($old, 'a', 3, '/renewing/'), '(none) x3', '... until the grace is over';
}

note 'No session';
{
    my $id = session(a => 1);
    age($id, 8000);
    is seen($id, 'a', 2), '(none) x2', 'a session that is over is not cached';
    my $gone = session(a => 1);
    seen($gone, 'a');
    delete_row(key_of($gone));
    get('/test/?set=a:2', cookie => $gone, port => $here);
    put_row({ %{ row(key_of(session(a => 1))) }, id => { S => key_of($gone) } });
    is seen($gone, 'a', 2), '(none) x2', 'nor another ID\'s row';
}

note 'Gone, as an earlier read finds out late';
for my $case (['an end', '/unhashed/'], ['a login elsewhere', '/test/']) {
    my($what, $area) = @$case;
    my $id = get("${area}?set=a:1", port => $here)->cookie('id');
    quiet();
    fault(kind => 'hold', op => 'GetItem', count => 1);
    my $slow = connection($here);
    $slow->send_request(path => "${area}?get=a", headers => [['Cookie', "id=$id"]]);
    ok held(1), "$what: a read is under way";
    is seen($id, 'a', 1, $area), '1 x1', '... a later one finds the session';
    $area eq '/unhashed/' ? delete_row($id) : get('/users/?set=user:y', cookie => $id);
    release();
    is $slow->read_response->line('get a'), '(none)', '... which ends elsewhere before the first read is done';
    is seen($id, 'a', 3, $area), '(none) x3', '... and it does not come back from the cache';
    clear_faults();
}

note 'While the table is away';
{
    my $id = session(a => 1);
    seen($id, 'a');
    fault(kind => '500', count => 0);
    is get('/test/?get=a', cookie => $id, port => $here)->line('get a'), 1, 'a cached session is there';
    is get('/test/?set=a:2', cookie => $id, port => $here)->status, 503, '... and cannot be changed';
    is get('/test/?get=a', cookie => $id, port => $here)->status, 503, '... after which it has to be read';
    clear_faults();
    is seen($id, 'a', 2), '1 x2', '... and is, when the table is back';
}

note 'A restart';
{
    my $id     = session(a => 1);
    my $let_go = under_way($id, 'restart', 'set=a:2');
    kill USR1 => $server->pid;
    ok eventually(sub { SessionTest::Log::slurp($server->{log}) =~ /resuming normal operations.*resuming normal operations/s }, 20),
        '... while httpd restarts gracefully';
    ok eventually(sub { eval { seen($id, 'a') eq '1 x1' } }), '... and new children cache its session';
    is $let_go->()->status, 200, '... which it then changes';
    is seen($id, 'a', 6), '2 x6', '... as they know at once';
}
$server->stop(qr/the\ session\ could\ not\ be\ (?:read|written)|AH018\d\d|refused\ a\ session\ ID\ that\ was\ replaced\ because/x);

note 'What is in it';
{
    my $kept = server('30 dbm:cache', 'socache_dbm');
    local $here = $kept->port;
    my $id = session(a => 'a-word-that-stands-out', b => 1);
    calls_are { is seen($id, 'b', 6), '1 x6', 'a session in a file' } ['GetItem'], '... which is cached';
    my $all = join '', map { SessionTest::Log::slurp($_) } grep { -f } glob "$kept->{dir}/cache*";
    cmp_ok length $all, '>', 500, '... that has something in it';
    is scalar(grep { index($all, $_) >= 0 } $id, key_of($id), 'a-word-that-stands-out', MIME::Base64::encode_base64('a-word-that-stands-out', '')), 0,
        '... and neither ID nor table key nor data';
    $kept->stop;
}

done;
