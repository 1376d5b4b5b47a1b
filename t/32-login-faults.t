# Login when a step of it fails, and when other requests of the same session are under way: nothing is lost but a
# session that nobody knows of.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Login;

# The request in the block fails, and the session is as it was, and there is no other row in the end.
sub fails (&$$) {
    my($block, $old, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $before = row_of($old);
    $block->();
    is res()->status, 503, "$sentence: 503";
    is_deeply [res()->set_cookies], [], '... no cookie';
    is res()->header('Location'), undef, '... no redirect';
    quiet();
    clear_faults();
    my $after = row_of($old);
    is_deeply $after, $before, '... the session as it was';
    ok eventually(sub { 1 == (() = rows()) }), '... and no other row in the end';
    return;
}

note 'A step fails';
expect_log qr/\[session_dynamodb:error\].*the session could not be written/, qr/\[session:error\].*AH01822/,
    qr/\[session_dynamodb:warn\].*queued removal of an unused row failed/;
my @ways = (['/form/login', sub { post('/form/login', form('alice'), cookie => $_[0]) }],
            ['/form/page',  sub { post('/form/page?get=a', form('alice'), cookie => $_[0]) }],
            ['/basic/',     sub { get('/basic/?get=a', cookie => $_[0], basic('alice')) }]);
my @faults = (
    ['the new row is refused',              { op => 'PutItem', kind => 'error', count => 1 }],
    ['the new row fails three times',       { op => 'PutItem', kind => '500', count => 3 }],
    ['the new row may be there',            { op => 'PutItem', kind => 'did_but_500', count => 3 }],
    ['the answers to the new row are lost', { op => 'PutItem', kind => 'close_after', count => 3 }],
    ['the old session is not ended',        { op => 'UpdateItem', kind => '500', count => 3 }],
    ['... nor the new row deleted at once',  { op => 'any', skip => 2, kind => '500', count => 6 }],
    ['the connection breaks at the end',    { op => 'UpdateItem', kind => 'close_before', count => 3 }],
);
for my $i (0 .. $#faults) {
    my($what, $fault) = @{ $faults[$i] };
    my($path, $login) = @{ $ways[$i % @ways] };
    clear_tables();
    my $old = session(a => 1);
    fault(%$fault);
    fails { $login->($old) } $old, "$path, $what";
    moves { $login->($old) } $old, '... and the next try';
}

note 'A step whose answer gets lost once';
for my $op (qw(PutItem UpdateItem)) {
    clear_tables();
    my $old = session(a => 1);
    fault(op => $op, kind => 'close_after', count => 1);
    post('/form/login', form('alice'), cookie => $old);
    is res()->status, 302, "$op: the login goes on";
    is_tombstone($old);
    like data(res()->cookie('id')), qr/^a=1&/, '... the new one is there';
    is scalar(live_rows()), 1, '... and no other';
}

note 'No answer at all to the end of the old session, which was done: the one case that can not be settled';
{
    clear_tables();
    my $old = session(a => 1);
    fault(op => 'UpdateItem', kind => 'did_but_500', count => 3);
    post('/form/login', form('alice'), cookie => $old);
    is res()->status, 503, 'the answer is 503';
    is_deeply [res()->set_cookies], [], '... without a cookie';
    ok eventually(sub { 1 == (() = rows()) }), '... and nothing is left that nobody knows of';
    is_tombstone($old, '... but what the table sweeps');
    clear_faults();
    calls_are { post('/form/login', form('alice'), cookie => $old) } [qw(GetItem PutItem)], '... the next try';
    is get('/form/page?user', cookie => res()->cookie('id'))->line('user'), 'alice', '... is a login';
}

note 'Another request saves meanwhile';
{
    clear_tables();
    my $old = session(a => 1);
    my $login = connection();
    fault(op => 'PutItem', kind => 'hold');
    my @calls = calls_of {
        $login->send_request(method => 'POST', path => '/form/login', body => form('alice'),
                             headers => [['Cookie', "id=$old"]]);
        ok held(1), 'the login is about to make the new row';
        is get('/test/?set=b:2', cookie => $old)->status, 200, '... another request saves';
        release();
        my $answer = $login->read_response;
        is $answer->status, 302, '... and the login succeeds';
        my $id = $answer->cookie('id');
        note_secret($id);
        like data($id), qr/^a=1&b=2&members-pw=/, '... and has what the other saved';
        is row_of($id)->{version}{N}, 2, '... as one change more';
        is_tombstone($old);
        is scalar(live_rows()), 1, '... and there is one session';
        stays { get('/form/page?get=b', cookie => $id) } $id, '... which knows its user';
    } 8;
    is join(' ', map { $_->{op} } @calls),
        'GetItem PutItem GetItem UpdateItem UpdateItem UpdateItem UpdateItem GetItem', '... in that order of calls';

    note '... and bringing that over fails';
    clear_tables();
    $old = session(a => 1);
    $login = connection();
    fault(op => 'PutItem', kind => 'hold');
    $login->send_request(path => '/basic/?get=a',
                         headers => [['Cookie', "id=$old"], [@{ { basic('alice') }->{headers} }]]);
    ok held(1), 'the login is about to make the new row';
    get('/test/?set=b:2', cookie => $old);
    fault(op => 'UpdateItem', kind => '500', count => 3, skip => 1);
    release();
    my $answer = $login->read_response;
    is $answer->status, 503, '... and fails';
    is_deeply [$answer->set_cookies], [], '... without a cookie';
    is data($old), 'a=1&b=2', '... nothing is lost';
    ok eventually(sub { 1 == (() = rows()) }), '... and no other row is left';
    clear_faults();
    my $id = moves { get('/basic/?get=a', cookie => $old, basic('alice')) } $old, '... and the next try';
    is data($id), 'a=1&b=2', '... has all data';
}

note 'Another request is still under way with the old ID';
for my $case (['reads', 'get=a', 200], ['writes', 'set=b:2', 503]) {
    my($what, $op, $status) = @$case;
    clear_tables();
    my $old = session(a => 1);
    my $slow = connection();
    $slow->send_request(path => "/test/?meet=$what&$op", headers => [['Cookie', "id=$old"]]);
    ok here($what), "it $what";
    my $id = moves { post('/form/login', form('alice'), cookie => $old) } $old, 'the login';
    let_go($what);
    my $answer = $slow->read_response;
    is $answer->status, $status, $status == 200 ? '... the other one ends well' : '... the other one is refused';
    is $answer->header('Retry-After'), $status == 503 ? 2 : undef, '... for now, if at all';
    is_deeply [$answer->set_cookies], [], '... without a cookie';
    quiet();
    is_tombstone($old, '... the old ID stays dead');
    unlike data($id), qr/b=2/, '... and the new session is the login\'s';
}

note 'Two logins at once with the same ID';
{
    clear_tables();
    my $old = session(a => 1);
    fault(op => 'UpdateItem', kind => 'hold', count => 2);
    my @logins = map { connection() } 1, 2;
    $_->send_request(method => 'POST', path => '/form/login', body => form('alice'), headers => [['Cookie', "id=$old"]])
        for @logins;
    ok held(2), 'both are about to end the old session';
    release();
    my @answers = map { $_->read_response } @logins;
    my @ids = grep { defined } map { $_->cookie('id') } @answers;
    note_secret(@ids);
    is_deeply [map { $_->status } @answers], [302, 302], 'both end well';
    quiet();
    is_tombstone($old);
    is_deeply [sort map { $_->{id}{S} } live_rows()], [sort map { key_of($_) } @ids], '... each with its own session';
    for my $id (@ids) {
        like data($id), qr/^a=1&members-pw=/, '... with what there was';
        is get('/form/page?user', cookie => $id)->line('user'), 'alice', '... and the user';
    }
}

note 'A login whose end of the old session did not arrive, while another request ends it';
for my $case (['a login', sub { post('/form/login', form('alice'), cookie => $_[0]) }, 1],
              ['a new ID', sub { get('/test/?renew', cookie => $_[0]) }, 1],
              ['a logout', sub { get('/test/?end', cookie => $_[0]) }, 0]) {
    my($what, $other, $left) = @$case;
    clear_tables();
    my $old = session(a => 1);
    # The first attempt gets no answer, the second waits.
    fault(contains => '#v=:v0', kind => 'close_before');
    fault(contains => '#v=:v0', kind => 'hold');
    my $login = connection();
    $login->send_request(method => 'POST', path => '/form/login', body => form('alice'),
                         headers => [['Cookie', "id=$old"]]);
    ok held(1), "$what: the login tries again";
    is $other->($old)->status, $what eq 'a login' ? 302 : 200, '... the other is done';
    my $id = res()->cookie('id');
    release();
    my $answer = $login->read_response;
    my @own = grep { defined } $answer->cookie('id');
    note_secret(@own);
    is_deeply [$answer->status, scalar @own], $left ? [302, 1] : [503, 0],
        $left ? '... the login, which was verified too, has an ID of its own' : '... the login is refused';
    quiet();
    is_deeply [sort map { $_->{id}{S} } live_rows()], [sort map { key_of($_) } @own, $left ? $id : ()],
        '... and no other session is there';
    is row_of($old), undef, '... nor anything under the old ID' if !$left;
}

note 'A row that nobody knows of can not be deleted';
{
    clear_tables();
    my $old = session(a => 1);
    fault(op => 'any', skip => 2, kind => '500', count => 9);
    post('/form/login', form('alice'), cookie => $old);
    is res()->status, 503, 'a login fails';
    ok eventually(sub { log_lines(qr/removal of an unused row/) }), '... and a line tells that its row stays';
    clear_faults();
    is data($old), 'a=1', '... the session is as it was';
    is scalar(rows()), 2, '... beside a row whose ID was never sent';
    my $id = moves { post('/form/login', form('alice'), cookie => $old) } $old, '... and the next try';
    like data($id), qr/^a=1&members-pw=/, '... has all data';
}

note 'Many parallel requests around a login';
{
    clear_tables();
    my $old = session(a => 1);
    my @list = ((map { [path => "/test/?get=a&set=k$_:v", cookie => $old] } 1 .. 4),
                [path => '/form/login', method => 'POST', body => form('alice'), cookie => $old],
                (map { [path => "/test/?get=a&set=k$_:v", cookie => $old] } 5 .. 8));
    my @answers = parallel(@list);
    my $login = splice @answers, 4, 1;
    is $login->status, 302, 'the login succeeds';
    my $id = $login->cookie('id');
    is_tombstone($old);
    like data($id), qr/^a=1&/, '... the new session is there';
    my %has = map { /^(k\d)=/ ? ($1 => 1) : () } split /&/, data($id);
    is_deeply [map { $_->status } @answers], [map { $has{"k$_"} ? 200 : 503 } 1 .. 8],
        '... with each change that was not refused';
    is_deeply [map { $_->set_cookies } @answers], [], '... no cookie but the login\'s';
    is scalar(live_rows()), 1, '... and no other session';
}

done;
