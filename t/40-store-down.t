# The store can't be read: who is told so and how, who does not notice, and how it comes back.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Outage;

my $DEADLINE = 0.5;                      # seconds: SessionDynamoDBTimeout of the host "quick"
my @QUICK    = (host => 'quick.test', port => 'bulk');
my $RAN      = "$SessionTest::T/state/ran.here";   # made by a handler that is told meet=ran

# The lines that our module wrote at level error while the block ran.
sub failures (&) {
    my $block  = shift;
    my $before = () = log_lines(qr/\[session_dynamodb:error\]/);
    $block->();
    my @lines = log_lines(qr/\[session_dynamodb:error\]/);
    return @lines[$before .. $#lines];
}

sub is_unavailable {
    my($answer, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $answer->status, 503, "$what: 503";
    like $answer->header('Retry-After'), qr/^[1-9]\d*$/, '... with Retry-After';
    is_deeply [$answer->set_cookies], [], '... without a Set-Cookie';
    is $answer->header('Cache-Control'), 'no-store', '... not for caches';
}

let_go('ran');

my $failed = 0;                          # requests

note 'Every way of being away';
{
    my $id = session(a => 1);
    my @ways = (
        ['connections refused',         sub { fault(kind => 'refuse') }],
        ['no answer',                   sub { fault(kind => 'hang', count => 0) }],
        ['reset when accepted',         sub { close_connections(); fault(kind => 'reset_accept', count => 0) }],
        ['closed when accepted',        sub { close_connections(); fault(kind => 'close_accept', count => 0) }],
        ['reset when asked',            sub { fault(kind => 'reset_before', count => 0) }],
        ['reset instead of an answer',  sub { fault(kind => 'reset_after', count => 0) }],
        ['closed instead of an answer', sub { fault(kind => 'close_after', count => 0) }],
        ['internal error',              sub { fault(kind => '500', count => 0) }],
        ['service unavailable',         sub { fault(kind => '503', count => 0) }],
        ['throttled',                   sub { fault(kind => 'throttle', count => 0) }],
    );
    for (@ways) {
        my($way, $break) = @$_;
        another_second();
        $break->();
        my $seconds;
        my @lines = failures {
            $seconds = within { get('/test/?get=a&meet=ran', cookie => $id, @QUICK) };
        };
        is_unavailable(res(), $way);
        unlike res()->body, qr/^get a/m, '... the page is not shown';
        ok !-e $RAN, '... and its handler did not run';
        # A second for the machine; one attempt more would take as much.
        cmp_ok $seconds, '<', $DEADLINE + setting('slow'), '... within the deadline';
        is scalar(@lines), 1, '... one line in the log';
        like $lines[0], qr/table app_session: the session could not be read: .*\(GetItem, type \S+, HTTP status \d+, /,
            '... says what failed where';
        like $lines[0], qr/request ID \S+, [123] attempts\)/, '... and how often it was tried';
        $failed++;
        clear_faults();
        is get('/test/?get=a', cookie => $id, @QUICK)->line('get a'), 1, '... the next request finds its session';
    }
    like +(log_lines(qr/type InternalServerError/))[0], qr/HTTP status 500, request ID TESTTESTTESTTEST, 3 attempts/,
        'the line has the service\'s type, status and request ID';
    is row(key_of($id))->{version}{N}, 1, 'the row is as it was';
}

note 'The default deadline';
{
    my $id = session(a => 1);
    fault(kind => 'hang', count => 0);
    my $seconds;
    my @calls = calls_of { $seconds = within { get('/test/?get=a', cookie => $id) } };
    is_unavailable(res(), 'no answer at all');
    $failed++;
    cmp_ok $seconds, '<', setting('table_timeout') + 1, '... within the deadline';
    cmp_ok scalar(@calls), '>=', 2, '... in which it was asked again';
    clear_faults();
}

note 'How often a request asks';
{
    my $id = session(a => 1);
    for my $case (['/test/?get=a', 'a page'], ['/ssi/page.shtml', 'a page of parts'], ['/static/dir/', 'an index'],
                  ['/static/negotiated/page.html', 'variants'], ['/rewrite/inside?get=a', 'a redirect'],
                  ['/cgi/session.pl', 'a program'], ['/static/file.html', 'a file'],
                  ['/maxage/?get=a', 'SessionMaxAge'],
                  ['/errors-inside/?get=a', 'an error page in a session'], ['/proxied/env.pl', 'a backend']) {
        my($path, $what) = @$case;
        fault(kind => '500', count => 0);
        my @lines = failures {
            calls_are { get($path, cookie => $id) } [('GetItem') x 3], "$what: three attempts in all";
        };
        is_unavailable(res(), '...');
        cmp_ok scalar(@lines), '<=', 1, '... and no more than one line in the log';
        $failed++;
        clear_faults();
    }
}

note 'What the log tells of many failures';
{
    my $id = session(a => 1);
    another_second();
    fault(kind => '500', count => 0);
    my @lines = failures { is_unavailable($_, 'one of many') for parallel(map { ['/test/', cookie => $id] } 1 .. 30) };
    $failed += 30;
    # As many as there were seconds, on a slow machine too.
    cmp_ok scalar(@lines), '>=', 1, 'there is a line';
    cmp_ok scalar(@lines), '<=', 10, '... but not for each';
    another_second();
    get('/test/', cookie => $id);
    $failed++;
    # On a slow machine a request may have told of them already, in a line of its own.
    ok scalar(log_lines(qr/\d+ more (?:since the last line of this kind$|failures or refusals)/)),
        '... and the next tells of the others';
    clear_faults();
    ok all_told($failed), 'in the end all are told';
    is failures_told(), $failed, '... each once';
}

note 'A part with a session in a page without one';
{
    my $id = session(a => 1);
    fault(kind => '500', count => 0);
    calls_are { get('/plain/ssi/page.shtml', cookie => $id) } [('GetItem') x 3], 'three attempts in all';
    like res()->body, qr/^first: \[an error occurred.*^second: \[an error occurred/ms, '... and no part';
    unlike res()->body, qr/get a/, '... whose handler did not run';
    clear_faults();
    like get('/plain/ssi/page.shtml', cookie => $id)->body, qr/^first: .*get a: 1\n.*^second: .*get a: 1\n/ms,
        '... until the store is back';
}

note 'Requests of every kind';
{
    my $id = session(a => 1);
    fault(kind => 'refuse');
    is_unavailable(get('/test/', cookie => $id, method => 'HEAD', @QUICK), 'HEAD');
    is res()->body, '', '... without a body';
    is_unavailable(post('/test/?set=a:2', 'x=y', cookie => $id, @QUICK), 'POST');
    is_unavailable(get('/test/', cookie => $id, version => '1.0', @QUICK), 'HTTP/1.0');
    is_unavailable(get('/header/?get=a', headers => ['x-id', $id], @QUICK), 'an ID in a header');
    is res()->header('x-id'), undef, '... which is left alone';
    is_unavailable(get('/persistent/', cookie => $id, @QUICK), 'a cookie with a date');
    is_unavailable(get('/form/page', cookie => $id, @QUICK), 'a page for members (no login form)');
    my $login = 'httpd_username=alice&httpd_password=secret-of-alice';
    is_unavailable(post('/form/page', $login, cookie => $id, @QUICK), 'a login in place');
    is_unavailable(post('/form/login', $login, cookie => $id, @QUICK), 'a login that redirects');
    is res()->header('Location'), undef, '... does not';
    is_unavailable(get('/form/logout', cookie => $id, @QUICK), 'a logout');
    my @bob = (headers => ['Authorization', 'Basic Ym9iOnNlY3JldC1vZi1ib2I=']);
    is_unavailable(get('/basic/', cookie => $id, @bob, @QUICK),
        'HTTP authentication');
    is_unavailable(h2('/test/?get=a', cookie => $id), 'HTTP/2') unless setting('mpm') eq 'prefork';

    note 'Who does not notice';
    is get('/plain/page.html', cookie => $id, @QUICK)->status, 200, 'a page without a session, with an ID';
    is get('/plain/cgi/session.pl', cookie => $id, @QUICK)->status, 200, 'a program without one';
    is get('/include/in/not?get=a', cookie => $id, @QUICK)->status, 200, 'an excluded page';
    for my $path ('/test/?get=a', '/static/file.html', '/cgi/session.pl', '/ssi/page.shtml', '/maxage/?get=a') {
        is get($path, @QUICK)->status, 200, "$path without an ID";
        is res()->header('Retry-After'), undef, '... as ever';
    }
    is get('/test/?get=a', cookie => 'short', @QUICK)->status, 200, 'an ID that can\'t be one';
    is get('/signed/?get=a', cookie => $id, @QUICK)->status, 200, 'an ID without the signature it needs';
    is get('/form/page', @QUICK)->status, 401, 'who has to log in is asked to';
    clear_faults();
    is get('/test/?get=a', cookie => $id, @QUICK)->line('get a'), 1, 'the session is back';
    calls_are { get('/plain/page.html', cookie => $id) } [], 'and a page without one still asks for none';
}

note 'Error pages';
{
    my $id = session(a => 1);
    my @pages = (
        ['/errors-inside/',          'a handler inside',  qr/^get a: no session$/m],
        ['/errors-file-inside/',     'a file inside',     qr/\S/],
        ['/errors-outside/',         'a file outside',    qr/^sorry, an error page without a session$/m],
        ['/errors-cgi/session.pl',   'a program inside',  qr/^HTTP_SESSION=\(none\)$/m],
        ['/errors-program-outside/', 'a program outside', qr/^HTTP_SESSION=\(none\)$/m],
    );
    for (@pages) {
        my($path, $what, $body) = @$_;
        fault(kind => '500', count => 0);
        calls_are { get("$path?get=a", cookie => $id) } [('GetItem') x 3], "$what: three attempts in all";
        is_unavailable(res(), '...');
        like res()->body, $body, '... the error page is shown';
        unlike res()->body, qr/HTTP_COOKIE=.*\bid=/, '... and does not see the ID';
        clear_faults();
        is get("$path?get=a", cookie => $id)->status, 200, '... until the store is back';
    }

    fault(kind => '500', count => 0, op => 'GetItem');
    my $rows = rows();
    calls_are { get('/errors-inside/?get=a', cookie => $id) } [('GetItem') x 3], 'an error page';
    is scalar(rows()), $rows, '... stores nothing';
    clear_faults();
}

note 'SessionDynamoDBOnError anonymous';
{
    my $id = session(a => 1);
    fault(kind => '500', count => 0);
    for my $case (['/anonymous/?get=a', 'reading', 'get a', '(none)'],
                  ['/anonymous/?set=b:2&get=b', 'setting', 'get b', 2],
                  ['/anonymous/?clear&get=a', 'clearing', 'get a', '(none)'],
                  ['/anonymous/?end', 'ending', 'end', 'failed'],
                  ['/anonymous/?renew', 'renewing', 'renew', 'not found'],
                  ['/anonymous-cgi/session.pl', 'a program', 'HTTP_SESSION', '(none)'],
                  ['/anonymous-cgi/session.pl?replace=b%3D2', 'a program that stores', 'HTTP_SESSION', '(none)']) {
        my($path, $what, $line, $value) = @$case;
        my @lines = failures { calls_are { get($path, cookie => $id) } [('GetItem') x 3], "$what: no write is tried" };
        is res()->status, 200, '... the page is shown';
        is res()->line($line) || '(none)', $value, '... without the session';
        is_deeply [res()->set_cookies], [], '... without a Set-Cookie';
        is res()->header('X-Replace-Session'), undef, '... nor what the program said to httpd';
        is res()->header('Retry-After'), undef, '... nor Retry-After';
        is res()->header('Cache-Control'), 'no-store', '... and not for caches';
        cmp_ok scalar(@lines), '<=', 1, '... and no more than one line in the log';
    }
    get('/anonymous/?env=SESSION_DYNAMODB_NEW&env=SESSION_DYNAMODB_FAILED_ID&in=Cookie', cookie => $id);
    is res()->line('env SESSION_DYNAMODB_NEW'), '(none)', 'the session is not called new';
    is res()->line('env SESSION_DYNAMODB_FAILED_ID'), '(none)', '... nor the ID refused';
    is res()->line('in Cookie'), '(none)', '... and the ID stays hidden';
    clear_faults();

    is scalar(rows()), scalar(grep { $_->{version}{N} == 1 } rows()), 'nothing was written';
    is get('/anonymous/?entries', cookie => $id)->line('entries'), 'a=1', 'the session is back as it was';

    fault(kind => '500', count => 0, op => 'PutItem');
    is_unavailable_unsaved(get('/anonymous/?set=a:1'));
    clear_faults();
}

# It is for reading: what a page stores must not be lost in silence, here too.
sub is_unavailable_unsaved {
    my $answer = shift;
    is $answer->status, 503, 'a first store that fails: 503';
    ok $answer->header('Retry-After'), '... with Retry-After';
    is_deeply [$answer->set_cookies], [], '... without a cookie';
}

expect_log qr/\[include:error\].*unable to include/,
    qr/\[session_dynamodb:error\].*the session could not be read/, qr/\[session:error\].*AH01816/,
    qr/\[session_dynamodb:error\].*the session could not be written/, qr/\[session:error\].*AH01822/;

done;
