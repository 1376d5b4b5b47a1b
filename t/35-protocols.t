# The session in all that HTTP can ask for: versions, methods, statuses, several requests on a connection.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Once;

my $COOKIE = qr/^id=[A-Za-z0-9_-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/;

sub cookie_of { return headers => [['Cookie', "id=$_[0]"]] }

note 'HTTP/1.0';
{
    creates { get('/test/?set=a:1', version => '1.0') } 'a=1', 'a first store';
    my $id = res()->cookie('id');
    reads { get('/test/?get=a', version => '1.0', cookie => $id) } 'a page that reads';
    is res()->line('get a'), 1, '... what was stored';
    changes { get('/cgi/session.pl?replace=b%3D2', version => '1.0', cookie => $id) } $id, 'a=1&b=2', 'a program';
    calls_are { get('/test/?get=a', version => '1.0') } [], 'and anybody costs nothing';
    my $connection = connection();
    for my $round (1, 2) {
        $connection->send_request(path => '/test/?get=a', version => '1.0',
                                  headers => [['Cookie', "id=$id"], ['Connection', 'keep-alive']]);
        is $connection->read_response->line('get a'), 1, "a connection that is kept: request $round";
    }
}

note 'Several requests on a connection';
{
    my($one, $two) = (session(a => 'one'), session(a => 'two'));
    my $connection = connection();
    my @calls = calls_of {
        for my $case ([$one, 'one'], [$two, 'two'], [undef, '(none)'], [$one, 'one']) {
            my($id, $value) = @$case;
            $connection->send_request(path => '/test/?get=a', keep => 1, defined $id ? cookie_of($id) : ());
            my $answer = $connection->read_response;
            is $answer->line('get a'), $value, "each has its own session: $value";
            is_deeply [$answer->set_cookies], [], '... and no cookie';
        }
    } 3;
    is join(' ', map { $_->{op} } @calls), 'GetItem GetItem GetItem', '... and is read once';

    $connection->send_request(path => '/test/?set=c:3', keep => 1);
    my $new = $connection->read_response->cookie('id');
    note_secret($new);
    $connection->send_request(path => '/test/?get=c', keep => 1);
    is $connection->read_response->line('get c'), '(none)', 'what one stored is not there for who has no cookie';
    $connection->send_request(path => '/test/?get=c', keep => 1, cookie_of($new));
    is $connection->read_response->line('get c'), 3, '... but for who has it';
}

note 'Requests sent without waiting for answers';
{
    my $id = session(a => 0);
    my $connection = connection();
    my @paths = qw(/test/?set=a:1 /test/?get=a /test/?set=a:2&get=a /cgi/session.pl /test/?end /test/?get=a);
    my @calls = calls_of {
        $connection->send_request(path => $_, keep => 1, cookie_of($id)) for @paths;
        my @answers = map { $connection->read_response } 1 .. 6;
        is_deeply [map { $_->status } @answers], [(200) x 6], 'all of them are answered';
        is_deeply [map { $answers[$_]->line('get a') } 1, 2, 5], [1, 2, '(none)'], '... in order';
        is $answers[3]->line('HTTP_SESSION'), 'a=2', '... programs too';
        is_deeply [map { scalar(() = $_->set_cookies) } @answers], [0, 0, 0, 0, 1, 0], '... and the end sends a cookie';
    } 9;
    is join(' ', map { $_->{op} } @calls),
        'GetItem UpdateItem GetItem GetItem UpdateItem GetItem GetItem DeleteItem GetItem', '... each for itself';
}

note 'A due touch makes nobody wait';
for my $case (['HTTP/1.1, kept', version => '1.1', keep => 1], ['HTTP/1.1, closed', version => '1.1'],
              ['HTTP/1.0', version => '1.0']) {
    my($how, %how) = @$case;
    my $id = session(a => 1);
    my $before = age($id, 300);
    fault(kind => 'hold', op => 'UpdateItem');
    my $connection = connection();
    $connection->send_request(path => '/test/?get=a', %how, cookie_of($id));
    is $connection->read_response->line('get a'), 1, "$how: the answer is there";
    ok held(1), '... and the touch is under way';
    if ($how{keep}) {
        $connection->send_request(path => '/test/?get=a', %how, cookie_of($id));
        is $connection->read_response->line('get a'), 1, '... when the connection\'s next request is answered';
        $connection->send_request(path => '/test/?set=b:2', %how);
        is $connection->read_response->status, 200, '... and the one after it, which stores something';
    }
    else {
        ok $connection->closed(5), '... when the connection has ended';
    }
    is connections()->{held}, 1, '... which it still is';
    is_deeply row(key_of($id))->{accessed}, $before->{accessed}, '... so nothing is recorded yet';
    release();
    quiet();
    isnt row(key_of($id))->{accessed}{S}, $before->{accessed}{S}, '... but in the end';
}

note 'Methods';
{
    creates { http(method => 'HEAD', path => '/test/?set=a:1') } 'a=1', 'HEAD, a first store';
    like +(res()->set_cookies)[0], $COOKIE, '... as promised';
    my $id = res()->cookie('id');
    reads { http(method => 'HEAD', path => '/test/?get=a', cookie => $id) } 'HEAD, a page that reads';
    changes { http(method => 'HEAD', path => '/cgi/session.pl?replace=b%3D2', cookie => $id) } $id, 'a=1&b=2',
        'HEAD, a program';
    reads { http(method => 'HEAD', path => '/static/file.html', cookie => $id) } 'HEAD, a file';
    changes { http(method => $_, path => "/test/?set=c:$_", body => 'x=y', cookie => $id) } $id, "a=1&b=2&c=$_", $_
        for qw(POST PUT DELETE PATCH);
    changes { http(method => 'OPTIONS', path => '/test/?set=c:3', cookie => $id) } $id, 'a=1&b=2&c=3', 'OPTIONS';
    reads { http(method => 'OPTIONS', path => '/static/file.html', cookie => $id) } 'OPTIONS, a file';
    ok res()->header('Allow'), '... is answered by httpd';
    calls_are { http(method => 'OPTIONS', path => '*', cookie => $id) } [], 'OPTIONS of no page in particular: no read';
    is_deeply [res()->set_cookies], [], '... and no cookie';
    calls_are { http(method => 'OPTIONS', path => '/test/') } [], 'OPTIONS of anybody costs nothing';
    http(method => 'TRACE', path => '/test/?set=t:1', cookie => $id);
    is_deeply [res()->set_cookies], [], 'TRACE sends no cookie';
    is data($id), 'a=1&b=2&c=3', '... and changes nothing';
    for my $path ('/test/', '/static/file.html', '/nothing', '/') {
        calls_are { http(method => 'TRACE', path => $path, headers => ['Cookie', "x=1; id=$id", 'x-id', $id,
            'X-Session-Token', $id, 'X-One', 1]) } [], "TRACE $path";
        is_deeply [res()->status, res()->body =~ /^(X-One: 1)/m], [200, 'X-One: 1'], '... is answered by the request';
        unlike res()->body, qr/\Q$id\E/, '... without the ID, whatever carried it';
    }
}

note 'Statuses';
{
    my $id = session(a => 1);
    for my $status (201, 204, 206, 226, 301, 302, 303, 304, 307, 400, 403, 404, 405, 410, 422, 500, 501, 503) {
        creates { get("/test/?set=a:1&code=$status") } 'a=1', "$status with a first store";
        is res()->status, $status, "... is a $status";
        like +(res()->set_cookies)[0], $COOKIE, '... whose cookie is as promised';
    }
    for my $status (302, 304, 404, 500) {
        reads { get("/test/?get=a&code=$status", cookie => $id) } "$status of a page that reads";
        calls_are { get("/test/?end&code=$status", cookie => session(a => 1)) } [qw(PutItem GetItem DeleteItem)],
            "$status with a logout";
        is res()->cookie('id'), '', '... ends the cookie';
    }
    for my $status (400, 403, 404, 405, 410, 413, 500, 501, 503) {
        creates { get("/test/?set=a:1&status=$status") } 'a=1', "an error $status that httpd makes";
        is res()->status, $status, "... is a $status";
    }

    get('/static/file.html');
    my $tag = res()->header('ETag');
    reads { get('/static/file.html', cookie => $id, headers => ['If-None-Match', $tag]) } 'a file that did not change';
    is res()->status, 304, '... is a 304';
    calls_are { get('/static/file.html', headers => ['If-None-Match', $tag]) } [], '... and anybody costs nothing';
    is_deeply [res()->status, res()->set_cookies], [304], '... and gets no cookie';
    reads { get('/static/file.html', cookie => $id, headers => ['Range', 'bytes=0-1']) } 'a part of a file';
    is_deeply [res()->status, res()->body], [206, 'a '], '... is a 206';
    reads { get('/static/file.html', cookie => $id, headers => ['Range', 'bytes=1000-']) } 'no part of a file';
    is res()->status, 416, '... is a 416';
    creates { get('/test/?set=a:1', headers => ['Range', 'bytes=1000-']) } 'a=1', '... also where it stores something';
    reads { get('/static/nothing', cookie => $id) } 'no file';
    is res()->status, 404, '... is a 404';
    get('/test/?get=a', cookie => $id, headers => ['Expect', 'nonsense']);
    is res()->status, 417, 'a 417';
    is_deeply [res()->set_cookies], [], '... sends no cookie';
}

if (setting('mpm') eq 'prefork') {
    note 'HTTP/2 is not for prefork';
}
else {
    for my $port (qw(h2c tls)) {
        note "HTTP/2, port $port";
        creates { h2('/test/?set=a:1', port => $port) } 'a=1', 'a first store';
        is res()->version, 2, '... by HTTP/2';
        like +(res()->set_cookies)[0], $COOKIE, '... as promised';
        my $id = res()->cookie('id');
        reads { h2('/test/?get=a', port => $port, cookie => $id) } 'a page that reads';
        is res()->line('get a'), 1, '... what was stored';
        reads { h2('/test/?get=a&in=Cookie', port => $port, cookies => ['x=1', "id=$id", 'y=2']) } 'a cookie in crumbs';
        is_deeply [res()->line('get a'), res()->line('in Cookie')], [1, 'x=1; y=2'], '... is one, and taken out';
        reads { h2('/test/?get=a&in=Cookie', port => $port, cookies => ["id=$id", 'y=2', 'id=1', "id=$id"]) }
            'a cookie that comes again, beside one that can not be an ID';
        is_deeply [res()->line('get a'), res()->line('in Cookie')], [1, 'y=2'], '... is one, and all are taken out';
        changes { h2('/cgi/session.pl?replace=b%3D2', port => $port, cookie => $id) } $id, 'a=1&b=2', 'a program';
        changes { h2('/go/?set=c:3&internal=/plain/page.html', port => $port, cookie => $id) } $id, 'a=1&b=2&c=3',
            'a redirect inside httpd';
        changes { h2('/errors-outside/?set=d:4&status=404', port => $port, cookie => $id) } $id, 'a=1&b=2&c=3&d=4',
            'an error page';
        is res()->status, 404, '... of a 404';
        reads { h2('/ssi/page.shtml', port => $port, cookie => $id) } 'a page of parts';
        calls_are { h2('/test/?end', port => $port, cookie => $id) } [qw(GetItem DeleteItem)], 'a logout';
        is res()->cookie('id'), '', '... ends the cookie';
        calls_are { h2('/test/?get=a', port => $port) } [], 'and anybody costs nothing';
    }

    note 'HTTP/2, many requests on a connection at once';
    my $at_once = sub {
        my($path, @headers) = @_;
        open my $in, '-|', 'curl', '-sSik', '--no-progress-meter', '--http2', '--max-time', 20,
            '--parallel', '-w', 'connects: %{num_connects}\n', (map { ('-H', $_) } @headers),
            'https://127.0.0.1:' . port('tls') . $path or die "curl: $!";
        return <$in>;
    };
    my $id = session(a => 1);
    my @lines = $at_once->('/test/?set=b[1-8]:2&sleep=0.1&get=a', "Cookie: id=$id");
    is_deeply [grep { /connects: [^0]/ } @lines], ["connects: 1\n"], 'it is one connection';
    my @seen = map { /^get a: (\d+)/ ? $1 : () } @lines;
    is "@seen", '1 1 1 1 1 1 1 1', '... all of them see the session';
    is data($id), join('&', 'a=1', map { "b$_=2" } 1 .. 8), '... and no change is lost';
    my %ids = map { /^set-cookie: id=([^;]+)/i ? ($1 => 1) : () } $at_once->('/test/?set=b[1-8]:2&sleep=0.1');
    note_secret(keys %ids);
    is scalar(keys %ids), 8, 'without a session each gets its own';
    is scalar(grep { data($_) =~ /^b[1-8]=2$/ } keys %ids), 8, '... with what it set';
}

done;
