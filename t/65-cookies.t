# The session cookie is between browsers and httpd: programs and backends neither see nor set it, in any area of a host.
# Where SessionDynamoDB is Off a cookie of that name is like any other.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Backend;

backend('app', "$SessionTest::T/lib/backend.py", port('app'));

sub escaped { return $_[0] =~ s/([^A-Za-z0-9:])/sprintf '%%%02X', ord $1/ger }
sub said    { return join '&', map { "$_[0]=" . escaped($_) } @_[1 .. $#_] }
sub seen    { return res()->line('in Cookie') }

my $ID = qr/[A-Za-z0-9_-]{43}/;

note 'What programs see of the sessions of other areas';
{
    my($id, $sess) = (session(a => 1), session('/cookie/', a => 2));
    my @cookies = (cookies => ["x=1; sess=$sess; __Host-id=$sess; y=2; id=$id; sess=old"]);
    for my $case (['/test/', 1], ['/cookie/', 2], ['/cookie-host/', 2], ['/cookie-none/', 1], ['/header/', '(none)']) {
        my($area, $value) = @$case;
        get("$area?get=a&in=Cookie", @cookies);
        is_deeply [res()->line('get a'), seen()], [$value, 'x=1; y=2'], "$area has its own, and sees none";
    }
    is get('/cgi/session.pl', @cookies)->line('HTTP_COOKIE'), 'x=1; y=2', 'a program sees none';
    is get('/proxied/env.pl', @cookies)->line('HTTP_COOKIE'), 'x=1; y=2', 'a backend sees none';
    is get('/test/?in=Cookie', cookies => ["sess=$sess"])->line('in Cookie'), '(none)', 'one of another area alone';
    is get('/test/?in=Cookie', cookies => ["x=1,sess=$sess,z; y=2"])->line('in Cookie'), 'x=1; y=2',
        '... or within another cookie';
    get('/test/?in=Cookie', cookies => ['Sess=1; ssess=2; sess2=3; id2=4; sess']);
    is seen(), 'Sess=1; ssess=2; sess2=3; id2=4; sess', '... and no cookie that is none of these';

    for my $path ("/include/out?internal=/cookie/%3Fget%3Da%26in%3DCookie", "/go/?internal=/plain/handler%3Fin%3DCookie",
                  "/go/?status=410") {
        get($path, @cookies);
        unlike res()->body, qr/\Q$id\E|\Q$sess\E/, "$path: nor where a redirect leads";
    }
    is get("/include/out?internal=/cookie/%3Fget%3Da", @cookies)->line('get a'), 2,
        '... and the area that it leads to has its session';

    for my $path ('/plain/cgi/session.pl?location=/cgi/session.pl', '/plain/ssi/cgi.shtml',
                  '/plain/cgi/session.pl?location=/plain/cgi/session.pl%3Flocation%3D/cgi/session.pl') {
        for my $sent ($cookies[1], ["id=$id"]) {
            get($path, cookies => $sent);
            # mod_include itself is a program of a place where we are off.
            my($inner) = res()->body =~ /(HTTP_SESSION=.*)/s;
            ok defined $inner, "$path: a program that is asked by one without a session";
            unlike $inner, qr/\Q$id\E|\Q$sess\E/, '... sees none, by whatever name';
        }
    }
    my $token = get('/header/?set=a:1')->header('x-id');
    unlike get('/plain/cgi/session.pl?location=/header/%3Fenv%3DREDIRECT_HTTP_X_ID', headers => ['x-id', $token])->body,
        qr/\Q$token\E/, '... and none in a header';
    is get('/plain/cgi/session.pl?location=/plain/cgi/session.pl', @cookies)->line('REDIRECT_HTTP_COOKIE'), $cookies[1][0],
        '... but where we are off';
    my @quick = (host => 'quick.test', port => 'bulk', cookies => ['only_here=1; x=1; sess=2']);
    is get('/test/?in=Cookie', @quick)->line('in Cookie'), 'x=1', 'a host\'s own area counts with those that all have';
    is get('/only-here/?in=Cookie', @quick)->line('in Cookie'), 'x=1', '... both ways';
    is get('/test/?in=Cookie', @quick[4, 5])->line('in Cookie'), 'only_here=1; x=1', '... and not in another host';

    get('/off/?in=Cookie', @cookies);
    is seen(), $cookies[1][0], 'where we are off, nothing is taken';
    is get('/plain/handler?in=Cookie', @cookies)->line('in Cookie'), $cookies[1][0], '... nor where there is no session';
    like get('/header-proxied/off/page', @cookies)->body, qr/^Cookie: \Q$cookies[1][0]\E$/m, '... from a backend';
}

note 'What they set';
my @ours = ('id=evil', 'id=evil; Path=/', ' id = evil', '=id=evil', 'id=; Max-Age=0', "id=evil;\tSecure");
my @others = ('x=1', 'idx=1', 'ID=1', 'x=1; id=2', 'x="id=2"', 'id', 'x=,id=2');
for my $how ('header', 'errheader') {
    get('/test/?' . said($how, map { "Set-Cookie:$_" } @ours, @others));
    is_deeply [res()->set_cookies], \@others, "$how: none of the session's name";
    get('/test/?set=a:1&' . said($how, map { "Set-Cookie:$_" } @ours, @others));
    my @sent = res()->set_cookies;
    is_deeply [grep { !/^id=$ID; / } @sent], \@others, '... beside ours';
    is scalar(grep { /^id=$ID; / } @sent), 1, '... which is one';
    my $id = res()->cookie('id');
    for my $what ('get=a', 'status=404', 'code=302', 'set=b:2') {
        get("/test/?$what&" . said($how, 'Set-Cookie:id=evil', 'Set-Cookie:x=1'), cookie => $id);
        # What a handler says to one table only is lost with an error, whoever says it.
        is_deeply [res()->set_cookies], $what =~ /status/ && $how eq 'header' ? [] : ['x=1'], "... $what: nor then";
    }
    for my $what ('end', 'renew') {
        get("/test/?$what&" . said($how, 'Set-Cookie:id=evil', 'Set-Cookie:x=1'), cookie => session(a => 1));
        is scalar(grep { !/evil/ } res()->set_cookies), 2, "... $what: only ours";
        is scalar(res()->set_cookies), 2, '... and others\'';
    }
    get('/cookie/?' . said($how, 'Set-Cookie:id=mine', 'Set-Cookie:sess=evil'));
    is_deeply [res()->set_cookies], ['id=mine'], 'by the name of the area';
    get('/header/?' . said($how, 'Set-Cookie:x-id=1', 'x-id:evil'));
    is_deeply [res()->set_cookies, res()->all('x-id')], ['x-id=1'], 'where it is a header, no such header';
    get('/header/?set=a:1&' . said($how, 'x-id:evil'));
    is_deeply [map { /^$ID$/ ? 'ID' : $_ } res()->all('x-id')], ['ID'], '... but ours';
    for my $area ('/off/', '/plain/handler') {
        get("$area?" . said($how, 'Set-Cookie:id=mine', 'x-id:mine'));
        is_deeply [res()->set_cookies, res()->all('x-id')], ['id=mine', 'mine'], "$area: where we are off, as they say";
    }
}
{
    my @said = ('Set-Cookie:id=evil', 'Set-Cookie:x=1');
    get('/cgi/session.pl?' . said('header', @said));
    is_deeply [res()->set_cookies], ['x=1'], 'a program';
    get('/cgi/session.pl?replace=a%3D1&' . said('header', @said));
    is_deeply [map { /^(id=$ID|x=1)/ ? substr $1, 0, 2 : $_ } res()->set_cookies], ['x=', 'id'], '... that stores';
    get('/cgi/session.pl?' . said('header', @said) . '&location=/plain/cgi/env.pl');
    is_deeply [res()->set_cookies], ['x=1'], '... that leads out';
    get('/header-forgotten/session.pl?' . said('header', @said));
    is_deeply [res()->set_cookies], ['x=1'], '... where mod_session is off';
    get('/header-proxied/page?' . said('header', @said));
    is_deeply [res()->set_cookies], ['x=1'], 'a backend';
    get('/header-proxied/off/page?' . said('header', @said));
    is_deeply [res()->set_cookies], ['id=evil', 'x=1'], '... but where we are off';
    my @told = log_lines(qr/dropped id, which the response to \/cgi\/session\.pl sets: .*SessionDynamoDBCookieName/);
    is scalar(@told), 2, 'each is told once, with what to do';
    fault(kind => 'error', type => 'AccessDeniedException', op => 'PutItem');
    get('/test/?set=a:1&' . said('errheader', @said));
    is_deeply [res()->status, grep { /^id/ } res()->set_cookies], [503], 'where ours can not be stored, theirs does not go';
    clear_faults();
}

note 'Ahead of an answer';
for my $case (['/header-proxied/page', 0], ['/header-proxied/forgotten/page', 0], ['/header-proxied/off/page', 1]) {
    my($path, $passes) = @$case;
    my $connection = connection();
    $connection->send_request(path => "$path?" . said('hint', 'Set-Cookie:id=evil; Path=/', 'X-One:1', 'Set-Cookie:x=1',
        'set-cookie: = id =evil'));
    my $interim = $connection->read_head;
    is_deeply [$interim->status, $interim->all('X-One'), grep { /^x=/ } $interim->set_cookies], [103, 1, 'x=1'],
        "$path: a hint goes on";
    is scalar(grep { /evil/ } $interim->set_cookies), $passes ? 2 : 0, '... ' . ($passes ? 'as it is' : 'without a cookie of ours');
    is $connection->read_response->status, 200, '... and the answer follows';
}
if (setting('mpm') ne 'prefork') {
    h2('/header-proxied/page?' . said('header', 'Set-Cookie:id=evil', 'Set-Cookie:x=1'));
    is_deeply [res()->set_cookies], ['x=1'], 'and by HTTP/2';
}

expect_log qr/\[session_dynamodb:warn\].*dropped \S+, which the response to \S+ sets: this name carries the session ID/,
    qr/\[session_dynamodb:error\].*the session could not be written/, qr/\[session:error\].*AH01822/;

done;
