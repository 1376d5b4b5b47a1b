# A session that was ended stays ended, whatever else is under way; what ending, emptying and not using a session costs.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Login qw(is_tombstone);

my $ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict';

sub row_of { return row(key_of($_[0])) }

# A request that waits in its handler, having loaded the session.
my $meetings = 0;

sub slow_request {
    my($path, $id) = @_;
    my $meet = 'slow' . ++$meetings;
    my $slow = connection();
    $slow->send_request(path => $path =~ s/MEET/meet=$meet/r, headers => [['Cookie', "id=$id"]]);
    ok here($meet), "$path is under way";
    return ($slow, $meet);
}

# One deletion cookie, with the attributes that the session's has.
sub ends_cookie {
    my($answer, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @cookies = $answer->set_cookies;
    is scalar(@cookies), 1, "$sentence: one cookie";
    my($value, @attributes) = split /; /, defined $cookies[0] ? $cookies[0] : '';
    is $value, 'id=', '... without a value';
    is join('; ', grep { !/^(?:Expires|Max-Age)=/ } @attributes), $ATTRIBUTES, '... of the same attributes';
    is_deeply [grep { /^(?:Expires|Max-Age)=/ } @attributes], ['Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'Max-Age=0'],
        '... and of the past';
}

note 'Slow requests that end after another one ended the session';
my %slow = (
    'a read'              => '/test/?get=a&MEET',
    'a write'             => '/test/?get=a&MEET&set=b:2',
    'a rewrite of all'    => '/test/?MEET&clear&set=b:2',
    'a write of the same' => '/test/?MEET&set=a:1',
    'a new ID'            => '/test/?MEET&renew',
    'new timeouts'        => '/test/?MEET&timeouts=300:600',
    'a write with SessionMaxAge' => '/maxage/?MEET&set=b:2',
    'a read with SessionMaxAge'  => '/maxage/?MEET&get=a',
    'a write by a program'       => '/cgi/session.pl?MEET&replace=b%3D2',
    'a write with a dated cookie' => '/persistent/?MEET&set=b:2',
    'a failing one that writes'  => '/test/?MEET&set=b:2&status=404',
);
my %end = (
    'a logout'     => sub { get('/test/?end', cookie => $_[0]) },
    'an emptying'  => sub { get('/test/?clear', cookie => $_[0]) },
    'a new ID'     => sub { get('/test/?renew', cookie => $_[0]) },
    'the operator' => sub { delete_row(key_of($_[0])) },
);
my @rounds = ((map { [$_, 'a logout'] } sort keys %slow), (map { ['a write', $_], ['a read', $_] } sort keys %end));
for my $round (@rounds) {
    my($what, $how) = @$round;
    my $id = session(a => 1);
    age($id, 70);   # so that a touch is due, and SessionMaxAge is not reached
    my($slow, $meet) = slow_request($slow{$what}, $id);
    $end{$how}->($id);
    my $is_ended = sub { $how eq 'a new ID' ? is_tombstone($id, $_[0]) : is row_of($id), undef, $_[0] };
    $is_ended->('... another request or hand ends the session');
    my $rows = rows();
    let_go($meet);
    my $answer = $slow->read_response;
    quiet();
    # What has nothing to store is not concerned.
    my $kept = $what =~ /^a read|of the same/;
    is $answer->status, $kept ? 200 : 503, "$what after $how by another one: " . ($kept ? 'a good answer' : 'refused');
    is $answer->header('Retry-After'), $kept ? undef : 2, '... for now, if at all';
    is_deeply [$answer->set_cookies], [], '... no cookie, neither set nor ended';
    $is_ended->('... the session stays gone');
    is scalar(rows()), $rows, '... and none has come from it';
    is get('/test/?get=a', cookie => $id)->line('get a'), '(none)', '... so that its ID is good for nothing';
}
is scalar(log_lines(qr/session_dynamodb:info.*refused the changes to the session with 503: another request ended it meanwhile/)),
    scalar(grep { $_->[0] !~ /^a read|of the same/ } @rounds), 'the log tells of each refused change';

note 'The same while the slow request\'s write is on the wire';
for my $case (['a save', 'set=b:2', 'UpdateItem'], ['a touch', 'get=a', 'UpdateItem']) {
    my($what, $op, $call) = @$case;
    my $id = session(a => 1);
    age($id, 300);
    fault(kind => 'hold', op => $call);
    my $slow = connection();
    $slow->send_request(path => "/test/?$op", headers => [['Cookie', "id=$id"]]);
    ok held(1), "$what is on its way to the table";
    get('/test/?end', cookie => $id);
    release();
    my $answer = $slow->read_response;
    is_deeply [$answer->status, $answer->set_cookies], [$what eq 'a save' ? 503 : 200],
        '... when another request logs out: no cookie';
    quiet();
    is row_of($id), undef, '... and the session stays gone';
}

note 'Two logouts, and a login between';
{
    my $id = session(a => 1);
    my($slow, $meet) = slow_request('/test/?MEET&end', $id);
    get('/test/?end', cookie => $id);
    let_go($meet);
    ends_cookie($slow->read_response, 'the second logout is one too');
    is row_of($id), undef, '... and the session is gone';

    $id = session(a => 1);
    ($slow, $meet) = slow_request('/test/?get=a&MEET&set=b:2', $id);
    get('/test/?end', cookie => $id);
    my $next = session(c => 3);
    let_go($meet);
    my $answer = $slow->read_response;
    is_deeply [$answer->status, $answer->set_cookies], [503],
        'a change from before the logout is refused, and leaves the new cookie alone';
    is data_of(row_of($next)), 'c=3', '... and the new session';
}

note 'What ending costs';
for my $case (['end', '/test/?end'], ['clear', '/test/?clear'], ['removing the last entry', '/test/?del=a'],
              ['by a program', '/cgi/session.pl?replace=a%3D'], ['with SessionMaxAge', '/maxage/?clear'],
              ['both ways', '/test/?clear&end'], ['end twice', '/test/?end&end']) {
    my($how, $path) = @$case;
    my $id = session(a => 1);
    my @calls = calls_of { get($path, cookie => $id) } 2;
    is join(' ', map { $_->{op} } @calls), 'GetItem DeleteItem', "$how: one read, one delete";
    is res()->status, 200, '... and the page';
    ends_cookie(res(), '... and the cookie');
    is res()->header('Cache-Control'), 'no-store', '... in no cache';
    is row_of($id), undef, '... and no row';
}
{
    my $id = get('/cookie/?set=a:1')->cookie('sess');
    get('/cookie/?end', cookie => $id, cookie_name => 'sess');
    my($cookie) = res()->set_cookies;
    is join('; ', grep { !/^(?:Expires|Max-Age)=/ } split /; /, $cookie),
        'sess=; Path=/cookie/; Domain=example.test; SameSite=Lax', 'other attributes come with the deletion too';
    $id = get('/cookie-host/?set=a:1')->cookie('__Host-id');
    get('/cookie-host/?end', cookie => $id, cookie_name => '__Host-id');
    like +(res()->set_cookies)[0], qr/^__Host-id=; Path=\/;.*; Secure;/, '... those that a __Host- cookie needs';

    $id = get('/header/?set=a:1')->header('x-id');
    calls_are { get('/header/?end', headers => ['x-id', $id]) } [qw(GetItem DeleteItem)], 'by header it costs the same';
    is_deeply [res()->all('x-id'), res()->set_cookies], [''], '... and the header comes empty';
}

note 'What it costs to end nothing';
for my $op ('end', 'clear', 'del=a', 'end&clear', 'set=a:1&del=a', 'set=a:1&clear', 'set=a:1&end', 'dirty', '') {
    for my $area ('/test/', '/maxage/', '/persistent/') {
        calls_are { get("$area?$op") } [], "$area?$op without a session costs nothing";
        is_deeply [res()->status, res()->set_cookies], [200], '... and sends nothing';
    }
}
calls_are { get('/header/?end') } [], 'by header too';
is_deeply [res()->all('x-id'), res()->set_cookies], [], '... and it sends nothing';
calls_are { get('/cgi/session.pl?replace=a%3D') } [], 'a program that removes what is not there costs nothing';
is_deeply [res()->set_cookies], [], '... and sends nothing';
{
    my $id = session(a => 1);
    get('/test/?end', cookie => $id);
    calls_are { get('/test/?end', cookie => $id) } ['GetItem'], 'ending an ended session costs the read alone';
    is_deeply [res()->set_cookies], [], '... and leaves the cookie, for all it is worth';
    calls_are { get('/test/?end', cookie => substr $id, 1) } [], '... a malformed ID not even that';
}

note 'Emptied, then filled, in one request';
for my $case (['clear', 'set=b:2', 'b=2'], ['clear', 'set=a:1', 'a=1'], ['del=a', 'set=a:3', 'a=3'],
              ['clear', 'set=b:2&clear&set=c:3', 'c=3']) {
    my($empty, $fill, $data) = @$case;
    my $id     = session(a => 1, z => 26);
    my $before = row_of($id);
    $data .= '&z=26' if $empty ne 'clear';
    calls_are { get("/test/?$empty&$fill", cookie => $id) } [qw(GetItem UpdateItem)], "$empty&$fill costs one write";
    is_deeply [res()->set_cookies], [], '... no cookie';
    is join('&', sort split /&/, data_of(row_of($id))), $data, '... and keeps what was set, and only that';
    is row_of($id)->{created}{S}, $before->{created}{S}, '... in the same session';
}
calls_are { get('/test/?clear&set=a:1') } ['PutItem'], 'without a session it makes one';
is data_of(row_of(res()->cookie('id'))), 'a=1', '... of what was set';

note 'A session that is loaded and not changed';
{
    my $id = session(a => 1, b => 2);
    for my $op ('get=a', 'dirty', 'set=a:1', 'set=c:3&del=c', 'clear&set=a:1&set=b:2', 'del=nothing') {
        calls_are { get("/test/?$op", cookie => $id) } ['GetItem'], "$op: no write";
        is_deeply [res()->set_cookies], [], '... and no cookie';
    }
    is row_of($id)->{version}{N}, 1, '... and the row is as it was';
}

note 'Emptying by a program, whatever the names are';
for my $name ('cart[tea]', "\xc3\xbc", 'two words', 'a=b', 'a&b', '100%', 'a+b', 'plain') {
    my $escaped = $name =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger;
    my $again   = sub { $_[0] =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger };
    get('/cgi/session.pl?replace=' . $again->("$escaped=1"));
    my $id = res()->cookie('id');
    my($shown) = get('/cgi/session.pl', cookie => $id)->body =~ /^HTTP_SESSION=(.*)=1$/m;
    ok $shown, "$name: is in the session" or next;
    calls_are { get('/cgi/session.pl?replace=' . $again->("$shown="), cookie => $id) } [qw(GetItem DeleteItem)],
        "... removed as HTTP_SESSION has it ($shown), it ends the session";
    is row_of($id), undef, '... the row is gone';
    ends_cookie(res(), '... the answer');
    get('/cgi/session.pl?replace=' . $again->("$escaped=1&b=2"));
    $id = res()->cookie('id');
    get('/cgi/session.pl?replace=' . $again->("$escaped=3&$escaped=&c=4"), cookie => $id);
    is join('&', sort split /&/, data_of(row_of($id))), 'b=2&c=4', '... set and removed in one header, it is gone';
}

note 'What browsers delete at logout';
{
    my $cleared = sub { scalar res()->header('Clear-Site-Data') };
    for my $place ('', 'keep/', 'none/') {
        my $wanted = $place eq 'none/' ? undef : '"cache", "storage"';
        my $id = session("/clears/$place", user => 'alice', cart => 4711);
        is $cleared->(), undef, "$place: a login deletes nothing";
        get("/clears/$place?get=user", cookie => $id);
        is $cleared->(), undef, '... nor does a page';
        get("/clears/$place?set=cart:4712", cookie => $id);
        is $cleared->(), undef, '... nor a change';
        get("/clears/$place?renew", cookie => $id);
        is $cleared->(), undef, '... nor a new ID';
        $id = res()->cookie('id');
        get("/clears/$place?del=user", cookie => $id);
        is_deeply [res()->status, $cleared->()], [200, $wanted], '... but a logout does, where it says so';
        is scalar(res()->all('Clear-Site-Data')), $wanted ? 1 : 0, '... once';
        $id = res()->cookie('id') if $place eq 'keep/';
        get("/clears/$place?get=cart", cookie => $id);
        is $cleared->(), undef, '... and no page after it';
        $id = session("/clears/$place", cart => 4711);
        get("/clears/$place?clear", cookie => $id);
        is $cleared->(), $wanted, '... and an emptied session, which ends';
    }
    get('/clears/?get=user', cookie => 'A' x 43);
    is $cleared->(), undef, 'an ID that opens nothing deletes nothing';
}

note 'A logout that fails';
{
    my $id = session(a => 1);
    fault(kind => '500', op => 'DeleteItem', count => 0);
    is get('/test/?clear', cookie => $id)->status, 503, 'a session that can not be ended is no good answer';
    ok defined res()->header('Retry-After'), '... but one that says when to try again';
    is_deeply [res()->set_cookies], [], '... and keeps the cookie, so that one can';
    is get('/test/?end', cookie => $id)->line('end'), 'failed', 'who ends it from a module is told';
    is_deeply [res()->set_cookies], [], '... and the cookie stays';
    my $cleared = session('/clears/', a => 1);
    is get('/clears/?clear', cookie => $cleared)->status, 503, '... also where browsers delete something';
    is res()->header('Clear-Site-Data'), undef, '... which is not said';
    clear_faults();
    is data_of(row_of($id)), 'a=1', '... the session is as it was';
    is get('/test/?end', cookie => $id)->line('end'), 'ok', '... and can be ended when the table is back';
    is row_of($id), undef, '... for good';
    expect_log qr/session_dynamodb:error.*the session could not be written/,
        qr/session_dynamodb:error.*the session could not be ended/, qr/session:error.*AH01822/;
}

done;
