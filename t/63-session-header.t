# mod_session's SessionHeader is between a program or backend and httpd. It never reaches a client, whatever becomes of
# it, and what several of them say is done in order.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Backend;
use SessionTest::Once;

backend('app', "$SessionTest::T/lib/backend.py", port('app'));

sub escaped { return $_[0] =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger }
sub said    { return join '&', map { "$_[0]=" . escaped($_) } @_[1 .. $#_] }

# What is stored after it, from a=1.
sub after {
    my($path) = @_;
    my $id = session(a => 1);
    get($path, cookie => $id);
    is_deeply [res()->all('X-Replace-Session'), res()->all('X-Other-Session')], [], "$path: no such header";
    return data($id);
}

note 'Where nobody listens';
for my $area (qw(/header-forgotten /header-excluded)) {
    calls_are { get("$area/session.pl?replace=card%3D4111") } [], "$area: nothing is stored";
    is res()->status, 200, '... the page is served';
    is_deeply [res()->all('X-Replace-Session')], [], '... and the header stays here';
}
get('/header-forgotten/session.pl?replace=b%3D2&status=404');
is_deeply [res()->status, res()->all('X-Replace-Session')], [404], '... on an error page as well';
is after('/header-proxied/forgotten/page?' . said('header', 'X-Replace-Session:cart=2')), 'a=1', 'a backend\'s';
is after('/header-forgotten/session.pl?replace=b%3D2&location=/plain/page.html'), 'a=1', 'before a redirect';

note 'Several in one response';
my $two = said('replace', 'b=2', 'c=3');
is after("/cgi/session.pl?$two"), 'a=1&b=2&c=3', '... are all done';
is after('/cgi/session.pl?' . said('replace', 'a=2', 'a=', 'a=3&b=1', 'b=2')), 'a=3&b=2', '... in order';
is after('/cgi/session.pl?' . said('replace', 'a=2', '', 'b=2')), 'a=2&b=2', '... an empty one too';
is after('/cgi/session.pl?' . said('replace', 'a=Doe, John&b=x, y')), 'a=Doe%2c+John&b=x%2c+y', '... a comma is none';
is after('/cgi/session.pl?' . said('replace', 'a=1%2C+b%3D2')), 'a=1%2c+b%3d2', '... and an escaped one never';
is after('/ssi/handler?errheader=X-Replace-Session:b%3D2&header=X-Replace-Session:b%3D3%26c%3D4'), 'a=1&b=3&c=4',
    '... those that errors keep first';
is after('/header-proxied/page?' . said('header', 'X-Replace-Session:cart=2', 'X-Replace-Session:cart=3')), 'a=1&cart=3',
    '... a backend\'s';
is after('/header-proxied/page?' . said('header', 'X-Replace-Session:cart=2, b=3, cart=4')), 'a=1&cart=4',
    '... each of them in its limits';

note 'Two programs, joined by a local redirect';
for my $case (['a=2', 'b=2', 'a=2&b=2'], ['b=2', 'b=3', 'a=1&b=3'], ['b=2&c=1', 'b=', 'a=1&c=1'],
              ['a=', 'a=7', 'a=7']) {
    my($first, $second, $stored) = @$case;
    is after('/cgi/session.pl?' . said('replace', $first) . '&' . said('location', '/cgi/session.pl?'
        . said('replace', $second))), $stored, "$first, then $second";
}
is after('/cgi/session.pl?' . said('replace', 'b=2') . '&' . said('location', '/cgi/session.pl?'
    . said('replace', 'c=3', 'b=4') . '&' . said('location', '/plain/page.html'))), 'a=1&b=4&c=3', 'and out';
is after('/header-other/session.pl?' . said('header', 'X-Other-Session:b=2') . '&' . said('location',
    '/cgi/session.pl?' . said('replace', 'c=3'))), 'a=1&b=2&c=3', 'by two names';
is after('/cgi/session.pl?' . said('replace', 'c=3') . '&' . said('location', '/header-other/session.pl?'
    . said('header', 'X-Other-Session:b=2') . '&' . said('location', '/plain/page.html'))), 'a=1&b=2&c=3',
    'by two names, and out';

note 'Interim responses of a backend';
for my $case (['/header-proxied/page', 'cart=2'], ['/header-proxied/forgotten/page', 'cart=2']) {
    my($path, $value) = @$case;
    for my $long (0, 3000) {
        my $id = session(a => 1);
        my $connection = connection();
        for my $round (1, 2) {
            $connection->send_request(path => "$path?long=$long&" . said('hint', "X-Replace-Session:$value", "X-One:1",
                "x-replace-session:$value"), keep => 1, headers => [['Cookie', "id=$id"]]);
            my $interim = $connection->read_head;
            is_deeply [$interim->status, $interim->header('Link')], [103, '</style.css>; rel=preload'],
                "$path, $long: a hint goes on";
            is_deeply [$interim->all('X-Replace-Session')], [], '... without the header';
            is_deeply [$interim->all('X-One'), $interim->all('X-Last')], [1, 'of the hints'], '... with all others';
            is join('', $interim->all('X-Long')), 'x' x (3 * $long), '... whole';
            my $answer = $connection->read_response;
            is $answer->status, 200, '... and the answer follows';
            like $answer->body, qr/^GET \/base\/.*^Host/ms, '... as it was';
        }
        is data($id), 'a=1', '... which changes nothing';
    }
}
{
    my $connection = connection();
    $connection->send_request(path => '/header-proxied/off/page?' . said('hint', 'X-Replace-Session:b=2'));
    is $connection->read_head->header('X-Replace-Session'), 'b=2', 'where we are off, it is a header like any other';
    $connection->read_response;
}

note 'A handshake';
for my $area (qw(/header-proxied /header-tunnel)) {
    my $connection = connection();
    $connection->send_request(path => "$area/page?" . said('header', 'X-Replace-Session:b=2', 'X-One:1'), keep => 1,
        headers => [['Connection', 'Upgrade'], ['Upgrade', 'websocket'], ['Sec-WebSocket-Version', 13],
                    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==']]);
    my $head = $connection->read_head;
    is_deeply [$head->status, $head->all('X-One')], [101, 1], "$area: goes on";
    is_deeply [$head->all('X-Replace-Session')], [], '... without the header';
    my(undef, $size) = unpack 'CC', $connection->take(2);
    my $text = $connection->take($size == 126 ? unpack 'n', $connection->take(2) : $size);
    like $text, qr/^GET \/base\//, '... and what follows is as it was';
    # Lines of the conversation that look like a response are none.
    my $line = "HTTP/1.1 103 No\r\nX-Replace-Session: b=2\r\n\r\n";
    $connection->send_bytes("\x81" . chr(0x80 | length $line) . "\0\0\0\0$line");
    (undef, $size) = unpack 'CC', $connection->take(2);
    is $connection->take($size), $line, '... whatever it looks like';
    $connection->send_bytes("\x88\x80\0\0\0\0");
}

if (setting('mpm') ne 'prefork') {
    note 'HTTP/2';
    my $ask = sub {
        open my $in, '-|', 'curl', '-sSi', '--http2-prior-knowledge', '--max-time', 20,
            'http://127.0.0.1:' . port('h2c') . "/header-proxied/$_[0]" or die "curl: $!";
        local $/;
        return scalar <$in>;
    };
    my $text = $ask->('page?' . said('hint', 'X-Replace-Session:b=2', 'X-One:1'));
    like $text, qr/^HTTP\/2 103.*^x-one: 1.*^HTTP\/2 200.*^GET \/base\//ims, 'an interim response';
    unlike $text, qr/^x-replace-session/im, '... without the header';
    $text = $ask->('page?' . said('trailer', 'X-Replace-Session:b=2', 'X-One:1'));
    like $text, qr/^GET \/base\/.*^x-one: 1/ims, 'trailers';
    unlike $text, qr/^x-replace-session: b=2/im, '... without the header';
}

note 'Programs whose answers nobody reads';
for my $path (qw(/cgi/nph-session.pl /header-forgotten/nph-session.pl /programs/nph-session.pl /programs/nph-session)) {
    expect_log qr/\[session_dynamodb:error\].*refused to run \S+nph-session\.pl where SessionDynamoDB is On/;
    get($path);
    is_deeply [res()->status, res()->all('X-Replace-Session')], [403], "$path is refused";
}
get('/plain/cgi/nph-session.pl');
is_deeply [res()->status, res()->body], [200, "by itself\n"], 'but not where we are off';

expect_log qr/session_dynamodb:warn.*may not change the entry 'b' by its header/;

done;
