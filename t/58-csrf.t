# Requests that another site makes a browser send: the anti-forgery token of a session (SessionDynamoDBCSRFToken, ...Enforce),
# and what browsers tell of where a request comes from (SessionDynamoDBFetchMetadata).

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256);
use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(decode_base64 decode_base64url);
use SessionTest;
use SessionTest::Login;
use SessionTest::Once qw(data);

my $HOST    = '127.0.0.1:' . port();
my $FOREIGN = qr/\[session_dynamodb:warn\].* refused \w+ \S+ in a session, because another site's page may have sent it/;
my $FORGED  = qr/\[session_dynamodb:warn\].* refused \w+ \S+ in a session, because its header X-CSRF-Token has no/;
expect_log $FOREIGN, $FORGED;

sub page { my($path, $id, @more) = @_; return get("/csrf/$path", cookie => $id, @more) }

# A token of the session, from a page of it.
sub token { page('page?env=SESSION_CSRF', $_[0]); note_secret(res()->line('env SESSION_CSRF')); return res()->line('env SESSION_CSRF') }

# The secret behind a token, and that of an ID, as the format says.
sub secret_in { my $bytes = decode_base64url($_[0]); return substr($bytes, 0, 32) ^ substr($bytes, 32) }
sub secret_of { return hmac_sha256('session-dynamodb csrf: secret', $_[0]) }

# A change that the page at path makes, another each time, with these headers.
my $changes = 1;
sub change {
    my($path, $id, @headers) = @_;
    $changes++;
    return http(method => 'POST', path => "/csrf/$path?set=a:$changes", body => '', cookie => $id, headers => [@headers]);
}
sub with { return ('X-CSRF-Token', $_[0]) }

sub refused (&$$) {
    my($block, $id, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    calls_are { $block->() } ['GetItem'], "$sentence: a read, no write";
    is_deeply [res()->status, res()->line('set a'), scalar res()->set_cookies], [403, undef, 0], '... refused';
    is data($id), 'a=1', '... nothing is changed';
    return;
}

sub accepted (&$) {
    my($block, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    calls_are { $block->() } [qw(GetItem UpdateItem)], "$sentence is carried out";
    is res()->status, 200, '... as if nobody had asked';
    return;
}

note 'A token';
{
    my $id = session('/csrf/', a => 1);
    calls_are { token($id) } ['GetItem'], 'a token costs no call';
    my($one, $two) = map { token($id) } 1, 2;
    like $one, qr/^[\w-]{86}$/, '... and is text for forms and headers';
    isnt $one, $two, '... another on each page';
    is secret_in($_), secret_of($id), '... of this session' for $one, $two;
    is row(key_of($id))->{csrf_key}, undef, '... and nothing of it is stored';
    is token(session('/csrf/', a => 1)) eq $one, !!0, 'another session has another one';
    page('off/page?env=SESSION_CSRF', $id);
    is res()->line('env SESSION_CSRF'), '(none)', 'Off: none';
    get('/csrf/page?env=SESSION_CSRF');
    is res()->line('env SESSION_CSRF'), '(none)', 'nor without a session';
    get('/csrf/page?set=a:1&env=SESSION_CSRF');
    is res()->line('env SESSION_CSRF'), '(none)', '... which is only about to be stored';
    page('page?env=SESSION_CSRF', 'A' x 43);
    is res()->line('env SESSION_CSRF'), '(none)', '... nor for an ID that is none';
    like get('/csrf-cgi/session.pl', cookie => $id)->body, qr/^SESSION_CSRF=[\w-]{86}$/m, 'a program has it in its environment';
}

note 'A token is required';
{
    my $id = session('/csrf/', a => 1);
    my($token, $other) = (token($id), token(session('/csrf/', a => 1)));
    refused { change('enforced/', $id, @$_) } $id, @$_ ? "a change with @$_" : 'a change without a token'
        for [], [with('')], [with('x')], [with($other)], [with("$token, $token")], [with(substr $token, 1)],
            [with($token), with($other)], ['X-CSRF', $token];
    refused { http(method => $_, path => '/csrf/enforced/?set=a:2', body => '', cookie => $id) } $id, "$_ without a token"
        for qw(PUT DELETE PATCH UNKNOWN);
    for my $method (qw(GET HEAD OPTIONS)) {
        calls_are { http(method => $method, path => '/csrf/enforced/', cookie => $id) } ['GetItem'], "$method needs no token";
        is res()->status, 200, '... to be served';
    }
    calls_are { http(method => 'POST', path => '/csrf/enforced/?set=a:1', body => '') } ['PutItem'],
        'nor does a client without a session';
    calls_are { http(method => 'POST', path => '/csrf/enforced/?get=a', body => '', cookie => 'A' x 42 . 'E') } ['GetItem'],
        '... or with one that is over';
    is res()->status, 200, '... which is served';
    is http(method => 'POST', path => '/csrf/enforced/own/', body => '', cookie => $id)->status, 404,
        'handlers of this module look for themselves';
    accepted { change('enforced/', $id, with($token)) } 'a change with its token';
    accepted { http(method => 'DELETE', path => '/csrf/enforced/?del=a&set=b:1', cookie => $id, headers => [with($token)]) }
        '... as often as it likes';
}

note 'New IDs';
{
    my $old = session('/csrf/', a => 1);
    my $before = token($old);
    age($old, 2000, created => 1);
    age($old, -2000);
    calls_are { page('page?env=SESSION_CSRF', $old) } [qw(GetItem PutItem UpdateItem)], 'an ID is replaced because of its age';
    my $new   = res()->cookie('id');
    my $shown = res()->line('env SESSION_CSRF');
    my $key = row(key_of($new))->{csrf_key}{B};
    is decode_base64($key) ^ hmac_sha256('session-dynamodb csrf: pad', $new), secret_of($old),
        '... whose row has the secret, encrypted under the new one';
    page('page', $new);
    quiet();
    my $other = token(session('/csrf/', a => 1));
    refused { change('enforced/', $new, with($other)) } $new, 'a token of another session';
    accepted { change('enforced/', $new, with($before)) } 'a token from before';
    accepted { change('enforced/', $new, with($shown)) } 'the one of the page that came with the new ID';
    my $later = token($new);
    accepted { change('enforced/', $new, with($later)) } '... and one of a later page';
    is row(key_of($new))->{csrf_key}{B}, $key, '... while the row keeps its secret';
    calls_are { change('enforced/', $old, with($before)) } [qw(GetItem GetItem UpdateItem)],
        'within the grace, a request with the old ID and a token';
    is res()->status, 200, '... is carried out';

    calls_are { page('page?set=user:ann&env=SESSION_CSRF', $new) } [qw(GetItem PutItem UpdateItem)], 'a login';
    my $user = res()->cookie('id');
    my $late = res()->line('env SESSION_CSRF');
    is row(key_of($user))->{csrf_key}, undef, '... has nothing of the secret';
    is row(key_of($new))->{csrf_key}, undef, '... nor does what is left of the old session';
    for my $stale (['from before', $before], ['of the page that came with the login', $late]) {
        calls_are { change('enforced/', $user, with($stale->[1])) } ['GetItem'], "a token $stale->[0]";
        is res()->status, 403, '... is none any more';
    }
    my $token = token($user);
    accepted { change('enforced/', $user, with($token)) } 'one of the user\'s session';
}

note 'Where a request comes from';
{
    my $id = session('/csrf/', a => 1);
    my @site = map { ['Sec-Fetch-Site', $_] } qw(same-origin same-site cross-site none later);
    my($same, $sibling, $cross, $none, $unknown) = @site;
    my @evil = ('Origin', 'https://evil.test');
    my @own  = ('Origin', "http://$HOST");
    refused { change('site/', $id, @$_) } $id, "On: a change with @$_"
        for $cross, [@evil], ['Origin', 'null'], ['Origin', "http://$HOST.evil.test"], ['Origin', 'http://127.0.0.1:1'],
            ['Referer', 'https://evil.test/page'], [@evil, 'Referer', "http://$HOST/"], [@$cross, @own], [@$unknown, @evil];
    refused { change('strict/', $id, @$_) } $id, @$_ ? "strict: a change with @$_" : 'strict: a change without'
        for [], $sibling, $cross, [@evil], ['Referer', 'https://evil.test/page'], $unknown;
    accepted { change('site/', $id, @$_) } @$_ ? "On: a change with @$_" : 'On: a change without'
        for [], $same, $sibling, $none, [@own], ['Origin', "https://$HOST"], ['Referer', "http://$HOST/a?b"],
            [@$same, 'Origin', 'null'], [@$unknown, @own];
    accepted { change('strict/', $id, @$_) } "strict: a change with @$_"
        for $same, $none, [@own], ['Referer', "http://$HOST/a?b"];
    accepted { change('site/off/', $id, @$cross) } 'Off: one from another site';
    $id = session('/csrf/', a => 1);
    for my $method (qw(GET HEAD OPTIONS)) {
        calls_are { http(method => $method, path => '/csrf/strict/', cookie => $id, headers => [@$cross]) } ['GetItem'],
            "$method from another site";
        is res()->status, 200, '... is served';
    }
    refused { http(method => $_, path => '/csrf/site/?set=a:2', body => '', cookie => $id, headers => [@$cross]) } $id,
        "$_ from another site" for qw(PUT DELETE PATCH PROPFIND UNKNOWN);
    refused { page('site/?set=a:2', $id, headers => [@$cross, 'Upgrade', 'websocket', 'Connection', 'Upgrade']) } $id,
        'a WebSocket\'s handshake';
    calls_are { http(method => 'POST', path => '/csrf/site/?set=a:1', body => '', headers => [@$cross]) } ['PutItem'],
        'a client without a session is served';

    my @https = ('X-Forwarded-Proto', 'https');
    refused { change('site/offloaded/', $id, @https, @own) } $id, 'a page that came in clear, for a request over TLS';
    accepted { change('site/offloaded/', $id, @https, 'Origin', "https://$HOST") } '... and one that did not';
    accepted { change('site/offloaded/', $id, @own) } '... and where both did';
}

note 'Before anything runs';
{
    my $id = session('/csrf/', a => 1);
    my @cross = ('Sec-Fetch-Site', 'cross-site');
    refused { change('site/env/', $id, @cross) } $id, 'where access is by entries';
    refused { post('/csrf/site/form/page', form('alice'), cookie => $id, headers => [@cross]) } $id, 'a login from another site';
    refused { post('/csrf/site/form/page', form('alice', 'wrong'), cookie => $id, headers => [@cross]) } $id,
        '... also with a wrong password';
    is scalar(() = log_lines(qr/AH0180[78]/)), 0, '... which nobody compared';
    refused { http(method => 'POST', path => '/csrf-index/?replace=a%3D2', body => '', cookie => $id, headers => [@cross]) } $id,
        'a folder\'s index';
    is http(method => 'POST', path => '/csrf-index/', body => '', cookie => $id)->status, 200, '... which is there';
    calls_are { change('site/page/', $id, @cross) } ['GetItem', 'UpdateItem'], 'the page of the refusal';
    is_deeply [res()->status, res()->line('get a')], [403, 1], '... has the session';
    $id = session('/csrf/', a => 1);
    my $token = token($id);
    refused { change('both/', $id, @cross, with($token)) } $id, 'a token does not make up for another site';
    refused { change('both/', $id, 'Sec-Fetch-Site', 'same-origin') } $id, '... nor the same one for a token';
    accepted { change('both/', $id, 'Sec-Fetch-Site', 'same-origin', with($token)) } 'both';
}

note 'What the log says';
{
    my @lines = log_lines($FOREIGN);
    like $lines[0], qr/Sec-Fetch-Site: cross-site, Origin: none sent\). If your own pages did/, 'where it came from, and what to do';
    my($forged) = log_lines($FORGED);
    like $forged, qr/let them send the value of SESSION_CSRF/, 'what is missing';
    cmp_ok scalar(@lines), '<', 20, 'not every refusal is a line';
}

done;
