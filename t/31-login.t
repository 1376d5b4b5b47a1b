# Login: when the session's user appears or changes, the session moves to a new ID. What that takes, what it keeps, and
# who is left alone. What happens when a step fails: 32-login-faults.t.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Login;

expect_log qr/\[auth_form:error\].*AH0180[78]/, qr/\[auth_basic:error\].*AH01617/, qr/\[authz_core:error\].*AH01631/;

note 'mod_auth_form: login without a session';
{
    calls_are { get('/form/page') } [], 'asking for a login costs nothing';
    is_deeply [res()->status, res()->set_cookies], [401], '... and gives no ID';
    for my $case (['/form/page', 200], ['/form/login', 302]) {
        my($path, $status) = @$case;
        calls_are { post($path, form('alice', 'wrong')) } [], "$path: a failed login costs nothing";
        is_deeply [scalar(res()->set_cookies)], [0], '... and gives no ID';
        my @calls = calls_of { post($path, form('alice')) };
        is join(' ', map { $_->{op} } @calls), 'PutItem', '... a good one makes a row';
        is res()->status, $status, "... and answers $status";
        is scalar(res()->set_cookies), 1, '... with one cookie';
        my $id = res()->cookie('id');
        like data($id), qr/(?:^|&)members-user=alice(?:&|$)/, '... of a session with the user';
        ok row_of($id)->{user_mark}, '... who is marked as its user';
        stays { get('/form/page?user', cookie => $id) } $id, '... the next request';
        is res()->line('user'), 'alice', '... is the user\'s';
    }
}

note 'mod_auth_form: login with a session';
for my $case (['/form/page?get=a', 200], ['/form/login', 302]) {
    my($path, $status) = @$case;
    my $old = session(a => 1);
    stays { post($path, form('alice', 'wrong'), cookie => $old) } $old, "$path, a wrong password";
    stays { post($path, form('nobody', 'wrong'), cookie => $old) } $old, "$path, an unknown user";

    my $id = moves { post($path, form('alice'), cookie => $old) } $old, "$path, a good login";
    like data($id), qr/^a=1&members-pw=[^&]+&members-user=alice$/, '... and the new has all data';
    for my $time (1, 2) {
        stays { get('/form/page?get=a&user', cookie => $id) } $id, "... request $time of the same user";
        is res()->line('user'), 'alice', '... is alice\'s';
    }
    calls_are { get('/form/page?set=b:2', cookie => $id) } [qw(GetItem UpdateItem)], '... a change is a change';
    is_deeply [res()->set_cookies], [], '... without a new ID';
    stays { get('/form/page?get=a&user', cookie => $id) } $id, '... and the request after it';
    stays { post('/form/login', form('alice', 'wrong'), cookie => $id) } $id, 'a failed login over a good one';
    get('/test/?set=b:3', cookie => $id);
    stays { get('/form/page?get=a&user', cookie => $id) } $id, 'a page that knows no users in between';

    # The next user of the browser must not see the data of the one before.
    my $bob = begins_anew { post('/form/login', form('bob'), cookie => $id) } $id, 'a login as another user';
    like data($bob), qr/^members-pw=[^&]+&members-user=bob$/, '... begins with that login alone';
    is get('/form/page?user', cookie => $bob)->line('user'), 'bob', '... is the other\'s';
    stays { get('/form/page?get=a', cookie => $bob) } $bob, '... and stays so';
}

note 'mod_auth_form: login again as the same user';
{
    # Typing the password again makes an ID that may have been stolen useless (ASVS 7.2.4).
    post('/form/login', form('alice'), cookie => session(a => 1));
    my $id = res()->cookie('id');
    my $again = moves { post('/form/login', form('alice'), cookie => $id) } $id, 'a fresh login';
    stays { get('/form/page?user', cookie => $again) } $again, '... the request after it';
}

note 'mod_auth_form: logout';
for my $data ({ a => 1 }, {}) {
    # Whatever else the session holds: it was the user's, and ends.
    my $what = %$data ? 'a session with other data' : 'a session of the user alone';
    post('/form/login', form('alice'), %$data ? (cookie => session(%$data)) : ());
    my $id = res()->cookie('id');
    calls_are { get('/form/logout', cookie => $id) } [qw(GetItem DeleteItem)], "$what ends";
    is_deeply [res()->status, scalar(res()->set_cookies), res()->cookie('id')], [307, 1, ''],
        '... with the redirect, and one cookie, which is empty';
    is row_of($id), undef, '... its row is gone';
    is get('/test/?get=a', cookie => $id)->line('get a'), '(none)', '... and its ID is dead';
    calls_are { post('/form/login', form('alice'), cookie => $id) } [qw(PutItem)], '... the next login';
    isnt res()->cookie('id'), $id, '... makes a new one';
}
calls_are { get('/form/logout') } [], 'a logout without a session costs nothing';
is_deeply [res()->status, res()->set_cookies], [307], '... and sends nothing';
{
    my $id = session(a => 1);
    stays { get('/form/logout', cookie => $id) } $id, 'a logout of nobody leaves a session as it is';
}

note 'HTTP authentication beside a session';
{
    calls_are { get('/basic/?user', basic('bob')) } [], 'without a session there is nothing to do';
    is_deeply [res()->line('user'), res()->set_cookies], ['bob'], '... for a user';

    my $old = session(a => 1);
    stays { get('/basic/?get=a', cookie => $old) } $old, 'no password';
    is res()->status, 401, '... is asked for one';
    stays { get('/basic/?get=a', cookie => $old, basic('bob', 'wrong')) } $old, 'a wrong one';
    is res()->status, 401, '... is asked for a better one';
    my $bob = moves { get('/basic/?get=a', cookie => $old, basic('bob')) } $old, 'a page that only reads';
    stays { get('/basic/?get=a&user', cookie => $bob, basic('bob')) } $bob, '... the next one';
    is_deeply [res()->status, res()->line('get a'), res()->line('user')], [200, 1, 'bob'], '... is served';
    calls_are { get('/basic/?set=b:2', cookie => $bob, basic('bob')) } [qw(GetItem UpdateItem)], '... a change';
    stays { get('/basic/?get=a', cookie => $bob, basic('bob')) } $bob, '... and the one after it';
    stays { get('/test/?get=a', cookie => $bob) } $bob, '... and pages that know no users';

    stays { get('/basic/bob/?get=a', cookie => $bob, basic('alice')) } $bob, 'another user who may not come in (401)';
    is res()->status, 401, '... is asked for another';
    stays { get('/basic/forbidden/?get=a', cookie => $bob, basic('alice')) } $bob, 'another one who may not (403)';
    is_deeply [res()->status, res()->line('get a')], [403, 1], '... is refused, by a page of the session';
    calls_are { get('/basic/?get=a', cookie => $bob, basic('alice')) } [qw(GetItem DeleteItem)], 'another who may';
    is_deeply [res()->status, res()->line('get a'), scalar(res()->set_cookies), res()->cookie('id')],
        [200, '(none)', 1, ''], '... sees nothing of the session, which ends';
    is row_of($bob), undef, '... with its row';
    $bob = session(a => 1);
    $bob = moves { get('/basic/?get=a', cookie => $bob, basic('bob')) } $bob, 'a session of the first';
    my $alice = begins_anew { get('/basic/?get=a&set=c:3', cookie => $bob, basic('alice')) } $bob,
        'another who stores something';
    is data($alice), 'c=3', '... which is all that there is';
    stays { get('/basic/?get=c', cookie => $alice, basic('alice')) } $alice, '... and stays';

    calls_are { get('/basic/?set=a:1', basic('bob')) } ['PutItem'], 'a session that a known user begins';
    my $id = res()->cookie('id');
    stays { get('/basic/?get=a', cookie => $id, basic('bob')) } $id, '... is that user\'s';

    $old = session(a => 1);
    calls_are { get('/basic/?get=a&set=b:2', cookie => $old, basic('bob')) } [@RENEWAL], 'a page that changes as well';
    is data(res()->cookie('id')), 'a=1&b=2', '... has its change in the new session';
    $old = session(a => 1);
    calls_are { get('/basic/?clear', cookie => $old, basic('bob')) } [qw(GetItem DeleteItem)], 'one that ends it';
    is_deeply [scalar(res()->set_cookies), res()->cookie('id')], [1, ''], '... ends it';
    $old = session(a => 1);
    calls_are { get('/basic/?end&set=b:2', cookie => $old, basic('bob')) } [qw(GetItem DeleteItem PutItem)],
        'one that ends it and begins another';
    $id = res()->cookie('id');
    is data($id), 'b=2', '... has what it set';
    stays { get('/basic/?get=b', cookie => $id, basic('bob')) } $id, '... and is the user\'s';
}

note 'Pages for errors';
{
    my $old = session(a => 1);
    stays { get('/basic/errors/?get=a', cookie => $old) } $old, 'the page for a 401';
    stays { get('/basic/errors/', cookie => $old, basic('bob', 'wrong')) } $old, '... after a wrong password';
    is_deeply [res()->status, res()->line('get a')], [401, 1], '... is a page of the session';
    moves { get('/basic/errors/?status=404', cookie => $old, basic('bob')) } $old, 'a 404 behind a good password';
    $old = session(a => 1);
    moves { get('/basic/errors/?status=500', cookie => $old, basic('bob')) } $old, 'a 500 whose page is in the session';

    $old = session(a => 1);
    stays { post('/form/errors/?get=a', form('alice', 'wrong'), cookie => $old) } $old, 'a failed login, page inside';
    is_deeply [res()->status, res()->line('get a')], [401, 1], '... shows the session';
    moves { post('/form/errors/?status=404', form('alice'), cookie => $old) } $old, 'a login and a 404';
    $old = session(a => 1);
    moves { post('/form/errors/?status=500', form('alice'), cookie => $old) } $old, 'a login and a 500, page inside';
}

note 'Subrequests and internal redirects';
{
    my $old = session(a => 1);
    my $id = moves { get('/basic-ssi/first-read.shtml', cookie => $old, basic('bob')) } $old, 'parts that read';
    stays { get('/basic-ssi/first-read.shtml', cookie => $id, basic('bob')) } $id, '... and again';

    $old = session(a => 0);
    calls_are { get('/basic-ssi/first.shtml', cookie => $old, basic('bob')) } [@RENEWAL],
        'a page that begins with a part that writes';
    is scalar(res()->set_cookies), 1, '... sends one cookie';
    is data(res()->cookie('id')), 'a=changed-by-part', '... of a session with the change';

    $old = session(a => 1);
    moves { get('/basic/?internal=/test/?get=a', cookie => $old, basic('bob')) } $old, 'a redirect from users';
    $old = session(a => 1);
    moves { get('/basic/?internal=/plain/page.html', cookie => $old, basic('bob')) } $old, 'a redirect out of all';
    $old = session(a => 1);
    moves { post('/form/page?internal=/plain/page.html', form('alice'), cookie => $old) } $old, '... at a login';
    $old = session(a => 1);
    moves { get('/test/?internal=/basic/?get=a', cookie => $old, basic('bob')) } $old, 'a redirect to users';
}

done;
