# SessionDynamoDBControlHeader: programs give the session a new ID, begin another one, end it, and set its timeouts, by words
# in a header that no client sees. The same as functions for modules: 23-functions.t.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Backend;
use SessionTest::Login;

backend('app', "$SessionTest::T/lib/backend.py", port('app'));

my $CGI = '/control/cgi/session.pl';
sub escaped { return $_[0] =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger }
# A program's answer with this control header, and perhaps entries.
sub says {
    my($words, $entries, @rest) = @_;
    get("$CGI?header=" . escaped("X-Session-Control:$words") . (defined $entries ? '&replace=' . escaped($entries) : ''), @rest);
    is_deeply [res()->all('X-Session-Control')], [], "'$words' stays inside";
    return res();
}

note 'renew';
{
    my $old = session(a => 1, user => 'ann');
    my $before = row_of($old);
    calls_are { says('renew', undef, cookie => $old) } [@RENEWAL], 'a new ID';
    my $new = res()->cookie('id');
    isnt $new, $old, '... is sent';
    is data($new), 'a=1&user=ann', '... with the same entries';
    is row_of($new)->{created}{S}, row_of($new)->{accessed}{S}, '... and an absolute time that begins anew';
    is_tombstone($old);
    calls_are { says(' RENEW ,', 'b=2', cookie => $new) } [@RENEWAL], 'in any case and spacing, with a change';
    is data(res()->cookie('id')), 'a=1&b=2&user=ann', '... that is stored under the new ID';
    calls_are { says('renew') } [], 'without a session: nothing';
    is_deeply [res()->set_cookies], [], '... no cookie';
}

note 'create';
{
    my $old = session(a => 1, user => 'ann');
    calls_are { says('create', 'b=2', cookie => $old) } [@RENEWAL], 'another session';
    my $new = res()->cookie('id');
    is data($new), 'b=2', '... has what its response sets, and nothing else';
    ok !row_of($new)->{user_marks}, '... no user either';
    is_tombstone($old);
    calls_are { says('create', undef, cookie => $new) } [qw(GetItem DeleteItem)], 'with nothing set: the session ends';
    is res()->cookie('id'), '', '... and its cookie';
    calls_are { says('create', 'b=2') } ['PutItem'], 'without a session: one begins';
}

note 'abandon';
{
    my $id = session(a => 1);
    calls_are { says('abandon', 'b=2', cookie => $id) } [qw(GetItem DeleteItem)], 'the session ends, whatever is set';
    is_deeply [scalar(res()->set_cookies), res()->cookie('id')], [1, ''], '... with its cookie';
    is row_of($id), undef, '... and row';
    calls_are { says('abandon', 'b=2') } [], 'without a session: nothing';
    is_deeply [res()->set_cookies], [], '... not even a cookie';
}

note 'idle and absolute';
{
    my $id = session(a => 1);
    calls_are { says('idle=600', undef, cookie => $id) } [qw(GetItem UpdateItem)], 'an idle timeout';
    is_deeply [map { row_of($id)->{$_}{N} } qw(idle_timeout absolute_timeout)], [600, 43200], '... is stored, and the other stays';
    is row_of($id)->{timeouts_by}{S}, 'application', '... as the application\'s';
    says('absolute=7200, idle=300', 'b=2', cookie => $id);
    is_deeply [map { row_of($id)->{$_}{N} } qw(idle_timeout absolute_timeout)], [300, 7200], 'both';
    is data($id), 'a=1&b=2', '... beside a change';
    says('renew idle=900', undef, cookie => $id);
    is row_of(res()->cookie('id'))->{idle_timeout}{N}, 900, 'with a new ID';
    says('idle=120', 'a=1');
    is row_of(res()->cookie('id'))->{idle_timeout}{N}, 120, 'for a session that begins';
    expect_log qr/\[session_dynamodb:warn\].*ignored '\S+' in the header X-Session-Control of \Q$CGI\E: use renew,/;
    $id = session(a => 1);
    for my $wrong (qw(idle=0 idle=-1 idle= idle=1h idle=315360001 absolute=99999999999999999999 delete renewed)) {
        calls_are { says($wrong, undef, cookie => $id) } ['GetItem'], "$wrong: nothing";
        is res()->status, 200, '... and no failure';
    }
    calls_are { says('nonsense abandon', undef, cookie => $id) } [qw(GetItem DeleteItem)], 'what is right beside it counts';
}

note 'Where another header, or none, controls the session';
{
    my $id = session(a => 1);
    for my $case (['/control/other/', 'X-Session-Control'], ['/control/none/', 'X-Session-Control'], ['/control/none/', 'X-Other-Control']) {
        my($path, $header) = @$case;
        calls_are { get("$path?header=$header:abandon", cookie => $id) } ['GetItem'], "$path, $header: an ordinary header";
        is res()->header($header), 'abandon', '... which is sent';
    }
    calls_are { get('/control/other/?header=X-Other-Control:renew&internal=/plain/page.html', cookie => $id) } [@RENEWAL],
        'before a redirect to a place without a session';
    is res()->header('X-Other-Control'), undef, '... the header stays inside';
    expect_log qr/\[session_dynamodb:error\].*SessionDynamoDBControlHeader and SessionHeader name the same header/;
    expect_log qr/\[session:error\].*AH01816: error while loading the session.*\/control\/clash\//;
    is get('/control/clash/?get=a')->status, 500, 'a name that is SessionHeader\'s is refused';
}

note 'Backends';
{
    my $backend = sub { get("/control/backend/$_[0]?header=X-Session-Control:$_[1]", cookie => $_[2]) };
    my $id = session(a => 1);
    expect_log qr/\[session_dynamodb:warn\].*the backend of \/control\/backend\/page may not control the session by its header X-Session-Control/;
    calls_are { $backend->('page', 'abandon', $id) } ['GetItem'], 'a backend that may change all entries does not control the session';
    is res()->header('X-Session-Control'), undef, '... and its header stays inside';
    calls_are { $backend->('named/page', 'abandon', $id) } [qw(GetItem DeleteItem)], '... unless the header is named';
    is res()->header('X-Session-Control'), undef, '... which stays inside too';
}

note 'The function that begins another session';
{
    my $old = session(a => 1, user => 'ann');
    calls_are { get('/control/handler?set=b:1&create&set=c:3', cookie => $old) } [@RENEWAL], 'a new ID';
    is data(res()->cookie('id')), 'c=3', '... and what is set afterwards';
    is get('/control/handler?create')->line('create'), 'ok', 'without a session';
    is_deeply [res()->set_cookies], [], '... nothing comes of it';
}

note 'A login that is said twice';
{
    my $old = session(a => 1);
    my $new = says('renew', 'user=ann', cookie => $old)->cookie('id');
    calls_are { says('renew', 'user=ann', cookie => $old) } [qw(GetItem PutItem)], 'with the replaced ID: a session of its own';
    is data(res()->cookie('id')), 'user=ann', '... with what it sets';
    calls_are { says('renew', 'b=2', cookie => $old) } [qw(GetItem PutItem)], 'renew alone says that, too';
    is data($new), 'a=1&user=ann', '... and the first stays as it is';
}

done;
