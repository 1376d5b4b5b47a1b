# Require session-login-age: what asks for the password again, although somebody is logged in. Each sentence begins with
# the number of its row in docs/owasp.md.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use SessionTest;
use SessionTest::Login;

plan skip_all => 'the same under every MPM' if setting('mpm') ne 'event';

note 'Of a program';
{
    is get('/age/?get=a')->status, 403, 'R71: nobody has logged in';
    is get('/age/?get=a', cookie => session(a => 1))->status, 403, 'R71: a visitor with a session has not either';
    my $id = session('/users/', user => 'ann');
    calls_are { get('/age/?get=user', cookie => $id) } ['GetItem'], 'R71: a recent login is one read';
    is_deeply [res()->status, res()->line('get user')], [200, 'ann'], 'R71: ... and suffices';
    age($id, 290, created => 1);
    is get('/age/?get=user', cookie => $id)->status, 200, 'R71: for as long as the place says';
    age($id, 20, created => 1);
    is get('/age/?get=user', cookie => $id)->status, 403, 'R71: and no longer';
    is get('/users/?get=user', cookie => $id)->status, 200, 'R71: the session goes on elsewhere';
    is get('/age-open/?get=user', cookie => $id)->status, 200, 'R71: and where another condition suffices';
    get('/users/?renew', cookie => $id);
    is get('/age/?get=user', cookie => res()->cookie('id'))->status, 200, 'R71: a renewal by a program, as after a login, begins anew';
}

note 'Beside the guard against other sites';
{
    my $id = session('/users/', user => 'ann');
    my @foreign = (method => 'POST', body => '', cookie => $id, headers => ['Sec-Fetch-Site', 'cross-site']);
    is http(path => '/age/guarded/?get=user', @foreign)->status, 403, 'R71: a recent login does not let another site in';
    age($id, 400, created => 1);
    is http(path => '/age/guarded/?get=user', @foreign)->status, 403, 'R71: nor does an old one, which that guard would have refused';
    is http(path => '/age/guarded/?get=user', method => 'POST', body => '', cookie => $id)->status, 403, 'R71: ... and which is refused by itself';
    expect_log(qr/came from another site|another site/);
}

note 'Of a form';
{
    my $login = sub { my $id = shift; return post('/age-form/login', form('alice', @_), defined $id ? (cookie => $id) : ()) };
    is get('/age-form/page')->status, 401, 'R143: a form asks who is not logged in';
    post('/age-form/page', form('alice'));
    is res()->status, 200, 'R143: the request that logs in meets the condition itself';
    my $id = res()->cookie('id');
    is get('/age-form/page', cookie => $id)->status, 200, 'R143: and so do those after it';
    age($id, 400, created => 1);
    calls_are { get('/age-form/page', cookie => $id) } [qw(GetItem UpdateItem)], 'R143: later it is refused at the cost of a read, and a touch';
    is res()->status, 401, 'R143: ... with the form, although the user is logged in';
    is get('/age-form/other', cookie => $id)->status, 200, 'R143: ... who still may see other pages';
    isnt $login->($id, 'wrong')->status, 302, 'R143: a wrong password changes nothing';
    is get('/age-form/page', cookie => $id)->status, 401, 'R143: ... at all';
    is $login->($id)->status, 302, 'R143: the right one does';
    my $new = res()->cookie('id');
    isnt $new, $id, 'R143: ... with a new ID';
    is get('/age-form/page', cookie => $new)->status, 200, 'R143: ... for as long again';
}

note 'While the table fails';
{
    my $id = session('/users/', user => 'ann');
    fault(op => 'GetItem', kind => '500', count => 0);
    is get('/age/?get=user', cookie => $id)->status, 503, 'R318: nobody is let in who cannot be judged';
    clear_faults();
    expect_log(qr/the session could not be read/, qr/AH01816/, qr/AH01630: client denied/, qr/AH01631: user alice: authorization failure/,
        qr/AH01807|AH01617|authentication failure/);
}

done;
