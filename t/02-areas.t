# Every area of extra.conf.in does what the tests of single subjects rely on: a session stored there is read there.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;

note 'Areas of the handler: store, then read with what the answer gave';
my %cookie_name = ('/cookie/' => 'sess', '/cookie-host/' => '__Host-id');
for my $area (qw(/test/ /ssi/handler /crypto/ /codec/ /maxage/ /maxage-interval/ /include/in /cookie/ /cookie-none/
                 /cookie-host/ /persistent/ /signed/ /signed-old/ /signed-sha256/ /signed-unhashed/ /unhashed/
                 /long-id/ /ids/both/ /idle/ /absolute/ /absolute-alone/ /touch/ /anonymous/ /eventual/ /errors-inside/ /errors-outside/
                 /form/open/ /cached/)) {
    my $name = $cookie_name{$area} || 'id';
    my $id = get("$area?set=a:1")->cookie($name);
    ok $id, "$area gives an ID" or next;
    is get("$area?get=a", cookie => $id, cookie_name => $name)->line('get a'), 1, '... and reads its session';
}
for my $case (['/header/', 'x-id'], ['/header-named/', 'X-Session-Token']) {
    my($area, $name) = @$case;
    my $id = get("$area?set=a:1")->header($name);
    ok $id, "$area gives an ID in $name" or next;
    is_deeply [res()->set_cookies], [], '... and no cookie';
    is get("$area?get=a", headers => [$name, $id])->line('get a'), 1, '... and reads its session';
}

note 'Areas without our session';
is get('/include/in/not?set=a:1')->line('set a'), 'no session', '/include/in/not is excluded';
is get('/include/?set=a:1')->line('set a'), 'no session', '/include/ is not included';
is get('/plain/handler?set=a:1')->line('set a'), 'no session', '/plain/ has no session';
calls_are { get('/off/?set=a:1') } [], '/off/ is not ours';
like +(res()->set_cookies)[0], qr/^other_provider=/, '... but mod_session_cookie\'s';

note 'Programs, files and parts';
my $id = session(a => 1);
is get('/cgi-noenv/session.pl', cookie => $id)->line('HTTP_SESSION'), '(none)', '/cgi-noenv/ exports no session';
is get('/cgi/slow.pl?seconds=0', cookie => $id)->line('HTTP_SESSION'), 'a=1', 'slow.pl is a program';
is length get('/cgi/big.pl?size=20000', cookie => $id)->body, 20000, 'big.pl is big';
is get('/static/dir/', cookie => $id)->body, "an index\n", '/static/dir/ has an index';
is get('/static/negotiated/page.html', cookie => $id, headers => ['Accept-Language', 'de'])->body, "eine Sprache\n",
    '/static/negotiated/ has variants';
like get('/ssi/page.shtml', cookie => $id)->body, qr/first: .*get a: 1\n.*second: .*get a: 1\n/s, '/ssi/ has parts';
is get('/rewrite/inside?get=a', cookie => $id)->line('get a'), 1, '/rewrite/inside leads to /test/';
is get('/rewrite/outside', cookie => $id)->body, "a page without a session\n", '/rewrite/outside leads out';
is get('/errors-inside/?status=404', cookie => $id)->line('get a'), 1, '/errors-inside/ has its page inside';
like get('/errors-outside/?status=404', cookie => $id)->body, qr/^sorry/, '/errors-outside/ outside';
is get('/htaccess/?set=a:1')->cookie('id') ? 1 : 0, 1, '/htaccess/ is ours by .htaccess';

note 'Users';
my $login = 'httpd_username=alice&httpd_password=secret-of-alice';
is get('/form/page')->status, 401, '/form/ wants a login';
is post('/form/page?user', $login)->status, 200, '... takes one in place';
is res()->line('user'), 'alice', '... and knows the user';
is get('/form/page?user', cookie => res()->cookie('id'))->line('user'), 'alice', '... in the next request too';
is post('/form/login', $login)->status, 302, '/form/login answers with a redirect';
is get('/form/page?user', cookie => res()->cookie('id'))->line('user'), 'alice', '... and a session';
is get('/form/logout', cookie => $id)->status, 307, '/form/logout too';
is get('/form/elsewhere/')->status, 302, '/form/elsewhere/ asks elsewhere';
is get('/basic/?user')->status, 401, '/basic/ wants a password';
is get('/basic/?user&set=a:1', headers => ['Authorization', 'Basic Ym9iOnNlY3JldC1vZi1ib2I='])->line('user'), 'bob',
    '... and knows bob by it';

note 'Hosts';
like get('/proxied/env.pl?replace=b%3D2', cookie => $id)->body, qr/^REQUEST_URI=\/backend\/env\.pl/m,
    '/proxied/ has a backend';
is get('/test/?get=b', cookie => $id)->line('get b'), 2, '... which can change the session';
my $other = get('/test/?set=a:other', port => 'other')->cookie('id');
ok row(key_of($other), 'other_session'), 'the host "other" has the other table';
is row(key_of($other)), undef, '... and not the first';
for my $port (qw(h2c tls)) {
    next if $port eq 'h2c' && setting('mpm') eq 'prefork';
    is h2('/test/?get=a', port => $port, cookie => $id)->line('get a'), 1, "the port \"$port\" works";
    is res()->version, '2', '... by HTTP/2' unless setting('mpm') eq 'prefork';
}
is get('/test/?get=a', cookie => $id, port => 'bulk')->line('get a'), 1, 'the host "bulk" works';
is get('/test/?get=a', cookie => $id, version => '1.0')->line('get a'), 1, 'HTTP/1.0 works';

is get('/crypto-other/?get=a', cookie => get('/crypto/?set=a:1')->cookie('id'))->line('get a'), '(none)',
    '/crypto-other/ can not read what /crypto/ wrote';
expect_log qr/\[session_crypto:error\].*AH01842/, qr/\[session_dynamodb:warn\].*ignored a malformed session row/;

done;
