# The recipes for backends in docs/recipes/, run as they are printed: configurations of httpd, PHP-FPM and uWSGI, and
# the programs in PHP and Python. Also mod_dir in front of PHP-FPM, where the directives hold for the index only.

use strict;
use warnings;
use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Backend;
use SessionTest::Login qw(moves begins_anew);
use SessionTest::Once;

same_under_every_mpm();

my $STATE = "$SessionTest::T/state";

sub file {
    my($name, @text) = @_;
    open my $out, '>', "$STATE/$name" or die "$name: $!";
    print $out @text;
    close $out or die "$name: $!";
    return "$STATE/$name";
}

sub program {
    my($name) = grep { -x } map { glob "/usr/{s,}bin/$_" } @_;
    return $name || die "no @_ is installed: build/check installs what is needed\n";
}

mkdir "$STATE/$_" for qw(php wsgi);
my($php) = recipe('php-fpm', 'php');
file('php/index.php', $php);
file('php/show.php', '<?php header("Content-Type: text/plain"); foreach (explode("&", $_SERVER["QUERY_STRING"])',
     ' as $h) { if (strpos($h, "=")) header(rawurldecode(strtr($h, "=", ":")), false); } foreach ($_SERVER as $k => $v) ',
     '{ if (is_string($v)) echo "$k=$v\n"; } if (isset($_GET["status"])) http_response_code((int)$_GET["status"]);');
backend('app', "$SessionTest::T/lib/backend.py", port('app'));
backend('fpm', program('php-fpm{,[0-9]*}'), '-n', '-F', '-y', file('fpm.conf',
    "[global]\nerror_log = $SessionTest::T/logs/fpm.log\npid = $STATE/fpm.pid\n", recipe('php-fpm', 'ini')));
file('wsgi/app.py', recipe('uwsgi', 'python'));
backend('uwsgi', program('uwsgi'), '--ini', file('uwsgi.ini', recipe('uwsgi', 'ini')));

sub at { my($host, $path, @rest) = @_; return get($path, port => 'recipe', host => "$host.recipe", @rest) }

# An application in front of which httpd keeps the session: login, twice, another user, logout. $ask->(ID, USER) makes it
# say so, without a USER the logout; $user->(ID) is the user that it sees then.
sub users {
    my($page, $ask, $user) = @_;
    my $asked = sub { $ask->(@_); clean(1); is_deeply [res()->all('X-Session-Control')], [], '... nor another one' };
    my $old   = session(a => 1, cart => 3, role => 'admin');
    my $alice = moves { $asked->($old, 'alice') } $old, "$page: alice logs in";
    is data($alice), 'a=1&cart=3&role=admin&user=alice', '... with all that was there';
    is_deeply [$user->($alice), $user->($old)], ['alice', ''], '... and the application knows her by the new ID only';
    my $again = moves { $asked->($alice, 'alice') } $alice, "$page: alice logs in again";
    is data($again), 'a=1&cart=3&role=admin&user=alice', '... with all that was there';
    is_deeply [$user->($again), $user->($alice)], ['alice', ''], '... who is known by the newest ID only';
    my $bob = begins_anew { $asked->($again, 'bob') } $again, "$page: bob logs in over her session";
    is data($bob), 'user=bob', '... and has nothing of hers';
    is_deeply [$user->($bob), $user->($again)], ['bob', ''], '... who is known no more';
    get('/test/?set=more:1', cookie => $bob);
    calls_are { $ask->($bob) } [qw(GetItem DeleteItem)], "$page: a logout ends the session, whatever else is there";
    clean(1);
    is_deeply [res()->cookie('id'), data($bob), $user->($bob)], ['', undef, ''], '... cookie, row and user';
    creates { $ask->(undef, 'alice') } 'user=alice', "$page: a login without a session";
    return;
}

my $id = session(user => 'alice', role => 'admin', b => 1);
my %evil = (plain => ['X-Session-User', 'evil', 'X-Role', 'evil'],
            under => ['X_Session_User', 'evil', 'x_role', 'evil'],
            signature => ['X-Session-Signature', 't=1; k=0; h=x-session-user; s=0', 'X-Session-user', 'evil']);

note 'proxy.md';
{
    at('proxy', '/app/page?x=1', cookie => $id);
    is_deeply verified(res()->body), { 'x-session-user' => 'alice', 'x-role' => 'admin' }, 'the values arrive, signed';
    unlike res()->body, qr/\Q$id\E|^Cookie/mi, '... without the ID';
    changes { at('proxy', '/app/?header=X-Replace-Session:cart%3D3%252520apples%26b%3D', cookie => $id) } $id,
        'b=1&cart=3%2520apples&role=admin&user=alice', 'the application changes what it may';
}
{
    # The page's own Python, in a process for each question.
    my($python) = recipe('proxy', 'python');
    my $program = file('verify.py', $python, <<'END');
import json
environ = json.load(sys.stdin)
print(json.dumps(session_values({**environ, 'wsgi.version': (1, 0)})))
END
    my $asked = sub {
        my($line, @headers) = split /\n/, res()->body;
        my($method, $target) = split / /, $line;
        my %environ = (REQUEST_METHOD => $method, REQUEST_URI => $target,
            map { my($name, $value) = split /: ?/, $_, 2; ('HTTP_' . uc($name) =~ tr/-/_/r => $value) } @headers);
        my $question = file('question.json', JSON::PP->new->ascii->encode({ %environ, @_ }));
        return JSON::PP->new->allow_nonref->decode(`/usr/bin/python3 -B $program <$question`);
    };
    at('proxy', '/app/page?x=1', cookie => $id);
    is_deeply $asked->(), { 'x-session-user' => 'alice', 'x-role' => 'admin' }, 'the application takes the values';
    is $asked->(HTTP_X_ROLE => 'root'), undef, '... but not others';
}
{
    my $table = SessionTest::Log::slurp("$SessionTest::T/recipes/proxy.md");
    my @told = $table =~ /^\| `(X-Replace-Session: user=\w*)` \|/mg;
    is scalar(@told), 3, 'the page has a header for the login, another user and the logout';
    my %header = map { my($user) = /=(\w*)$/; ($user => s/: /:/r =~ s/=/%3D/r) } @told;
    is_deeply [$table =~ /^\| `X-Session-Control: (\w+)` \|/mg], [qw(renew abandon)],
        '... and one that controls the session';
    my $renew = '&header=X-Session-Control:renew';
    users('proxy.md', sub { at('proxy', "/app/?header=$header{ $_[1] // '' }" . ($_[1] ? $renew : ''), cookie => $_[0]) },
        sub { at('proxy', '/app/', cookie => $_[0]); return verified(res()->body)->{'x-session-user'} });
    my $id = session(a => 1);
    reads { at('proxy', '/app/?header=X-Replace-Session:role%3Droot', cookie => $id) } 'an entry that it may not change';
    is data($id), 'a=1', '... stays as it was';
    calls_are { at('proxy', '/app/?header=X-Session-Control:abandon', cookie => $id) } [qw(GetItem DeleteItem)],
        'the application ends a session without a user';
    clean(1);
    is_deeply [res()->cookie('id'), data($id)], ['', undef], '... cookie and row';
}

for my $case (['php-fpm', '/php/index.php'], ['php-fpm', '/php/'], ['uwsgi', '/wsgi/'], ['uwsgi', '/wsgi/a/b?c=%41']) {
    my($page, $path) = @$case;
    note "$page.md, $path";
    my $id = session(user => 'alice', b => 1);
    my $with = sub { $path . ($path =~ /\?/ ? '&' : '?') . $_[0] };
    reads { at($page, $path, cookie => $id) } "$path";
    is res()->body, "user alice\n", '... the program knows and trusts the user';
    is at($page, $path)->body, "user unknown\n", '... or knows that there is none';
    for my $kind (sort keys %evil) {
        is at($page, $path, cookie => $id, headers => $evil{$kind})->body, "user alice\n", "... also against $kind";
        is at($page, $path, headers => $evil{$kind})->body, "user unknown\n", '... and without a session';
    }
    is http(method => 'POST', path => $path, body => 'x=1', port => 'recipe', host => "$page.recipe", cookie => $id,
            headers => $evil{plain})->body, "user alice\n", '... and with a body';
    changes { at($page, $with->('cart=3%20apples'), cookie => $id) } $id, 'b=1&cart=3+apples&user=alice',
        '... and changes what it may';
    creates { at($page, $with->('cart=1')) } 'cart=1', '... or begins a session';
    my $post = sub {
        my($id, $body) = @_;
        return http(method => 'POST', path => $path, body => $body, port => 'recipe', host => "$page.recipe",
            defined $id ? (cookie => $id) : (), headers => $evil{plain});
    };
    users("$page.md", sub { $post->($_[0], $_[1] ? "user=$_[1]&password=secret-of-$_[1]" : 'logout=1') },
        sub { return at($page, $path, cookie => $_[0])->body =~ /^user (?!unknown$)(.*)$/m ? $1 : '' });
    $id = session(a => 1);
    for my $form ('user=alice&password=wrong', 'user=nobody&password=', 'user=alice') {
        reads { $post->($id, $form) } "no login: $form";
        is data($id), 'a=1', '... and the session as it was';
    }
    is at($page, $path, cookie => session(user => 'J%c3%bcrgen%0a'))->body, "user J\xc3\xbcrgen\n\n", '... any bytes';
}

note 'FastCGI shows what arrives';
{
    at('php-fpm', '/php/show.php?X-Replace-Session=b%3D2%26role%3Droot', cookies => ["x=1; id=$id"],
       headers => ['x-role', 'evil', 'X_ROLE', 'evil']);
    is res()->line('HTTP_X_ROLE'), 'admin', 'the value';
    unlike res()->body, qr/\Q$id\E|evil/, '... no ID, and nothing of the client\'s';
    is_deeply [res()->all('X-Replace-Session')], [], '... the header of the session stays here';
    like data($id), qr/b=1&.*role=admin/, '... and what the program may not change is as it was';
}

note 'The directives hold for the index only';
for my $method (qw(GET POST)) {
    my @request = (method => $method, path => '/index/', $method eq 'POST' ? (body => 'x=1') : ());
    is http(@request, cookie => $id, headers => $evil{$_})->body, "user alice\n", "$method, $_" for sort keys %evil;
    is http(@request, headers => $evil{$_})->body, "user unknown\n", "$method, $_, nobody" for sort keys %evil;
}
is get("/index/index.php?$_->[0]", cookie => $id)->body, $_->[1], "the program in PHP, $_->[0]"
    for ['audience=own', "user alice\n"], ['audience=other', "not from httpd\n"], ['version=1', "not from httpd\n"];
{
    my $id = session(a => 1);
    get('/index/show.php?X-Replace-Session=cart%3D3%26b%3D2&status=404', cookie => $id);
    like res()->body, qr/^HTTP_SESSION=/, 'an error of a program behind FastCGI, answered by a program';
    is data($id), 'a=1&by-program=1&cart=3', '... which may change everything, the backend what it may';
    get('/index/show.php?X-Replace-Session=cart%3D4%26b%3D2&status=405', cookie => $id);
    is data($id), 'a=1&by-program=1&cart=4', 'one answered by a page that may not be seen: as little';
}

note 'websocket.md';
{
    my $open = sub {
        my $connection = connection('recipe');
        $connection->send_request(path => "/socket/x?$_[0]", host => 'websocket.recipe', keep => 1, headers => [
            ['Connection', 'Upgrade'], ['Upgrade', 'websocket'], ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
            ['Sec-WebSocket-Version', 13], @_[1 .. $#_]]);
        my $head = $connection->read_head;
        return ($connection, $head);
    };
    my $frame = sub {
        my $connection = shift;
        my(undef, $size) = unpack 'CC', $connection->take(2);
        return $connection->take($size == 126 ? unpack 'n', $connection->take(2) : $size);
    };
    my($connection, $head) = $open->('a=1', ['Cookie', "x=1; id=$id"], ['x_role', 'evil'],
                                      ['X-Session-Signature', 'evil']);
    is $head->status, 101, 'a handshake';
    is $head->header('Sec-WebSocket-Accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', '... with the backend';
    my $text = $frame->($connection);
    is_deeply verified($text), { 'x-session-user' => 'alice', 'x-role' => 'admin' }, '... that got the values, signed';
    unlike $text, qr/\Q$id\E|evil/, '... no ID, and nothing of the client\'s';
    like $text, qr/^Cookie: x=1$/m, '... but its other cookie';
    $connection->send_bytes("\x81\x85\0\0\0\0hello");
    is $frame->($connection), 'hello', '... and echoes';
    $connection->send_bytes("\x88\x80\0\0\0\0");
    $frame->($connection);

    ($connection, $head) = $open->('header=X-Replace-Session:b%3D9', ['Cookie', "id=$id"], ['Connection', 'X-Role']);
    is $head->status, 101, 'a client that lists our header in Connection, and a backend with a session header';
    is verified($frame->($connection))->{'x-role'}, 'admin', '... the value is there';
    $connection->send_bytes("\x88\x80\0\0\0\0");
    $frame->($connection);
    like data($id), qr/b=1/, '... and the session as it was';
    is $head->header('X-Replace-Session'), 'b=9', '... and without SessionHeader the header is one like any other';
    ($connection, $head) = $open->('', ['X-Role', 'evil']);
    is_deeply verified($frame->($connection)), { 'x-session-user' => '', 'x-role' => '' }, 'nobody brings nothing';
    fault(kind => 'refuse', count => 0);
    (undef, $head) = $open->('', ['Cookie', "id=$id"]);
    is $head->status, 503, 'no handshake while the table is away';
    clear_faults();
}

expect_log qr/session_dynamodb:warn.*may not change the entry/, qr/the session could not be read/,
    qr/session:error.*AH01816/;

done;
