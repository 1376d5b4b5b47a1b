# What OWASP, NIST and RFC 6265bis ask of logins, logouts, renewals and shared sessions, requirement by requirement: each
# note begins with its number in our checklist, and its source. CS: OWASP Session Management Cheat Sheet. ASVS: Application
# Security Verification Standard. WSTG: Web Security Testing Guide. More of each: 21, 31, 45, 57, 58, 68.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Login;

sub app   { my($query, $id, @more) = @_; return get("/users/?$query", defined $id ? (cookie => $id) : (), @more) }
sub shows { my($id, $entry) = @_; return app("get=$entry", $id)->line("get $entry") }
sub dead {
    my($id, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply [shows($id, 'user'), shows($id, 'a'), res()->set_cookies], ['(none)', '(none)'], $sentence;
    return;
}
my $ENDED = qr/^id=; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Secure; HttpOnly; SameSite=Strict$/;

note 'R66 R183 R219 R294 R296 R298 R320: a new ID at a login (CS "Renew", ASVS 4 3.2.1, WSTG-SESS-03, NIST 800-63B-4 5.1, CWE-384)';
{
    my %login = (
        'a program\'s entry' => sub { app('set=user:ann', $_[0]) },
        'a program\'s header' => sub { get('/control/cgi/session.pl?header=X-Session-Control:renew', cookie => $_[0]) },
        'mod_auth_form'      => sub { post('/form/login', form('alice'), cookie => $_[0]) },
        'mod_auth_form in place' => sub { post('/form/page', form('alice'), cookie => $_[0]) },
        'Basic'              => sub { get('/basic/?get=a', cookie => $_[0], basic('alice')) },
    );
    for my $how (sort keys %login) {
        my $planted = session(a => 1);
        my $new = $login{$how}->($planted)->cookie('id');
        ok $new && $new ne $planted, "$how: the ID of before the login is replaced";
        dead $planted, "R68 R73 R220 R282: ... it opens nothing any more, neither for the visitor nor for somebody who planted it";
        is shows($new, 'a'), 1, '... and the new one does';
    }
    isnt session(user => 'ann'), session(user => 'ann'), 'R133 R197: each login has an ID of its own (ASVS 5 7.2.2, ASVS 4 3.5.2)';
}

note 'R135: a new ID at each login, and the end of the current one (ASVS 5 7.2.4)';
{
    my $one = post('/form/login', form('alice'), cookie => session(a => 1))->cookie('id');
    my $two = post('/form/login', form('alice'), cookie => $one)->cookie('id');
    ok $two && $two ne $one, 'the same user logs in once more';
    dead $one, '... and the first ID is over';
}

note 'R315 R88: a login begins both times anew, and a renewal does not extend the absolute one (NIST 5.2, CS "Renewal")';
{
    my $id = session('/owasp-aged/', a => 1);
    age($id, 2000, created => 1);
    my $before = row_of($id);
    my $renewed = get('/owasp-aged/?get=a', cookie => $id)->cookie('id');
    is row_of($renewed)->{created}{S}, $before->{created}{S}, 'a renewal by age keeps the time of creation';
    my $logged_in = app('set=user:ann', $renewed)->cookie('id');
    ok row_of($logged_in)->{created}{S} gt $before->{created}{S}, 'a login does not';
}

note 'R85 R86 R87: a new ID after some time, a short safety interval, and its end (CS "Renewal Timeout")';
{
    my $id = session('/owasp-aged/', a => 1);
    age($id, 2000, created => 1);
    calls_are { get('/owasp-aged/?get=a', cookie => $id) } [qw(GetItem PutItem UpdateItem)], 'a request in mid-session';
    my $new = res()->cookie('id');
    ok $new && $new ne $id, '... gets a new ID';
    is res()->line('get a'), 1, '... and its page';
    is_deeply [map { get('/owasp-aged/?get=a', cookie => $id)->line('get a') } 1 .. 5], [(1) x 5], 'the old ID still opens the session';
    calls_are { get('/owasp-aged/?get=a', cookie => $new) } [qw(GetItem UpdateItem)], 'the client uses the new one';
    is shows($id, 'a'), 1, '... and requests that are under way go on';
    expect_log qr/\[session_dynamodb:warn\].*refused a session ID that was replaced because of its age/;
    change_row($new, sub { $_->{seen}{N} -= 61 });
    dead $id, '... for a minute: then the old ID is over';
    is shows($new, 'a'), 1, '... and the new one is not';
}

note 'R79 R90 R92 R187 R230 R231 R299: a logout ends the session in the table and the cookie (CS "Logout", ASVS 4 3.3.1, WSTG-SESS-06, NIST 5.1)';
{
    my %logout = (
        'a program removes the user' => ['/users/?del=user', sub { session('/users/', a => 1, user => 'ann') }],
        'a program says so'          => ['/control/cgi/session.pl?header=X-Session-Control:abandon', sub { session(a => 1, user => 'ann') }],
        'a module'                   => ['/users/?end', sub { session('/users/', a => 1, user => 'ann') }],
        'mod_auth_form'              => ['/form/logout', sub { post('/form/login', form('alice'), cookie => session(a => 1))->cookie('id') }],
    );
    for my $how (sort keys %logout) {
        my($path, $begin) = @{ $logout{$how} };
        my $id = $begin->();
        get($path, cookie => $id);
        is scalar(res()->set_cookies), 1, "$how: one cookie";
        like +(res()->set_cookies)[0], $ENDED, 'R78 R216 R257 R273: ... which ends the cookie, with the same attributes and a date in the past';
        is row_of($id), undef, 'R47: ... no row, and so no data';
        dead $id, "... and the ID restored opens nothing" for 1 .. 3;
    }
}

note 'R138 R238 R328: what has ended stays ended, also for requests that were under way (ASVS 5 7.4.1, WSTG-SESS-07, CWE-362, CWE-488)';
{
    my $id = session('/users/', a => 1, user => 'ann');
    my $slow = connection()->send_request(path => '/users/?meet=owasp&set=b:2', headers => [['Cookie', "id=$id"]]);
    ok here('owasp'), 'a request is under way';
    app('del=user', $id);
    let_go('owasp');
    my $response = $slow->read_response;
    is_deeply [$response->status, $response->set_cookies], [503], '... when the user logs out: its change is refused';
    ok $response->header('Retry-After'), '... with a time to try again';
    is row_of($id), undef, '... and revives nothing';
    my $one = session('/users/', a => 1);
    my $two = app('set=user:ann', $one)->cookie('id');
    my $three = app('set=user:bob', $two)->cookie('id');
    is shows($three, 'a'), '(none)', 'another user sees nothing of the one before';
    app('end', $three);
    dead $_, 'none of the IDs of a history opens anything' for $one, $two, $three;
}

note 'R1 R127: one mechanism for visitors and users, also for backends without sessions (CS)';
{
    my $id = app('set=a:1')->cookie('id');
    is shows($id, 'a'), 1, 'a visitor has a session';
    is shows(app('set=user:ann', $id)->cookie('id'), 'a'), 1, '... and takes it along as a user';
}

done;
