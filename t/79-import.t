# Sessions of mod_session_cookie and mod_session_dbd go on in the table (SessionDynamoDBImport): each is read as its own
# module would read it, gets a new ID when it first comes, and its old cookie ends with the same response.

use strict;
use warnings;
use FindBin;
use File::Temp ();
use IPC::Open2 ();
use JSON::PP ();
use POSIX ();
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Events;
use SessionTest::Log ();
use SessionTest::Login qw(entries form live_rows);
use SessionTest::Recipe;
use SessionTest::Server;

same_under_every_mpm();

my $DIR  = File::Temp::tempdir('/tmp/import-XXXXXX', CLEANUP => 1);
my $PASS = 'passphrase-of-the-old-sessions-0123456789';
my $SOON = POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + 3600));
my $PAST = POSIX::strftime('%Y-%m-%d', gmtime(time - 86400));
my @IMPORT = qw(GetItem PutItem PutItem);
my $ENDED = qr{^old=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Secure; HttpOnly; SameSite=Strict$};

# A database of mod_session_dbd's, and what it has: lines of SQL, answered by JSON.
my $DB = "$DIR/sessions.db";
my $SQL = <<'PYTHON';
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
for line in sys.stdin:
    print(json.dumps(db.execute(line).fetchall()), flush=True)
PYTHON
my $sql_pid = IPC::Open2::open2(my $from_sql, my $to_sql, 'python3', '-c', $SQL, $DB);
sub sql { print $to_sql "@_\n"; $to_sql->flush; return JSON::PP::decode_json(scalar <$from_sql>) }
sub rows_left { return sql('select count(*) from session')->[0][0] }
sql('create table session (key varchar(36) primary key, value text, expiry bigint)');

my %PLACE = (
    'old'      => "SessionDynamoDB Off\nSessionCookieName old path=/\nSessionCryptoPassphrase $PASS\nSessionMaxAge 600",
    'short'    => "SessionDynamoDB Off\nSessionCookieName old path=/\nSessionCryptoPassphrase $PASS\nSessionMaxAge 1",
    'plain'    => "SessionDynamoDB Off\nSessionCookieName old path=/",
    'new'      => "SessionDynamoDBImport cookie old until=$SOON\nSessionCryptoPassphrase $PASS",
    'none'     => 'SessionCookieRemove Off',
    'folder'   => "SessionDynamoDBImport cookie old until=$SOON path=/folder domain=example.org\n"
                . "SessionCryptoPassphrase $PASS",
    'header'   => "SessionDynamoDBImport cookie old until=$SOON\nSessionCryptoPassphrase $PASS\nSessionDynamoDBUseHeader On",
    'ended'    => "SessionDynamoDBImport cookie old until=$PAST\nSessionCryptoPassphrase $PASS",
    'rotated'  => "SessionDynamoDBImport cookie old until=$SOON\nSessionCryptoPassphrase new-one-of-them $PASS",
    'wrong'    => "SessionDynamoDBImport cookie old until=$SOON\nSessionCryptoPassphrase not-that-of-the-old-sessions",
    # Whether an <If> applies only a request shows.
    'unsafe'   => "SessionDynamoDBImport cookie old until=$SOON\n<If \"req('X-Never') == '1'\">\n"
                . "SessionCryptoPassphrase $PASS\n</If>",
    'encoded'  => "SessionDynamoDBImport cookie old until=$SOON\nTestSessionCodec rot13\n<If \"req('X-Never') == '1'\">\n"
                . "SessionCryptoPassphrase $PASS\n</If>",
    'anonymous' => "SessionDynamoDBImport cookie old until=$SOON\nSessionCryptoPassphrase $PASS\nSessionDynamoDBOnError anonymous",
    'tls'      => "SessionDynamoDBImport cookie old until=$SOON\nSessionCryptoPassphrase $PASS\nSessionDynamoDBRequireTLS On",
    'forged'   => "SessionDynamoDBImport cookie old until=$SOON\nSessionCryptoPassphrase $PASS\nSessionDynamoDBFetchMetadata strict",
    'few'      => "SessionDynamoDBImport cookie old until=$SOON\nSessionCryptoPassphrase $PASS\nSessionDynamoDBMaxEntries 2",
    'mask'     => "SessionDynamoDBImport cookie old until=$SOON\nSessionCryptoPassphrase $PASS\nSessionDynamoDBMask members-pw",
    'users'    => "SessionDynamoDBImport cookie old until=$SOON\nSessionCryptoPassphrase $PASS\n"
                . "SessionDynamoDBUserKey user\nSessionDynamoDBUserSessions On\nSessionDynamoDBUserSessionLimit 1 evict\n"
                . "SessionDynamoDBUserSessionKeys file:$SessionTest::T/conf/user.key.first",
    'strict'   => "SessionDynamoDBImport cookie old until=$SOON\nSessionCryptoPassphrase $PASS\n"
                . "SessionDynamoDBUserKey user\nRequire session-login-age 600",
    'olddbd'   => "SessionDynamoDB Off\nSessionDBDCookieName old path=/",
    'dbdcrypt' => "SessionDynamoDB Off\nSessionDBDCookieName old path=/\nSessionCryptoPassphrase $PASS",
    'dbd'      => "SessionDynamoDBImport dbd old until=$SOON",
    'dbdnew'   => "SessionDynamoDBImport dbd old until=$SOON\nSessionCryptoPassphrase $PASS",
    'labels'   => "SessionDynamoDBImport dbd old until=$SOON select=get delete=drop",
    'nolabel'  => "SessionDynamoDBImport dbd old until=$SOON select=no-such-label",
    'dbdfails' => "SessionDynamoDBImport dbd old until=$SOON select=overflow",
    'baddelete' => "SessionDynamoDBImport dbd old until=$SOON delete=no-such-label",
);
mkdir "$DIR/dir";
SessionTest::Log::append("$DIR/dir/index.txt", "index\n");
chmod 0755, $DIR;
my @EXPECTED = (qr/SessionDynamoDBImport at .* has ended at .*: remove it/);
my $SERVER = SessionTest::Server->start({ modules => [qw(session_cookie session_crypto dbd session_dbd dir)] },
    'SessionDynamoDBBreaker Off', "SessionDynamoDBEventLog $DIR/events",
    'DBDriver sqlite3', "DBDParams $DB",
    'DBDPrepareSQL "delete from session where key = %s" deletesession',
    'DBDPrepareSQL "update session set value = %s, expiry = %lld, key = %s where key = %s" updatesession',
    'DBDPrepareSQL "insert into session (value, expiry, key) values (%s, %lld, %s)" insertsession',
    'DBDPrepareSQL "select value from session where key = %s and (expiry = 0 or expiry > %lld)" selectsession',
    'DBDPrepareSQL "select value from session where key = %s and (expiry = 0 or expiry > %lld)" get',
    'DBDPrepareSQL "delete from session where key = %s" drop',
    # An error of this database, when it is run.
    'DBDPrepareSQL "select abs(-9223372036854775807 - 1) from session where key = %s and expiry < %lld" overflow',
    '<VirtualHost *>', 'ServerName any.test', '</VirtualHost>',
    '<VirtualHost *>', 'ServerName limits.test', 'SessionDynamoDBGuessLimit 3/600 deny', 'SessionDynamoDBCreateLimit 2/600 deny',
    'ErrorDocument 429 /new/?entries&set=x:1',
    '</VirtualHost>', "DocumentRoot $DIR", "<Directory $DIR>\nRequire all granted\nDirectoryIndex index.txt\n</Directory>",
    map({ "<Location /$_/>\n$PLACE{new}\n</Location>" } qw(dir missing)),
    "<Location /metrics>\nSetHandler session-dynamodb-metrics\nSession Off\n</Location>",
    map { "<Location /$_/>\nSetHandler test-session\n$PLACE{$_}\n</Location>" } sort keys %PLACE);
my $EVENTS = SessionTest::Events->new("$DIR/events");

# A request with an old cookie, and others.
sub visit {
    my($path, $old, @more) = @_;
    return get($path, port => $SERVER->port, defined $old ? (cookies => ["old=$old"]) : (), @more);
}

# What an old configuration hands out.
my @SECRETS;
sub old_session {
    my($place, @entries) = @_;
    visit("/$place/?" . join '&', map { "set=$_" } @entries);
    my($old) = map { /^old=([^;]+)/ ? $1 : () } res()->set_cookies;
    push @SECRETS, $old;
    return $old;
}

sub new_id    { my($id) = map { /^id=([^;]*)/ ? $1 : () } res()->set_cookies; return $id }
sub old_ended { return [grep { /^old=/ } res()->set_cookies] }
sub ends_old {
    my $sentence = shift;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    like join("\n", @{ old_ended() }), $ENDED, $sentence || '... the old cookie ends';
}
sub stored { my $row = row(key_of($_[0])); return $row ? data_of($row) : undef }
# The place of the import encrypts the row, too: what a page sees of it.
sub seen { return visit("/$_[0]/?entries", undef, cookie => $_[1])->line('entries') }

note 'A session of mod_session_cookie';
my $old = old_session('old', 'a:1', 'b:two');
{
    my @events = $EVENTS->are(sub {
        my @calls = calls_of { visit('/new/?entries&in=Cookie&env=HTTP_COOKIE', $old) } 3;
        is join(' ', map { $_->{op} } @calls), "@IMPORT", 'when it first comes it is stored: a look, two rows';
        is $calls[1]{body}{Item}{version}{N}, 1, '... one of them new';
        ok !$calls[1]{body}{Item}{successor} && $calls[2]{body}{Item}{successor}, '... and one that leads to it';
        like $calls[$_]{body}{ConditionExpression}, qr/^attribute_not_exists\(#k\)$/, '... if it was not there' for 1, 2;
        unlike JSON::PP::encode_json($calls[2]{body}), qr/\Q$old\E/, '... which has nothing of the cookie';
        is $calls[2]{body}{Item}{data}{B}, '', '... nor data';
        cmp_ok abs($calls[2]{body}{Item}{expires}{N} - time - 3600), '<', 60, '... until the import ends';
    }, ['created import'], 'an event tells');
    is res()->line('entries'), 'a=1&b=two', 'the page sees it in the same request';
    is res()->line('in Cookie'), '(none)', '... and not its cookie';
    my $id = new_id();
    like $id, qr/^[\w-]{43}$/, '... the response has a new ID';
    isnt $id, $old, '... indeed';
    ends_old();
    is scalar(res()->set_cookies), 2, '... and no more cookies';
    is res()->header('Cache-Control'), 'no-store', '... and no cache keeps it';
    my $row = row(key_of($id));
    cmp_ok abs(seconds_of($row->{created}{S}) - time), '<', 30, 'its absolute time begins';
    is $row->{absolute_timeout}{N}, 43200, '... as that of any other';
    $EVENTS->are(sub {
        calls_are { is seen('new', $id), 'a=1&b=two', 'the next request has the new cookie' } [qw(GetItem UpdateItem)],
            '... one read, and a note that the ID is in use';
    }, ['first-use'], '... which an event tells');
    calls_are { visit('/new/?set=c:3&entries', undef, cookie => $id) } [qw(GetItem UpdateItem)], 'from then on it is ours';
    is seen('new', $id), 'a=1&b=two&c=3', '... and changes';

    note 'The cookie once more';
    calls_are { visit('/new/?entries', $old, cookies => ["old=$old; id=$id"]) } ['GetItem'],
        'beside a live session it is not looked at';
    is res()->line('entries'), 'a=1&b=two&c=3', '... the session is ours';
    ends_old('... and it ends again');
    calls_are { visit('/new/?entries', $old) } [qw(GetItem GetItem)], 'a copy that comes at once finds the same session';
    is_deeply [res()->line('entries'), new_id()], ['a=1&b=two&c=3', $id], '... and its ID';
    change_row($id, sub { $_->{seen} = { N => time - 61 } });
    $EVENTS->are(sub {
        calls_are { visit('/new/?entries', $old) } [qw(GetItem GetItem)], '... and one that comes a minute later nothing';
    }, ['reused import'], '... which an event tells');
    is_deeply [res()->line('entries'), new_id()], ['', undef], '... no entry, no ID';
    ends_old();
    visit('/new/?clear', undef, cookie => $id);
    is visit('/new/?entries', $old)->line('entries'), '', 'after a logout the old cookie opens nothing';
    is row(key_of($id)), undef, '... for there is nothing';
    # httpd reads base64 up to the first other character, and ignores bits that belong to no byte.
    my($body, $padding) = $old =~ /^(.*?)(=*)$/;
    my @other = map { "$old$_" } '=', '.', '!x', 'A', 'AAAA', '%20';
    push @other, substr($old, 0, -1) . '.' if $padding;
    push @other, substr($body, 0, -1) . chr(1 + ord substr $body, -1) . $padding if $padding && $body =~ /[AQgw]$/;
    for my $other (@other) {
        calls_are { visit('/new/?entries', $other) } [], 'written otherwise, it is none: ' . substr $other, -8;
        is_deeply [res()->line('entries'), res()->set_cookies], [''], '... no session';
    }
}
{
    my $first  = old_session('old', 'a:1');
    my($later) = map { /^old=([^;]+)/ ? $1 : () } visit('/old/?set=b:2', $first)->set_cookies;
    push @SECRETS, $later;
    visit('/new/?entries', $later);
    my $id = new_id();
    calls_are { visit('/new/?entries', $first) } \@IMPORT, 'a copy of an earlier cookie is a session of its own, as the manual says';
    isnt new_id(), $id, '... with another ID';
    is res()->line('entries'), 'a=1', '... and what it had then';
}

note 'What is no session';
{
    my $good = old_session('old', 'a:1');
    my $flip = sub { my($text, $at) = @_; substr($text, $at, 1) = substr($text, $at, 1) eq 'A' ? 'B' : 'A'; return $text };
    my %forged = ('changed at its beginning' => $flip->($good, 0), 'changed in the middle' => $flip->($good, length($good) / 2),
        'cut off' => substr($good, 0, 40), 'in clear' => 'a=1&b=2', 'not base64' => '!!!', 'another\'s' => 'x' x 3000);
    push @EXPECTED, qr/AH01842/;
    for my $what (sort keys %forged) {
        $EVENTS->are(sub {
            calls_are { visit('/new/?entries', $forged{$what}) } [], "a cookie that is $what: no call";
        }, ['refused import'], '... an event');
        is_deeply [res()->status, res()->line('entries'), res()->set_cookies], [200, ''], '... no session, and no cookie';
    }
    calls_are { visit('/wrong/?entries', $good) } [], 'with another passphrase it is none either';
    is_deeply [res()->line('entries'), res()->set_cookies], [''], '... but stays for when the passphrase is corrected';
    calls_are { visit('/rotated/?entries', $good) } \@IMPORT, 'an older passphrase in the list is one';
    is res()->line('entries'), 'a=1', '... that opens it';

    calls_are { visit('/new/?entries', '') } [], 'an empty one: no call';
    ends_old();
    my $beside = old_session('old', 'a:1');
    calls_are { visit('/new/?entries', undef, cookies => ['id=' . 'A' x 43 . "; old=$beside"]) } ['GetItem', @IMPORT],
        'beside an ID that opens nothing it is imported';
    is res()->line('entries'), 'a=1', '... as if it came alone';
    my $replaced = session(a => 1);
    get('/test/?renew', cookie => $replaced);
    $beside = old_session('old', 'a:1');
    calls_are { visit('/new/?entries', undef, cookies => ["id=$replaced; old=$beside"]) } ['GetItem'],
        '... but not beside one that a login has just replaced, as the client has a session';
    is_deeply [res()->line('entries'), res()->set_cookies], [''], '... whose cookie is on its way';

    my $late = old_session('old', 'a:1');
    visit('/new/', $late);
    visit('/new/?renew', undef, cookie => new_id());
    calls_are { visit('/new/?entries', $late) } [qw(GetItem GetItem)], 'one that comes after a login, a moment late, opens nothing';
    is_deeply [res()->status, res()->line('entries'), new_id()], [200, '', undef], '... for now';
    visit('/new/?set=b:2', $late);
    is_deeply [res()->status, res()->set_cookies], [503], '... and begins no session, whose cookie would replace the login\'s';

    my $twice = old_session('old', 'a:1');
    calls_are { visit('/new/?entries', undef, cookies => ["old=$twice; old=$good"]) } [], 'of two cookies neither is taken';
    is_deeply [res()->line('entries'), res()->set_cookies], [''], '... and neither ends';
    calls_are { visit('/new/?entries', undef, cookies => ["x=1,old=$twice"]) } [], 'nor one within another cookie';
    is res()->line('entries'), '', '... which is how httpd joins headers';
    calls_are { visit('/new/?entries', $twice) } \@IMPORT, '... while it is one by itself';

    my $short = old_session('short', 'a:1');
    select undef, undef, undef, 1.2;
    calls_are { visit('/new/?entries', $short) } [], 'one that has expired: no call';
    is res()->line('entries'), '', '... and no session';
    ends_old();
    calls_are { visit('/ended/?entries&in=Cookie', $twice) } [], 'when the import has ended: no call';
    is_deeply [res()->line('entries'), res()->line('in Cookie')], ['', '(none)'], '... no session, and still no cookie to see';
    ends_old();
    visit('/none/?entries&in=Cookie', $twice);
    is_deeply [res()->line('in Cookie'), res()->set_cookies], ["old=$twice"], 'where nothing is imported, it is any cookie';
}

note 'Without authentication';
{
    push @EXPECTED, (qr/session_dynamodb:error.*SessionDynamoDBImport cookie needs SessionCryptoPassphrase/, qr/AH01816/);
    for my $place ('unsafe', 'encoded') {
        calls_are { visit("/$place/?entries", 'a=1') } [], "/$place/: a cookie that anybody could write: no call";
        is res()->status, 500, '... and an error';
        is_deeply [res()->set_cookies], [], '... with no cookie';
        is visit("/$place/?set=a:1")->status, 200, '... while other requests go on';
    }
}

note 'Where it goes';
{
    visit('/folder/?entries', old_session('old', 'a:1'));
    like join('', @{ old_ended() }), qr{^old=; Path=/folder; Domain=example\.org; Expires=.*; Max-Age=0; Secure},
        'the old cookie ends with its path and domain';
    calls_are { visit('/header/?entries', old_session('old', 'a:1')) } \@IMPORT, 'an area whose IDs are in headers';
    is_deeply [res()->line('entries'), scalar(@{ old_ended() }), new_id()], ['a=1', 1, undef], '... imports, and ends the cookie';
    like res()->header('x-id'), qr/^[\w-]{43}$/, '... and has the ID in the header';
    visit('/header/');
    is join(',', sort map { split /, */ } res()->all('Vary')), 'Cookie,x-id', '... caches are told of both';
    visit('/mask/?entries', old_session('old', 'members-user:alice', 'members-pw:secret', 'cart:1'));
    is entries(res()->line('entries')), 'cart=1&members-pw=*&members-user=alice', 'a masked entry is masked from the beginning';
    my $many = old_session('old', 'a:1', 'b:2', 'c:3');
    push @EXPECTED, qr/an old session could not be imported.*SessionDynamoDBMaxEntries/;
    calls_are { visit('/few/?entries', $many) } [], 'too many entries: no call';
    is_deeply [res()->status, res()->set_cookies], [503], '... and an error, as for a session of ours';
    push @EXPECTED, qr/SessionDynamoDBRequireTLS On/;
    my $clear = old_session('old', 'a:1');
    calls_are { visit('/tls/?entries', $clear) } [], 'without TLS where it is required: no call';
    is_deeply [res()->status, res()->set_cookies], [403], '... 403, and the old cookie stays';
    push @EXPECTED, qr/another site's page may have sent it/;
    visit('/forged/?set=a:2', $clear, method => 'POST', headers => ['Sec-Fetch-Site', 'cross-site']);
    is res()->status, 403, 'another site\'s change is refused, as in a session of ours';
    is seen('new', new_id()), 'a=1', '... though it is imported, and goes on';
}

note 'Users';
{
    my @events = $EVENTS->of(sub { visit('/users/?entries', old_session('old', 'user:alice')) });
    my $first = new_id();
    like $events[-1]{user}, qr/^[0-9a-f]{32}$/, 'the event knows the user';
    visit('/users/?entries', old_session('old', 'members-user:alice', 'members-pw:x', 'user:alice'));
    my $second = new_id();
    is scalar(split / /, row(key_of($second))->{listed_in}{S}), 2, 'who came by a form or an entry, the session is in the lists of both';
    is seen('users', $first), 'user=alice', 'a limit of sessions is for logins: none makes room for an import';
    visit('/users/?set=user:alice', undef);
    my $third = new_id();
    is_deeply [map { seen('users', $_) } $first, $second], ['', ''], '... but a login ends them all';
    is seen('users', $third), 'user=alice', '... and begins another one';

    my $alice = old_session('old', 'user:alice');
    push @EXPECTED, qr/AH01630/;
    is visit('/strict/?entries', $alice)->status, 403, 'nobody knows how long ago the login was: too long';
    my $id = new_id();
    my @with = (undef, cookie => $id);
    visit('/users/?set=b:1', @with);
    is visit('/strict/', @with)->status, 403, '... also after a change';
    visit('/users/?renew', @with);
    is visit('/strict/', undef, cookie => new_id())->status, 200, '... until the next login';
    visit('/users/?set=b:1', old_session('old', 'user:alice'));
    is visit('/strict/', undef, cookie => new_id())->status, 403, 'a change by the request that imports is no login';
    visit('/users/?set=user:bob', old_session('old', 'user:alice'));
    my $bob = new_id();
    is seen('users', $bob), 'user=bob', 'another user who logs in with it gets a session without what was there';
    is visit('/strict/', undef, cookie => $bob)->status, 200, '... whose login is known';
}

{
    # Who loses the race for the import goes on in the other's session, and has logged in no more than that.
    my $alice = old_session('old', 'members-user:alice', 'members-pw:x', 'user:alice');
    my @tabs = map { connection($SERVER->port) } 1 .. 3;
    fault(kind => 'hold', op => 'GetItem', count => 3);
    $_->send_request(path => '/strict/?entries', headers => [['Cookie', "old=$alice"]]) for @tabs;
    ok held(3), 'three requests import the session of a user at the same time';
    release();
    clear_faults();
    is_deeply [map { SessionTest::_seen($_->read_response)->status } @tabs], [403, 403, 403], '... and none of them is a login';
}

note 'A table that fails';
for my $case (['GetItem', 1], ['PutItem', 1], ['PutItem', 2]) {
    my($op, $after) = @$case;
    my $old = old_session('old', 'a:1');
    push @EXPECTED, qr/an old session could not be imported/ if $op eq 'GetItem';
    fault(kind => '500', op => $op, count => 0, $after > 1 ? (skip => $after - 1) : ());
    $EVENTS->are(sub { visit('/new/?entries', $old) }, ['failed unavailable'], "$op no. $after fails: an event");
    is_deeply [res()->status, res()->set_cookies], [503], '... 503, and the old cookie stays';
    visit('/anonymous/?entries', $old);
    is_deeply [res()->status, res()->line('entries'), res()->set_cookies], [200, ''], '... or nothing, by OnError';
    clear_faults();
    is visit('/new/?entries', $old)->line('entries'), 'a=1', '... and nothing is lost';
    ends_old();
}
for my $which (1, 2) {
    my $old = old_session('old', 'a:1');
    clear_tables();
    fault(kind => 'did_but_500', op => 'PutItem', count => 1, skip => $which - 1);
    visit('/new/?entries', $old);
    is_deeply [res()->status, res()->line('entries')], [200, 'a=1'], "write $which, carried out and not confirmed, is found out";
    ok new_id(), '... and the ID is sent';
    is scalar(live_rows()), 1, '... of one session';
}
{
    my $old = old_session('old', 'a:1');
    clear_tables();
    fault(kind => 'did_but_500', op => 'PutItem', count => 0, skip => 1);
    is visit('/new/?entries', $old)->status, 503, 'the last write, whose outcome nobody tells: 503';
    is_deeply [res()->set_cookies], [], '... and the old cookie stays';
    clear_faults();
    calls_are { visit('/new/?entries', $old) } [qw(GetItem GetItem)], '... and leads to what was written';
    is_deeply [res()->line('entries'), scalar(live_rows())], ['a=1', 1], '... the session';
}

note 'A session of mod_session_dbd';
{
    my $old = old_session('olddbd', 'a:1', 'b:two');
    like $old, qr/^[0-9a-f-]{36}$/, 'it is a row';
    is rows_left(), 1, '... of the database';
    $EVENTS->are(sub {
        calls_are { visit('/dbd/?entries&in=Cookie', $old) } \@IMPORT, '... and moves to the table';
    }, ['created import'], '... which an event tells');
    is_deeply [res()->line('entries'), res()->line('in Cookie')], ['a=1&b=two', '(none)'], '... with all its entries';
    is rows_left(), 0, '... and from the database';
    my $id = new_id();
    ends_old();
    is stored($id), 'a=1&b=two', '... as it was';
    calls_are { visit('/dbd/?entries', $old) } [qw(GetItem GetItem)], 'the cookie again, within a moment';
    is new_id(), $id, '... leads to the same ID';
    is visit('/dbd/?entries', undef, cookie => $id)->line('entries'), 'a=1&b=two', 'the new one is in use';
    quiet();
    change_row($id, sub { $_->{seen} = { N => time - 61 } });
    calls_are { visit('/dbd/?entries', $old) } [qw(GetItem GetItem)], '... and then the old one opens nothing';
    is_deeply [res()->line('entries'), new_id()], ['', undef], '... ever again';
    ends_old();

    my $crypt = old_session('dbdcrypt', 'a:1');
    calls_are { visit('/dbdnew/?entries', $crypt) } \@IMPORT, 'a row that mod_session_crypto has encrypted';
    is res()->line('entries'), 'a=1', '... is read';
    calls_are { visit('/labels/?entries', old_session('olddbd', 'a:1')) } \@IMPORT, 'statements of other names';
    is rows_left(), 0, '... are used';
}
{
    my $none = '01234567-89ab-4def-8123-456789abcdef';
    $EVENTS->are(sub {
        calls_are { visit('/dbd/?entries', $none) } ['GetItem'], 'a key that has no row: a look whether it is imported';
    }, ['refused import'], '... an event');
    is res()->line('entries'), '', '... and no session';
    ends_old();
    sql(q(insert into session values ('alice', 'a=1', 0)));
    for my $key ('alice', '0123', $none . '0', uc $none, "$none' or '1'='1", '01234567-89ab-4def-8123-456789abcdeg') {
        calls_are { visit('/dbd/?entries', $key) } [], "$key: no key of mod_session_dbd's, and no call";
        is_deeply [res()->line('entries'), res()->set_cookies], [''], '... no session, and no cookie';
    }
    my $over = old_session('olddbd', 'a:1');
    sql("update session set expiry = 1 where key = '$over'");
    calls_are { visit('/dbd/?entries', $over) } ['GetItem'], 'a row that has expired is none';
    is_deeply [res()->line('entries'), new_id()], ['', undef], '... no session';
    my $inner = old_session('olddbd', 'a:1');
    sql("update session set value = 'a=1&expiry=1' where key = '$inner'");
    calls_are { visit('/dbd/?entries', $inner) } [], '... nor is one that says so itself';
    ends_old();
    sql('delete from session');
}
{
    my $old = old_session('olddbd', 'a:1');
    fault(kind => '500', op => 'PutItem', count => 0);
    is visit('/dbd/?entries', $old)->status, 503, 'a table that fails: 503';
    is rows_left(), 1, '... and the row stays';
    clear_faults();
    is visit('/dbd/?entries', $old)->line('entries'), 'a=1', '... and nothing is lost';
    $old = old_session('olddbd', 'a:1');
    sql("update session set expiry = 0");
    push @EXPECTED, qr/needs a statement with the label no-such-label/, qr/was not deleted: .*no-such-label/;
    is visit('/nolabel/?entries', $old)->status, 500, 'without the statement: an error';
    is_deeply [rows_left(), res()->set_cookies], [1], '... that changes nothing';
    visit('/baddelete/?entries', $old);
    my $id = new_id();
    is_deeply [res()->line('entries'), rows_left()], ['a=1', 1], 'a row that can\'t be deleted is imported all the same';
    visit('/dbd/?entries', undef, cookie => $id);
    quiet();
    change_row($id, sub { $_->{seen} = { N => time - 61 } });
    is visit('/dbd/?entries', $old)->line('entries'), '', '... but only once';
    push @EXPECTED, qr/the database of mod_dbd failed to run overflow/;
    select undef, undef, undef, 1.1; # of failures of one kind there is a line a second
    is visit('/dbdfails/?entries', $old)->status, 503, 'a database that fails: 503';
    is_deeply [res()->set_cookies], [], '... and the old cookie stays';
    sql('delete from session');
}

note 'Two tabs at once';
for my $store (['old', 'new'], ['olddbd', 'dbd']) {
    my($from, $to) = @$store;
    clear_tables();
    my $old = old_session($from, 'a:1');
    my @tabs = map { connection($SERVER->port) } 1 .. 3;
    fault(kind => 'hold', op => 'GetItem', count => 3);
    $tabs[$_]->send_request(path => "/$to/?set=tab$_:1&entries", headers => [['Cookie', "old=$old"]]) for 0 .. $#tabs;
    ok held(3), "$to: three requests have the old cookie, and find that it is not imported";
    release();
    clear_faults();
    my @answers = map { SessionTest::_seen($_->read_response) } @tabs;
    is_deeply [map { $_->status } @answers], [200, 200, 200], '... all of them end well';
    my %ids = map { ($_->cookie('id') // '') => 1 } @answers;
    is scalar(keys %ids), 1, '... with the same new ID';
    my($id) = keys %ids;
    is entries(seen($to, $id)), 'a=1&tab0=1&tab1=1&tab2=1', '... of one session, which has the changes of all';
    quiet();
    is scalar(live_rows()), 1, '... and is the only one';
    is rows_left(), 0, '... its row is gone' if $to eq 'dbd';
}

note 'Limits';
{
    my @host = (host => 'limits.test');
    my @forged = map { "forged-cookie-number-$_" } 1 .. 4;
    push @EXPECTED, qr/SessionDynamoDBGuessLimit\)/, qr/SessionDynamoDBCreateLimit\)/;
    is visit('/new/?entries', $_, @host)->status, 200, 'a forged cookie is ignored' for @forged[0 .. 2];
    $EVENTS->are(sub { visit('/new/?entries', $forged[3], @host) }, ['refused import', 'guessing deny'],
        '... and counts as a guess, up to the limit');
    is_deeply [res()->status, !!res()->header('Retry-After'), res()->set_cookies], [429, !!1], '... then 429';
    visit('/new/?entries', old_session('old', 'a:1'), @host);
    is_deeply [res()->status, res()->line('entries')], [200, 'a=1'], '... while old sessions come over';
    my($anonymous, $alice) = (old_session('old', 'a:1'), old_session('old', 'members-user:alice', 'members-pw:x'));
    visit('/new/?entries', old_session('old', 'a:1'), @host);
    calls_are { visit('/new/?entries', $anonymous, @host) } ['GetItem'], 'they count for the limit of new sessions';
    is_deeply [res()->status, res()->set_cookies], [429], '... over which one is told to come later, with its cookie';
    is res()->line('entries'), '', '... and its error page sees no session';
    is visit('/new/?entries', $alice, @host)->status, 200, '... unless a user has logged in';
    is visit('/new/?entries', $anonymous)->line('entries'), 'a=1', '... and nothing is lost';
}

note 'Other requests';
{
    my $old = old_session('old', 'a:1');
    visit('/dir/', $old);
    my $id = new_id();
    is_deeply [res()->body, scalar(@{ old_ended() })], ["index\n", 1], 'an index: imported once';
    is seen('new', $id), 'a=1', '... for all requests of the tree';
    $old = old_session('old', 'a:1');
    calls_are { visit('/missing/nothing', $old) } \@IMPORT, 'a page that is not there';
    is_deeply [res()->status, scalar(res()->set_cookies)], [404, 2], '... has both cookies all the same';
    $old = old_session('old', 'a:1');
    my @calls = calls_of { visit('/new/?clear', $old) } 4;
    is join(' ', map { $_->{op} } @calls), "@IMPORT DeleteItem", 'a logout as the first request';
    is_deeply [new_id(), scalar(@{ old_ended() })], ['', 1], '... ends both cookies';
    is visit('/new/?entries', $old)->line('entries'), '', '... and the old one opens nothing';
    calls_are { visit('/new/?set=b:2&entries', old_session('old', 'a:1')) } [@IMPORT, 'UpdateItem'], 'a change in the first request';
    is seen('new', new_id()), 'a=1&b=2', '... is stored, too';
    my $login = old_session('old', 'a:1');
    @calls = calls_of { visit('/users/?set=user:bob', $login) } 7;
    is seen('users', new_id()), 'a=1&user=bob', 'a login in it keeps the entries';
    is visit('/users/?entries', $login)->line('entries'), '', '... and who has a copy of the old cookie is not logged in';
}

note 'Counts';
{
    my $imported = sub {
        return get('/metrics', port => $SERVER->port)->body =~ /^session_dynamodb_sessions_created_total\{.*reason="import".*\} (\d+)$/m
            ? $1 : -1;
    };
    my $before = $imported->();
    visit('/new/', old_session('old', 'a:1'));
    is $imported->() - $before, 1, 'imports are counted';
}

# docs/recipes/moving.md as it is printed, but for the day when the import ends.
sub recipe {
    my($name, %also) = @_;
    my($files) = SessionTest::Recipe::files(SessionTest::Recipe::page('moving'));
    my $tomorrow = POSIX::strftime('%Y-%m-%d', gmtime(time + 86400));
    return SessionTest::Recipe->start('moving', change => sub { $_ = $files->{$name} =~ s/until=\S+/until=$tomorrow/r },
        also => \%also);
}
sub cookie_of { my($name) = @_; my($value) = map { /^\Q$name\E=([^;]*)/ ? $1 : () } res()->set_cookies; return $value }

sub left_in {
    my $count = 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("select count(*) from session").fetchone()[0])';
    open my $in, '-|', 'python3', '-c', $count, $_[0] or die "python3: $!";
    chomp(my $rows = <$in>);
    return $rows;
}

note 'The recipe';
{
    my @page = ('/members/page.txt');
    my @login = (path => '/members/login', method => 'POST', body => form('alice'),
        headers => ['Content-Type', 'application/x-www-form-urlencoded']);
    for my $store (['cookie.conf', 'httpd.conf'], ['dbd.conf', 'dbd-after.conf']) {
        my($before, $after) = @$store;
        clear_tables();
        my $is_dbd = $before eq 'dbd.conf';
        my $old = recipe($before);
        if ($is_dbd) {
            my $text = SessionTest::Log::slurp($old->dir . '/sessions.sql');
            system('python3', '-c', 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])',
                $old->dir . '/run/sessions.db', $text);
        }
        is http(@login, port => $old->port)->status, 302, "$before: alice logs in";
        my $session = cookie_of('session');
        push @SECRETS, $session;
        is get(@page, port => $old->port, cookies => ["session=$session"])->body, "for members\n", '... and sees the page';
        $session = cookie_of('session') // $session;
        push @SECRETS, $session;
        my $database = SessionTest::Log::slurp($old->dir . '/run/sessions.db');
        $old->stop;

        my $new = recipe($after, $is_dbd ? ('/srv/app/run/sessions.db' => $database) : ());
        get(@page, port => $new->port, cookies => ["session=$session"]);
        is_deeply [res()->status, res()->body], [200, "for members\n"], "$after: she sees it after the move";
        my $id = cookie_of('id');
        is cookie_of('session'), '', '... the old cookie ends';
        my $row = row(key_of($id));
        like data_of($row), qr/^members-user=alice&members-pw=\*&members-site=[0-9a-f]{32}$/, '... the password is not stored' if $is_dbd;
        is left_in($new->dir . '/run/sessions.db'), 0, '... and the row is gone' if $is_dbd;
        is get(@page, port => $new->port, cookie => $id)->status, 200, '... and goes on with the new one';
        is get(@page, port => $new->port)->status, 302, '... while others are asked to log in';
        $new->stop;
    }
}

note 'Logs';
my $log = SessionTest::Log::slurp($SERVER->{log}) . SessionTest::Log::slurp("$DIR/events");
is scalar(grep { index($log, substr $_, 0, 30) >= 0 } @SECRETS), 0, 'no old cookie is in a log';
cmp_ok scalar(@SECRETS), '>', 10, '... of many';
close $to_sql;
waitpid $sql_pid, 0;
$SERVER->stop(@EXPECTED);

done;
