# Whose a session is: users of programs (SessionDynamoDBUserKey), of forms and of HTTP authentication, each in a realm of
# its own. What a login, another user and a logout make of the session. mod_auth_form and Basic alone: 31-login.t.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Login;

note 'A program logs somebody in';
{
    my $old = session(a => 1);
    my $ann = moves { get('/users/?set=user:ann', cookie => $old) } $old, 'its entry appears';
    is data($ann), 'a=1&user=ann', '... with what was there';
    stays { get('/users/?get=a', cookie => $ann) } $ann, 'a page of hers';
    calls_are { get('/users/?set=user:ann', cookie => $ann) } ['GetItem'], 'the same user set again is no login';
    calls_are { get('/users/?set=b:2', cookie => $ann) } [qw(GetItem UpdateItem)], 'a change is a change';
    is_deeply [res()->set_cookies], [], '... without a new ID';
    my $bob = begins_anew { get('/users/?set=user:bob&set=c:3', cookie => $ann) } $ann, 'another user';
    is data($bob), 'c=3&user=bob', '... has what this request set, and nothing else';
    calls_are { get('/users/?del=user', cookie => $bob) } [qw(GetItem DeleteItem)], 'a logout ends the session';
    is_deeply [scalar(res()->set_cookies), res()->cookie('id')], [1, ''], '... with the cookie';
    is row_of($bob), undef, '... whatever else it holds';
    calls_are { get('/users/?set=user:ann') } ['PutItem'], 'a login without a session begins one';
    my $id = res()->cookie('id');
    my $staff = moves_of('account', $id);
    is data($staff), 'account=root&user=ann', 'a user of another realm is no other user';
    calls_are { get('/users/?del=account', cookie => $staff) } [qw(GetItem DeleteItem)],
        'the logout of one of two ends the session of both';
}

# A second entry of SessionDynamoDBUserKey.
sub moves_of {
    my($key, $id) = @_;
    my @calls = calls_of { get("/users/?set=$key:root", cookie => $id) } scalar @RENEWAL;
    is join(' ', map { $_->{op} } @calls), "@RENEWAL", "a user in $key";
    return res()->cookie('id');
}

note 'By the session header, of CGI programs';
{
    my $old = session(a => 1);
    my $ann = moves { get('/users-cgi/session.pl?replace=user%3Dann', cookie => $old) } $old, 'a login';
    stays { get('/users-cgi/session.pl?replace=user%3Dann', cookie => $ann) } $ann, 'the same again';
    my $bob = begins_anew { get('/users-cgi/session.pl?replace=user%3Dbob', cookie => $ann) } $ann, 'another user';
    calls_are { get('/users-cgi/session.pl?replace=user%3D', cookie => $bob) } [qw(GetItem DeleteItem)], 'a logout';
}

note 'Rows that others wrote';
{
    my $id = session(a => 1, user => 'flask');
    stays { get('/users/?get=a', cookie => $id) } $id, 'a user whom another program stored';
    calls_are { get('/users/?set=b:2', cookie => $id) } [qw(GetItem UpdateItem)], '... changes nothing by being there';
    is_deeply [res()->set_cookies], [], '... no ID';
    is data($id), 'a=1&b=2&user=flask', '... and no data';
}

note 'SessionDynamoDBLogin drop, SessionDynamoDBLogout keep';
{
    my $old = session(planted => 1);
    my @calls = calls_of { get('/users/drop/?set=user:ann', cookie => $old) } scalar @RENEWAL;
    is join(' ', map { $_->{op} } @calls), "@RENEWAL", 'a login that drops';
    my $ann = res()->cookie('id');
    is data($ann), 'user=ann', '... what an anonymous session held';
    $old = session(a => 1);
    $ann = moves { get('/users/keep/?set=user:ann', cookie => $old) } $old, 'a login';
    my $created = row_of($ann)->{created};
    @calls = calls_of { get('/users/keep/?del=user', cookie => $ann) } scalar @RENEWAL;
    is join(' ', map { $_->{op} } @calls), "@RENEWAL", 'a logout that keeps';
    my $id = res()->cookie('id');
    isnt $id, $ann, '... gives a new ID';
    is data($id), 'a=1', '... and keeps the other entries';
    is_deeply [@{ row_of($id) }{qw(created user_mark user_marks)}], [$created, undef, undef],
        '... the age, and no mark of the user';
    is_tombstone($ann);
    post('/form/login', form('alice'), cookie => session(a => 1));
    $id = res()->cookie('id');
    get('/form/keep/logout', cookie => $id);
    is data(res()->cookie('id')), 'a=1', "mod_auth_form's: without any of its entries";
}

note 'Two realms in one session';
{
    post('/form/login', form('alice'), cookie => session(a => 1));
    my $one = res()->cookie('id');
    post('/form-admin/login', form('bob'), cookie => $one);
    my $two = res()->cookie('id');
    isnt $two, $one, 'a login in the second gives a new ID';
    my $both = moves { get('/basic/?get=a', cookie => $two, basic('alice')) } $two, 'and so does one in a third';
    for my $round (1 .. 3) {
        stays { get('/form/page?user', cookie => $both) } $both, "round $round: the first";
        is res()->line('user'), 'alice', '... has its user';
        stays { get('/form-admin/page?user', cookie => $both) } $both, "round $round: the second";
        is res()->line('user'), 'bob', '... has its user';
        stays { get('/basic/?user', cookie => $both, basic('alice')) } $both, "round $round: the third";
    }
    calls_are { get('/form-admin/logout', cookie => $both) } [qw(GetItem DeleteItem)], 'a logout of one ends all';
}

note 'Users without an authentication type';
{
    my $old = session(a => 1);
    my @ann = (headers => ['X-Test-User', 'ann']);
    my $ann = moves { get('/test/?get=a', cookie => $old, @ann) } $old, 'the first one';
    stays { get('/test/?get=a', cookie => $ann, @ann) } $ann, '... again';
    stays { get('/test/?get=a', cookie => $ann) } $ann, 'a request without a user is no logout';
    begins_anew { get('/test/?set=b:2', cookie => $ann, headers => ['X-Test-User', 'bob']) } $ann, 'another one';
}

note 'Rows of a version without realms';
{
    get('/basic/?set=a:1', basic('bob'));
    my $id = res()->cookie('id');
    change_row($id, sub { delete $_[0]{user_marks} });
    stays { get('/basic/?get=a', cookie => $id, basic('bob')) } $id, 'the mark that fits is accepted';
    calls_are { get('/basic/?set=b:2', cookie => $id, basic('bob')) } [qw(GetItem UpdateItem)], 'and a change';
    is_deeply [res()->set_cookies], [], '... keeps the ID';
    ok row_of($id)->{user_marks}, '... and makes a mark of the realm of it';
    stays { get('/basic/?get=a', cookie => $id, basic('bob')) } $id, 'which is accepted as well';
}

note 'Another user of HTTP authentication sees nothing of the session';
{
    get('/basic-env/session.pl', basic('bob'), cookie => session(role => 'admin'));
    my $id = res()->cookie('id');
    get('/basic-env/session.pl', basic('bob'), cookie => $id);
    like res()->body, qr/^HTTP_SESSION=role=admin$/m, 'the user does';
    like res()->body, qr/^SESSION_ENTRY_role=admin$/m, '... in variables, too';
    get('/basic-env/session.pl', basic('alice'), cookie => $id);
    is res()->status, 403, 'another one is not let in by the variable of the first';
    is get('/basic-env/session.pl', basic('bob'), cookie => $id)->status, 200, '... whose session goes on';
    my $other = begins_anew { get('/basic/?set=c:3&internal=/basic/?get=c', basic('alice'), cookie => $id) } $id,
        'what such a user sets before an internal redirect';
    is data($other), 'c=3', '... is kept';
    get('/basic/?set=role:admin', basic('bob'));
    $id = res()->cookie('id');
    get('/basic-ssi/cgi.shtml', basic('alice'), cookie => $id);
    unlike res()->body, qr/admin/, 'nor sees it in HTTP_SESSION';
}

expect_log qr/\[authz_core:error\].*AH01631/;

done;
