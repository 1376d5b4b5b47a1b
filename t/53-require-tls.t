# Where TLS is required, a request without it has no session and is refused: what it costs, what it is told, and what goes
# on. And how a server behind a proxy that ends TLS knows.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Login;
use SessionTest::Server;

my $REFUSED = qr/\[session_dynamodb:warn\].* refused a request for \S+ that did not come over TLS/;
my $refusals = 0;
expect_log $REFUSED;

# The block's request costs nothing, is refused, and is not told of a session.
sub refused (&$) {
    my($block, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    calls_are { $block->() } [], "$sentence: no call";
    is_deeply [res()->status, res()->set_cookies], [403], '... refused, without a cookie';
    $refusals++;
    return;
}

sub is_served (&$$) {
    my($block, $expected, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    calls_are { $block->() } $expected, $sentence;
    is res()->status, 200, '... is served';
    return;
}

sub tls { my $path = shift; return h2($path, port => 'tls', @_) }

note 'Over TLS';
is_served { tls('/require-tls/?set=a:1') } ['PutItem'], 'a first store';
my $id = res()->cookie('id');
is_served { tls('/require-tls/?get=a', cookie => $id) } ['GetItem'], 'a page that reads';
is res()->line('get a'), 1, '... what was stored';
is_served { tls('/require-tls-cgi/session.pl', cookie => $id) } ['GetItem'], 'a program';
like res()->line('HTTP_SESSION'), qr/^a=1&expiry=/, '... sees it';
is_served { tls('/require-tls-cgi/session.pl?location=/require-tls-cgi/session.pl', cookie => $id) } ['GetItem'],
    'one behind a redirect';

note 'Without';
for my $path (qw(/require-tls/?get=a&set=b:2 /require-tls/?renew /require-tls/?end /require-tls/nothing
                 /require-tls-cgi/session.pl?replace=b%3D2 /require-tls-cgi/nph-session.pl /require-tls-cgi/nothing)) {
    refused { get($path, cookie => $id) } "$path with a session";
    unlike res()->body, qr/^(?:get a|HTTP_SESSION)/m, '... and nothing ran';
    refused { get($path) } '... without one';
}
refused { http(method => $_, path => '/require-tls/?set=b:2', body => 'x=y', cookie => $id) } $_
    for qw(POST PUT DELETE OPTIONS);
calls_are { http(method => 'TRACE', path => '/require-tls/', cookie => $id) } [], 'TRACE, before all handlers: no call';
unlike res()->body, qr/\Q$id\E/, '... and no ID';
refused { get('/require-tls/header/?set=a:1', headers => ['x-id', $id]) } 'an ID in a header';
is_deeply [res()->all('x-id')], [], '... and none is sent';
refused { get('/require-tls/?get=a', cookies => ["id=$id; id=" . 'A' x 43]) } 'two cookies';
is data($id), 'a=1', 'nothing has become of the session';
is_served { get('/require-tls/off/?get=a', cookie => $id) } ['GetItem'], 'a place within, where it is Off';
is get('/require-tls/no-session/?in=Cookie', cookie => $id)->status, 200, '... and one without sessions';
refused { get('/go/?internal=/require-tls/page', cookies => ['x=1']) } 'a redirect into the place';
calls_are { get('/go/?internal=/require-tls/page', cookie => $id) } ['GetItem'],
    'from a place that does not require TLS, where the session was read';
is_deeply [res()->status, res()->set_cookies], [403], '... it is refused';
$refusals++;

note 'The page of the refusal';
for my $page (qw(inside outside elsewhere)) {
    my @cookies = (cookies => ["x=1; id=$id; sess=$id"]);
    refused { get("/require-tls/page-$page/", @cookies) } "an error page $page";
    is_deeply [res()->line('get a'), res()->line('in Cookie')], ['(none)', 'x=1'],
        '... is served, without a session or its ID';
}

note 'Redirects to https';
for my $case (['moved/a', 301], ['here/a', 301], ['rewritten/a', 302]) {
    my($path, $status) = @$case;
    for my $cookie ([], [cookie => $id]) {
        calls_are { get("/require-tls/$path", @$cookie) } [], "/require-tls/$path: no call";
        is_deeply [res()->status, res()->set_cookies], [$status], "... a $status without a cookie";
        like res()->header('Location'), qr{^https://}, '... which leads to https';
    }
}

note 'A login';
for my $password ('secret-of-alice', 'wrong') {
    refused { post("/require-tls/form/$_", form('alice', $password)) } "$_ with the password $password"
        for 'page', 'login';
    refused { get('/require-tls/basic/', basic('alice', $password)) } 'HTTP authentication';
}
refused { get('/require-tls/form/told/', cookies => ["x=1; id=$id"]) } 'a page for users';
is res()->line('HTTP_COOKIE'), 'x=1', '... whose error page, a program elsewhere, does not see the ID';
is scalar(() = log_lines(qr/AH0180[78]|AH01617/)), 0, 'no password was compared';
calls_are { tls('/require-tls/form/login', body => form('alice')) } ['PutItem'], 'over TLS';
is res()->status, 302, '... it succeeds';
is_served { tls('/require-tls/form/page?user', cookie => res()->cookie('id')) } ['GetItem'], '... and holds';
is res()->line('user'), 'alice', '... for its user';

note 'TLS that ends in front of httpd';
my @https = ('X-Forwarded-Proto', 'https');
is_served { get('/require-tls/offloaded/?get=a', cookie => $id, headers => [@https]) } ['GetItem'], 'where a header says so';
is res()->line('get a'), 1, '... there is a session';
is_served { get('/require-tls/offloaded/?set=a:1', headers => [@https]) } ['PutItem'], '... or a new one';
is scalar(res()->set_cookies), 1, '... with its cookie';
is_deeply [res()->all('Vary')], [], '... and caches are not told of the header';
refused { get('/require-tls/offloaded/', cookie => $id) } 'no such header';
refused { get('/require-tls/offloaded/', cookie => $id, headers => ['X-Forwarded-Proto', 'http']) } 'one that says no';
refused { get('/require-tls/offloaded/', cookie => $id, headers => [@https, @https]) } 'one that somebody added';
refused { tls('/require-tls/offloaded/', cookie => $id) } 'a connection with TLS, of which nobody says so';
refused { get('/require-tls/not-from-here/', cookie => $id, headers => [@https]) } 'a header from another address';
refused { get('/require-tls/', cookie => $id, headers => [@https]) } 'a header where no expression asks for it';
is_served { tls('/require-tls/as-the-connection/?get=a', cookie => $id) } ['GetItem'], 'the connection, as an expression';
refused { get('/require-tls/as-the-connection/?get=a', cookie => $id) } '... of one without TLS';
refused { get('/require-tls/undecided/', cookie => $id, headers => ['X-Address', 'nonsense']) } 'an address that is none';

note 'mod_remoteip';
{
    my $server = SessionTest::Server->start({ modules => [qw(remoteip alias)] },
        'RemoteIPHeader X-Forwarded-For', 'RemoteIPInternalProxy 127.0.0.1', 'SessionDynamoDBRequireTLS On',
        map { ("<Location /$_->[0]/>", 'SetHandler test-session',
               "SessionDynamoDBTLSWhen \"%{HTTP:X-Forwarded-Proto} == 'https' && $_->[1]\"", '</Location>') }
            ['client', "-R '127.0.0.0/8'"], ['connection', "%{CONN_REMOTE_ADDR} -ipmatch '127.0.0.0/8'"]);
    my @by_proxy = (port => $server->{port}, headers => [@https, 'X-Forwarded-For', '198.51.100.7']);
    is get('/client/?get=a', @by_proxy)->status, 403, '-R sees the client\'s address';
    is get('/connection/?get=a', @by_proxy)->status, 200, '%{CONN_REMOTE_ADDR} the proxy\'s';
    $server->stop($REFUSED);
}

cmp_ok scalar(() = log_lines($REFUSED)), '<', $refusals, 'not every refusal is a line in the log';
like +(log_lines($REFUSED))[0], qr/RequireTLS On\): redirect clients to https\. .*SessionDynamoDBTLSWhen.*CONN_REMOTE_ADDR/,
    '... which says what to do';
done;
