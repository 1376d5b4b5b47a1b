# What the log tells of requests that went well, or seemed to: at debug the story of each, a change that came too late,
# and a cookie that browsers drop.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Server;

@SessionTest::QUIET = (5, 10);

my $MS   = qr/\d+\.\d{3} ms/;
my $NONE = qr/0 calls in $MS/;

my $STORY = qr/\[session_dynamodb:debug\].*\bsession: (\d.*)/;

# What the block gives. The line about a request may come when its response is there already: it is waited for.
sub told (&) {
    my $block  = shift;
    my $before = () = log_lines($STORY);
    my $given  = $block->();
    eventually(sub { $before < (() = log_lines($STORY)) });
    return $given;
}

# The one line that tells of the request that the block makes.
sub story_is (&$$) {
    my($block, $pattern, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $before = () = log_lines($STORY);
    &told($block);
    my @stories = log_lines($STORY);
    is scalar(@stories), $before + 1, "$what: one line";
    my($told) = $stories[-1] =~ /$STORY/;
    like $told, qr/^$pattern$/, '... tells of it';
    unlike $told, qr/[\w-]{40}/, '... without an ID';
}

note 'The story of a request';
{
    my $id;
    story_is { get('/test/') } qr/0 cookies received: new; not changed; $NONE; no ID sent; no TLS/, 'nobody';
    story_is { $id = get('/test/?set=a:1')->cookie('id') }
        qr/0 cookies received: new; stored; 1 call in $MS; ID sent in a Secure cookie; no TLS/, 'a new session';
    story_is { get('/test/?get=a', cookie => $id) }
        qr/1 cookie received: loaded; not changed; 1 call in $MS; no ID sent; no TLS/, 'a page';
    story_is { get('/ssi/page.shtml', cookie => $id) }
        qr/1 cookie received: loaded; not changed; 1 call in $MS; no ID sent; no TLS/, 'a page of parts';
    story_is { get('/test/?set=a:2', cookie => $id) }
        qr/1 cookie received: loaded; stored; 2 calls in $MS; no ID sent; no TLS/, 'a change';
    story_is { get('/test/?get=a', cookies => ["id=GA1.2; id=$id"]) }
        qr/2 cookies received: loaded; not changed; 1 call in $MS; no ID sent; no TLS/, 'another application\'s cookie';
    story_is { $id = get('/test/?renew', cookie => $id)->cookie('id') }
        qr/1 cookie received: loaded; stored; 3 calls in $MS; ID sent in a Secure cookie; no TLS/, 'a new ID';
    story_is { get('/test/?clear', cookie => $id) }
        qr/1 cookie received: loaded; ended; 2 calls in $MS; ID cleared; no TLS/, 'a logout';
    story_is { h2('/test/', port => 'tls') } qr/0 cookies received: new; not changed; $NONE; no ID sent; TLS/, 'TLS';
    story_is { get('/header/?set=a:1') }
        qr/0 headers received: new; stored; 1 call in $MS; ID sent in a header; no TLS/,
        'a header';

    note 'Why there is no session';
    my @end = (qr/no ID sent; no TLS/);
    story_is { get('/test/', cookie => $id) }
        qr/1 cookie received: refused: unknown ID; not changed; 1 call in $MS; @end/,
        'an ended one';
    story_is { get('/test/', cookie => $id) }
        qr/1 cookie received: refused: unknown a moment ago, table not asked again; not changed; $NONE; @end/,
        '... again';
    story_is { get('/test/', cookie => 'short') }
        qr/1 cookie received: refused: malformed ID or wrong signature; not changed; $NONE; @end/, 'no ID';
    story_is { get('/signed/', cookie => 'A' x 42 . 'E') }
        qr/1 cookie received: refused: malformed ID or wrong signature; not changed; $NONE; @end/, 'no signature';
    $id = told { session(a => 1) };
    age($id, 8000);
    story_is { get('/test/', cookie => $id) }
        qr/1 cookie received: refused: expired; not changed; 1 call in $MS; @end/,
        'one whose time is over';
    $id = told { session('/maxage/', a => 1) };
    age($id, 4000);
    story_is { get('/maxage/', cookie => $id) }
        qr/1 cookie received: refused: expired; not changed; 1 call in $MS; @end/,
        'one that SessionMaxAge ends';
    $id = told { session(a => 1) };
    change_row($id, sub { delete $_->{created} });
    story_is { get('/test/', cookie => $id) }
        qr/1 cookie received: refused: malformed row; not changed; 1 call in $MS; @end/,
        'half a row';
    my @two = (told { session(a => 1) }, told { session(a => 2) });
    story_is { get('/test/', cookies => ["id=$two[0]; id=$two[1]"]) }
        qr/2 cookies received: refused: more than one could be the session's; not changed; 2 calls in $MS; @end/,
        'two that live';
    fault(kind => 'error', type => 'AccessDeniedException', count => 0);
    story_is { get('/test/', cookie => $two[0]) }
        qr/1 cookie received: could not be read; not changed; 1 call in $MS; @end/,
        'a table that refuses';
    story_is { get('/test/?set=a:1') }
        qr/0 cookies received: new; could not be written; 1 call in $MS; @end/, '... a write';
    clear_faults();
}

note 'A change that comes when the response has begun';
for my $change ('set=b:2', 'del=a', 'renew', 'timeouts=300:600') {
    my $id   = session(a => 1);
    my $lost = qr/\[session_dynamodb:warn\].*dropped the changes to the session: they came after it was saved/;
    my $said = () = log_lines($lost);
    calls_are { get("/test/?late&$change", cookie => $id) } ['GetItem'], "$change is not stored";
    is scalar(() = log_lines($lost)), $said + 1, '... and that is a warning';
    is data_of(row(key_of($id))), 'a=1', '... the session is as it was';
    expect_log $lost;
}

note 'A Secure cookie on a plain connection';
{
    my $server = SessionTest::Server->start('LogLevel session_dynamodb:debug',
        '<VirtualHost *>', 'ServerName one.test', '</VirtualHost>',
        '<VirtualHost *>', 'ServerName two.test', '</VirtualHost>',
        '<VirtualHost *>', 'ServerName offload.test', '</VirtualHost>',
        '<VirtualHost *>', 'ServerName https://said.test', '</VirtualHost>',
        '<VirtualHost *>', 'ServerName plain.test', 'SessionDynamoDBCookieSecure Off', '</VirtualHost>');
    my $told = sub {
        my $notice = qr/:notice\].*a Secure cookie for \Q$_[0]\E was sent over an unencrypted connection:/;
        return scalar(() = $server->log_lines($notice));
    };
    my $ended = 0;
    my $ask   = sub {
        my($page, $host, @how) = @_;
        get("/test/?$page", host => $host, port => $server->port, @how);
        # The log is written behind the answer.
        $ended++;
        ok eventually(sub { $ended == (() = $server->log_lines(qr/:debug\].*\bsession: \d/)) }), "a request to $host";
        return $told->($host);
    };
    my $set = sub { $ask->('set=a:1', @_) };

    is $set->($_), 0, "$_, which is this machine: nothing is told" for 'localhost', '127.0.0.1:' . $server->port, '[::1]';
    is $ask->('get=a', 'one.test'), 0, 'nor where no cookie is sent';
    $set->('one.test') for 1 .. 20;
    is $told->('one.test'), 1, 'in twenty requests it is told once, of all children';
    is $set->('two.test'), 1, '... and once of another host';
    for my $header (['X-Forwarded-Proto', 'https'], ['X-Forwarded-Proto', 'https, http'],
                    ['Forwarded', 'for=10.0.0.1;proto=https'],
                    ['Forwarded', 'Proto="https"']) {
        is $set->('offload.test', headers => $header), 0, "$header->[0]: $header->[1]: a proxy says that it was by TLS";
    }
    is $set->('offload.test', headers => ['X-Forwarded-Proto', 'http']), 1, '... or not';
    is $set->('said.test'), 0, 'ServerName says so';
    is $set->('plain.test'), 0, 'a cookie without Secure is kept';
    $server->stop;
}

expect_log qr/\[session_dynamodb:warn\].*ignored a malformed session row/,
    qr/\[session_dynamodb:warn\].*ignored the cookies named/,
    qr/\[session_dynamodb:error\].*the session could not be (?:read|written)/, qr/AH01816/, qr/AH01822/;

done;
