# Logins, logouts, renewals and shared sessions. Each sentence begins with the number of its row in docs/owasp.md.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use SessionTest;
use SessionTest::Login;

plan skip_all => 'the same under every MPM' if setting('mpm') ne 'event';

sub app   { my($query, $id, @more) = @_; return get("/users/?$query", defined $id ? (cookie => $id) : (), @more) }
sub shows { my($id, $entry) = @_; return app("get=$entry", $id)->line("get $entry") }
sub dead {
    my($id, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply [shows($id, 'user'), shows($id, 'a'), res()->set_cookies], ['(none)', '(none)'], $sentence;
    return;
}
my $ENDED = qr/^id=; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Secure; HttpOnly; SameSite=Strict$/;

note 'A new ID at a login';
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
        ok $new && $new ne $planted, "R66: a login replaces the ID: $how";
        dead $planted, "R73: the ID of before the login opens nothing any more: $how";
        is shows($new, 'a'), 1, "R66: ... and the new one does: $how";
    }
    isnt session(user => 'ann'), session(user => 'ann'), 'R133: each login has an ID of its own';
}

note 'A new ID at each login';
{
    my $one = post('/form/login', form('alice'), cookie => session(a => 1))->cookie('id');
    my $two = post('/form/login', form('alice'), cookie => $one)->cookie('id');
    ok $two && $two ne $one, 'R135: the same user logs in once more, and gets another ID';
    dead $one, 'R135: ... and the first ID is over';
}

note 'Times at a login and at a renewal';
{
    my $id = session('/owasp-aged/', a => 1);
    age($id, 2000, created => 1);
    my $before = row_of($id);
    my $renewed = get('/owasp-aged/?get=a', cookie => $id)->cookie('id');
    is row_of($renewed)->{created}{S}, $before->{created}{S}, 'R315: a renewal by age keeps the time of creation';
    my $logged_in = app('set=user:ann', $renewed)->cookie('id');
    ok row_of($logged_in)->{created}{S} gt $before->{created}{S}, 'R315: a login does not';
}

note 'A new ID after some time';
{
    my $id = session('/owasp-aged/', a => 1);
    age($id, 2000, created => 1);
    calls_are { get('/owasp-aged/?get=a', cookie => $id) } [qw(GetItem PutItem UpdateItem)], 'R85: a request in mid-session: two writes more';
    my $new = res()->cookie('id');
    ok $new && $new ne $id, 'R85: ... and a new ID';
    is res()->line('get a'), 1, 'R85: ... with the page';
    is_deeply [map { get('/owasp-aged/?get=a', cookie => $id)->line('get a') } 1 .. 5], [(1) x 5], 'R86: the old ID still opens the session';
    calls_are { get('/owasp-aged/?get=a', cookie => $new) } [qw(GetItem UpdateItem)], 'R87: the client uses the new one';
    is shows($id, 'a'), 1, 'R86: ... and requests that are under way go on';
    expect_log qr/\[session_dynamodb:warn\].*refused a session ID that was replaced because of its age/;
    change_row($new, sub { $_->{seen}{N} -= 61 });
    dead $id, 'R87: ... for a minute: then the old ID is over';
    is shows($new, 'a'), 1, 'R87: ... and the new one is not';
}

note 'A logout';
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
        is scalar(res()->set_cookies), 1, "R78: a logout sends one cookie: $how";
        like +(res()->set_cookies)[0], $ENDED, 'R78: ... which ends the cookie, with the same attributes and a date in the past';
        is row_of($id), undef, 'R47: ... no row is left, and so no data';
        dead $id, "R79: ... and the ID restored opens nothing" for 1 .. 3;
    }
}

note 'What has ended stays ended';
{
    my $id = session('/users/', a => 1, user => 'ann');
    my $slow = connection()->send_request(path => '/users/?meet=owasp&set=b:2', headers => [['Cookie', "id=$id"]]);
    ok here('owasp'), 'R138: a request is under way';
    app('del=user', $id);
    let_go('owasp');
    my $response = $slow->read_response;
    is_deeply [$response->status, $response->set_cookies], [503], 'R138: ... when the user logs out: its change is refused';
    ok $response->header('Retry-After'), 'R138: ... with a time to try again';
    is row_of($id), undef, 'R138: ... and revives nothing';
    my $one = session('/users/', a => 1);
    my $two = app('set=user:ann', $one)->cookie('id');
    my $three = app('set=user:bob', $two)->cookie('id');
    is shows($three, 'a'), '(none)', 'R328: another user sees nothing of the one before';
    app('end', $three);
    dead $_, 'R138: none of the IDs of a history opens anything' for $one, $two, $three;
}

note 'Visitors and users';
{
    my $id = app('set=a:1')->cookie('id');
    is shows($id, 'a'), 1, 'R1: a visitor has a session';
    is shows(app('set=user:ann', $id)->cookie('id'), 'a'), 1, 'R1: ... and takes it along as a user';
}

done;
