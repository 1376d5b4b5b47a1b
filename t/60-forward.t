# Entries of the session as request headers of a backend, signed; nothing that a client sends passes for them, and the
# session's ID stays with httpd.

use strict;
use warnings;
use Digest::SHA ();
use FindBin;
use MIME::Base64 qw(encode_base64);
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Backend;

same_under_every_mpm();

backend('app', "$SessionTest::T/lib/backend.py", port('app'), "$SessionTest::T/state/app.sock");
my $app = 'http://127.0.0.1:' . port('app');

# What arrived under names that a program could take for ours, as "name: value", less the signature.
sub arrived {
    my @lines = grep { /^(?:x.session|x.role)/i && !/^X-Session-Signature:/ } split /\n/, res()->body;
    return join ' | ', sort @lines;
}

note 'What is there is sent';
my $id = session(user => 'alice', user_id => 7, role => 'admin', other => 'secret');
{
    calls_are { get('/forward/page?x=1', cookie => $id) } ['GetItem'], 'forwarding costs no call of its own';
    is arrived(), 'X-Role: admin | X-Session-user-id: 7 | X-Session-user: alice', '... and brings the entries named';
    unlike res()->body, qr/secret|\Q$id\E/, '... no other, and no ID';
    is_deeply verified(res()->body), { 'x-session-user' => 'alice', 'x-session-user-id' => 7, 'x-role' => 'admin' },
        '... signed';
    get('/forward/page', cookie => session(user => 'bob', role => 'guest'));
    is arrived(), 'X-Role: guest | X-Session-user: bob', 'of entries that are not there nothing is sent';
    is verified(res()->body)->{'x-session-user-id'}, '', '... which is signed too';
    get('/forward/page');
    is arrived(), '', 'without a session nothing is sent';
    is_deeply verified(res()->body), { map { $_ => '' } qw(x-session-user x-session-user-id x-role) }, '... signed';
    get('/forward/page', cookie => 'A' x 43);
    is arrived(), '', 'nor with an ID that is none';
    get('/forward/none/page', cookie => $id);
    unlike res()->body, qr/^x.(?:session|role)/im, 'None: neither headers nor a signature';
    get('/forward/off/page', cookie => $id, headers => ['X-Role', 'admin']);
    is arrived(), '', 'where sessions are off, nothing is sent either, and the client\'s headers are removed';
}

note 'An anti-forgery token';
{
    get('/forward/token/page', cookie => $id, headers => ['X-Session-Token', 'evil']);
    my($token) = res()->body =~ /^X-Session-Token: ([\w-]{86})$/m;
    ok $token, 'it is sent where it is named';
    is_deeply verified(res()->body), { 'x-session-user' => 'alice', 'x-session-token' => $token }, '... signed';
    is http(method => 'POST', path => '/csrf/enforced/?get=a', body => '', cookie => $id,
            headers => ['X-CSRF-Token', $token])->status, 200, '... and accepted';
    get('/forward/token/page', headers => ['X-Session-Token', 'evil']);
    is arrived(), '', 'without a session there is none';
}

note 'Sections inside';
for my $as ([], [cookie => $id]) {
    my @evil = map { ($_, 'evil') } 'X-Role', 'x_session.user', 'X-Session-other', 'X-Session-Signature';
    get('/forward/none/page', @$as, headers => \@evil);
    is arrived(), 'X-Session-other: evil', 'None: what is forwarded around it is not taken from a client either';
    unlike res()->body, qr/^X-Session-Signature/mi, '... nor a signature';
    get('/forward/narrow/page', @$as, headers => \@evil);
    is arrived(), @$as ? 'X-Session-other: secret' : '', 'another list: nor there';
    is_deeply [sort keys %{ verified(res()->body) }], ['x-session-other'], '... and what is sent is what it names';
    get('/forward/narrow/none/page', @$as, headers => \@evil);
    is arrived(), '', 'nor two sections further in';
    get('/forward/none/page', @$as, keep => 1, headers => ['Connection', 'close, X-Role, x-kept']);
    unlike res()->body, qr/x.role/i, 'nor in Connection';
}

note 'What a client sends does not arrive';
my @spoofed;
for my $name ('X-Session-user', 'X-Session-user-id', 'X-Role', 'X-Session-Signature') {
    (my $under = $name) =~ tr/-/_/;
    (my $mixed = $name) =~ s/-/_/;
    (my $dots = $name) =~ tr/-/./;
    push @spoofed, $name, lc $name, uc $name, $under, lc $under, uc $under, $mixed, $dots, $name =~ tr/-/!/r,
        $name =~ tr/-/~/r;
}
for my $case (['nobody', undef, ''], ['somebody without these entries', session(other => 1), ''],
              ['somebody with them', $id, 'X-Role: admin | X-Session-user-id: 7 | X-Session-user: alice']) {
    my($who, $cookie, $expected) = @$case;
    my @as = defined $cookie ? (cookie => $cookie) : ();
    for my $name (@spoofed) {
        get('/forward/page', @as, headers => [$name, 'evil']);
        is arrived(), $expected, "$who: $name";
        unlike res()->body, qr/evil/, '... is not sent';
        ok verified(res()->body), '... and the signature is ours';
    }
    get('/forward/page', @as, headers => [map { ($_, 'evil') } @spoofed, @spoofed]);
    is arrived(), $expected, "$who: all of them, twice";
    unlike res()->body, qr/evil/, '... are not sent';
    post('/forward/page', 'x=1', @as, headers => [map { ($_, 'evil') } @spoofed]);
    is arrived(), $expected, "$who: with a body";
}
get('/forward/page', headers => ['X-Session-users', 'kept', 'X-Roles', 'kept', 'XRole', 'kept', 'X--Role', 'kept']);
is scalar(() = res()->body =~ /kept/g), 4, 'other names are left alone';
for my $list ('X-Role', 'close, X-Role, x-session-user', 'x_role,X_SESSION_USER , X-Session-Signature') {
    get('/forward/page', cookie => $id, keep => 1, headers => ['Connection', $list]);
    is arrived(), 'X-Role: admin | X-Session-user-id: 7 | X-Session-user: alice', "Connection: $list removes none";
    ok verified(res()->body), '... nor the signature';
}
if (setting('mpm') ne 'prefork') {
    h2('/forward/page', cookie => $id, headers => ['x_role', 'evil', 'X-Role', 'evil']);
    is arrived(), 'X-Role: admin | X-Session-user-id: 7 | X-Session-user: alice', 'nor by HTTP/2';
    ok verified(res()->body), '... signed';
}

get('/forward/page', cookie => $id, keep => 1,
    headers => ['Connection', 'X-Role', 'Connection', 'close, x_session.user']);
is arrived(), 'X-Role: admin | X-Session-user-id: 7 | X-Session-user: alice', '... given twice';
ok verified(res()->body), '... signed';

note 'Values';
for my $case (['a blank',       'two words',       'two words'],
              ['blanks around', ' x ',             '%20x%20'],
              ['percent',       '100%25',          '100%2525'],
              ['UTF-8',         "\xc3\xa4\xe2\x82\xac", '%C3%A4%E2%82%AC'],
              ['a new line',    "a\r\nX-Role: evil\x01\x7f", 'a%0D%0AX-Role: evil%01%7F'],
              ['all printable', join('', map { chr } 0x21 .. 0x24, 0x26 .. 0x7e), undef]) {
    my($what, $value, $header) = @$case;
    $header = $value unless defined $header;
    my $escaped = $value =~ s/([^A-Za-z0-9])/sprintf '%%%02x', ord $1/ger;
    get('/forward/page', cookie => session(user => $escaped));
    is arrived(), "X-Session-user: $header", "$what";
    my $seen = verified(res()->body)->{'x-session-user'};
    utf8::encode($seen);
    is $seen, $value, '... comes out as it was';
}
for my $case ([8000, 1], [8001, 0], [20000, 0]) {
    my($length, $sent) = @$case;
    my $long = session(role => 'kept', user => 1);
    change_row($long, sub { $_[0]{data} = { B => encode_base64('role=kept&user=' . 'x' x $length, '') } });
    get('/forward/page', cookie => $long);
    is arrived() =~ /X-Session-user: (x+)/ ? length $1 : 0, $sent ? $length : 0, "$length bytes are "
        . ($sent ? 'sent' : 'left out');
    like arrived(), qr/X-Role: kept/, '... and the others are there';
    ok verified(res()->body), '... signed';
}
expect_log qr/session_dynamodb:warn.*omitted the header X-Session-user: its 8001 bytes/,
    qr/its 20000 bytes/;

note 'The signature';
{
    get('/forward/page?x=%41&y', cookie => $id);
    my $body = res()->body;
    like $body, qr/^GET \/base\/page\?x=%41&y HTTP/, 'the backend has another path';
    ok verified($body), '... which is what is signed';
    is verified($body, target => '/base/other'), undef, 'another target is refused';
    is verified($body, target => '/base/page?x=%41'), undef, 'another query';
    is verified($body, method => 'POST'), undef, 'another method';
    is verified($body, headers => { 'x-role' => 'guest' }), undef, 'another value';
    is verified($body, headers => { 'x-session-user' => '' }), undef, 'a value less';
    is verified($body, later => 30) && 1, 1, 'it holds for a minute';
    is verified($body, later => 62), undef, '... and no longer';
    is verified($body, later => -90), undef, '... nor comes from the future';
    is verified($body, headers => { 'x-session-signature' => 't=1; k=0; h=x; s=0' }), undef, 'a made up one is refused';
    my($signature) = $body =~ /^X-Session-Signature: (.*)$/m;
    for my $part ('v=(\d)', 'a=(h)', '(0)\.0\.1:', 't=(\d)', 'k=(\w)', 'h=(x)', 's=(\w)') {
        my $changed = $signature =~ s/$part/substr($&, 0, -1) . ($1 eq '1' ? '2' : '1')/er;
        is verified($body, headers => { 'x-session-signature' => $changed }), undef, "$part changed: refused";
    }
    for my $method (qw(POST PUT DELETE)) {
        http(method => $method, path => '/forward/page', body => 'a=1', cookie => $id);
        ok verified(res()->body), "$method is signed";
    }
    get('/forward/', cookie => $id);
    ok verified(res()->body), 'a target that ends with a slash';
    get('/forward/a%20b/%e4;c=d?q=%zz', cookie => $id);
    ok verified(res()->body), 'one with escapes';

    my %file = map { $_ => "$SessionTest::T/conf/forward.$_" } 'keys', 'key.old';
    get('/forward/old-key/page', cookie => $id);
    ok verified(res()->body, keys => $file{'key.old'}), 'before rotation the old key signs';
    ok verified(res()->body, keys => $file{keys}), '... and who has both keys takes it';
    get('/forward/page', cookie => $id);
    is verified(res()->body, keys => $file{'key.old'}), undef, 'after it the new one does: who has the old one refuses';
    ok verified(res()->body, keys => $file{keys}), '... and who has both takes it';
    get('/forward/old-and-new/page', cookie => $id);
    is verified(res()->body, keys => $file{'key.old'}), undef, 'keys on two lines: the last line\'s last one signs';
    ok verified(res()->body, keys => $file{keys}), '... as on one';
}

# The answer of a CGI program in the form of backend.py's.
sub as_backend {
    return "GET $_[0]\n" . join '', map { "$_->[0]: $_->[1]\n" } map {
        /^HTTP_(X_\w+)=(.*)/ ? [lc($1) =~ tr/_/-/r, $2] : () } split /\n/, res()->body;
}

note 'The audience';
{
    my($key) = do { open my $in, '<', "$SessionTest::T/conf/forward.keys" or die; (map { chomp; $_ } <$in>)[-1] };
    my $hint = substr Digest::SHA::sha256_hex($key), 0, 8;

    # The whole header, as the manual describes it for these lines in front of the time.
    my $header = sub {
        my($body, $audience, $target, @names) = @_;
        my($time) = $body =~ /^X-Session-Signature: .*\bt=(\d+);/mi;
        my %value = map { lc($_) => $body =~ /^\Q$_\E: (.*)$/mi ? $1 : '' } @names;
        my @lines = (defined $audience ? ('v=2', "a=$audience") : (), $time, 'GET', $target,
                     map { "$_:$value{$_}" } @names);
        return (defined $audience ? "v=2; a=$audience; " : '') . "t=$time; k=$hint; h=" . join(',', @names) . '; s='
            . Digest::SHA::hmac_sha256_hex(join("\n", @lines), $key);
    };
    my $sent = sub { return $_[0] =~ /^X-Session-Signature: (.*)$/mi ? $1 : undef };
    my @all  = qw(x-session-user x-session-user-id x-role);

    my @user = 'x-session-user';
    for my $case (
        ['the target',         '/forward/page?x=1',        $app,                     '/base/page?x=1',            @all],
        ['a rewritten one',    '/rewrite/proxied/page',    $app,                     '/rewritten/page',           @user],
        ['a name',             '/forward/shop/page',       'Shop/1',                 '/base/shop/page',           @all],
        ['None further in',    '/forward/shop/none/page',  $app,                     '/base/shop/none/page',      @all],
        ['version 1',          '/forward/v1/page',         undef,                    '/base/v1/page',             @all],
        ['a balancer',         '/audience-of/pool/page',   'balancer://app.pool',    '/base/page',                @user],
        ['a Unix socket',      '/audience-of/unix/page',   'http://unix.example',    '/base/page',                @user],
        ['capitals',           '/audience-of/host/page',   $app =~ s/127.0.0.1/localhost/r, '/base/page',         @user],
        ['user and password',  '/audience-of/user/page',   $app,                     '/base/page',                @user],
        ['a handler', '/audience-of/handler/page', 'http://handler.example', '/audience-of/handler/page', @user],
        ['unusual characters', '/audience-of/odd/page',    'http://odd%3Bs%3D.example', '/audience-of/odd/page',  @user],
        ['a program', '/forward-cgi/session.pl?x=1', 'self:127.0.0.1', '/forward-cgi/session.pl?x=1',             @all],
    ) {
        my($what, $path, $audience, $target, @names) = @$case;
        for my $host ('127.0.0.1', 'evil.example:99') {
            get($path, cookie => $id, host => $host);
            my $body = $path =~ /cgi/ ? as_backend($path) : res()->body;
            is $sent->($body), $header->($body, $audience, $target, @names), "$what, asked for by $host";
            is_deeply verified($body, target => $target, audience => $audience, accept_v1 => !defined $audience),
                { map { $_ => { qw(x-session-user alice x-session-user-id 7 x-role admin) }->{$_} } @names },
                '... is verified';
            is verified($body, target => $target, audience => $_), undef, "... and refused by $_"
                for 'http://127.0.0.1:1', 'shop/1', defined $audience ? "$audience/" : $app;
        }
    }
    get('/forward/shop/page', cookie => $id);
    my $v2 = res()->body;
    is verified($v2 =~ s/v=2; a=[^;]*; //r, audience => 'Shop/1', accept_v1 => 1), undef,
        'a signature of version 2 is not accepted as version 1';
    is_deeply [sort values %{ verified($v2, audience => 'Shop/1', accept_v1 => 1) || {} }], [7, 'admin', 'alice'],
        '... but as it is by a backend that accepts both versions';
    is verified($v2, accept_v1 => 1), undef, '... unless it is for another backend';
    get('/forward/v1/page', cookie => $id);
    is verified(res()->body =~ s/(?<=Signature: )t/v=2; a=$app; t/r, accept_v1 => 1), undef,
        'a signature of version 1 is not accepted as version 2';
}

note 'A program that httpd runs gets the same';
get('/forward-cgi/session.pl?x=1', cookie => $id, headers => ['X-Role', 'evil', 'X_Role', 'evil']);
is res()->line('HTTP_X_ROLE'), 'admin', 'in its environment';
is res()->line('HTTP_X_SESSION_USER_ID'), 7, '... under names that it can have';
ok verified(as_backend('/forward-cgi/session.pl?x=1'), audience => 'self:127.0.0.1'), '... signed for REQUEST_URI';

note 'The ID';
for my $path ('/forward/page', '/rewrite/proxied/page', '/forward-cgi/env.pl') {
    get($path, cookies => ["a=1; id=$id; b=2"]);
    unlike res()->body, qr/\Q$id\E/, "$path: the cookie stays here";
    like res()->body, qr/^(?:HTTP_)?COOKIE(?:=|: )a=1; b=2$/im, '... and the others go on';
}
{
    my $token = get('/header/?set=user:carol')->header('x-id');
    get('/forward/header-id/page', headers => ['x-id', $token]);
    is arrived(), 'X-Session-user: carol', 'with the ID in a header';
    unlike res()->body, qr/\Q$token\E|^x.id:/mi, '... which stays here';
    note_secret($token);
}

note 'Redirects inside httpd';
get('/rewrite/proxied/page?x=1', cookie => $id, headers => ['x_session_user', 'evil']);
like res()->body, qr/^GET \/rewritten\/page\?x=1 /, 'mod_rewrite leads to a backend';
is arrived(), 'X-Session-user: alice', '... which gets what is forwarded there';
ok verified(res()->body), '... signed';
get('/forward/on/page?status=404', cookie => $id);
like res()->body, qr/^GET \/stranger\/ /, 'an error page of somebody else';
is arrived(), '', '... gets nothing of the session';
unlike res()->body, qr/\Q$id\E|Signature/i, '... no ID and no signature';
get('/forward/on/page?status=410', cookie => $id);
like res()->body, qr/^GET \/base\/all\/page/, 'an error page in the same area';
is arrived(), 'X-Role: admin | X-Session-user-id: 7 | X-Session-user: alice', '... gets what is forwarded';
ok verified(res()->body), '... signed for what it is asked';

note 'A table that is away';
fault(kind => 'refuse', count => 0);
get('/forward/page', cookie => $id, headers => ['X-Role', 'evil']);
is res()->status, 503, 'a request that needs the session does not reach the backend';
get('/forward/anonymous/page', cookie => $id, headers => ['X-Role', 'evil']);
is_deeply [res()->status, arrived()], [200, ''], 'anonymous: it does, and brings nothing';
is verified(res()->body)->{'x-role'}, '', '... signed';
expect_log qr/the session could not be read/, qr/session:error.*AH01816.*\/forward\/page/;
clear_faults();

done;
