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
for my $op (qw(PutItem UpdateItem DeleteItem)) {
    clear_tables();
    my $old = session(a => 1);
    fault(op => $op, kind => 'close_after', count => 1);
    post('/form/login', form('alice'), cookie => $old);
    is res()->status, 302, "$op: the login goes on";
    is row_of($old), undef, '... the old session is gone';
    like data(res()->cookie('id')), qr/^a=1&/, '... the new one is there';
    is scalar(rows()), 1, '... and no other';
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
    cmp_ok((rows())[0]{expires}{N}, '<', time - 3600, '... but what the table sweeps');
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
        is row_of($old), undef, '... and the old session is gone';
        is scalar(rows()), 1, '... and there is one';
        stays { get('/form/page?get=b', cookie => $id) } $id, '... which knows its user';
    } 9;
    is join(' ', map { $_->{op} } @calls),
        'GetItem PutItem GetItem UpdateItem UpdateItem UpdateItem UpdateItem DeleteItem GetItem', '... in that order of calls';

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
for my $case (['reads', 'get=a'], ['writes', 'set=b:2']) {
    my($what, $op) = @$case;
    clear_tables();
    my $old = session(a => 1);
    my $slow = connection();
    $slow->send_request(path => "/test/?meet=$what&$op", headers => [['Cookie', "id=$old"]]);
    ok here($what), "it $what";
    my $id = moves { post('/form/login', form('alice'), cookie => $old) } $old, 'the login';
    let_go($what);
    my $answer = $slow->read_response;
    is $answer->status, 200, '... the other one ends well';
    is_deeply [$answer->set_cookies], [], '... without a cookie';
    quiet();
    is row_of($old), undef, '... the old ID stays dead';
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
    is scalar(@ids), 1, '... one of them gives a new ID';
    quiet();
    is scalar(rows()), 1, '... and there is one session';
    like data($ids[0]), qr/^a=1&members-pw=/, '... with the user';
}

note 'A login whose end of the old session did not arrive, while another request ends it';
for my $case (['a login', sub { post('/form/login', form('alice'), cookie => $_[0]) }, 1],
              ['a new ID', sub { get('/test/?renew', cookie => $_[0]) }, 1],
              ['a logout', sub { get('/test/?end', cookie => $_[0]) }, 0]) {
    my($what, $other, $left) = @$case;
    clear_tables();
    my $old = session(a => 1);
    # The first attempt gets no answer, the second waits.
    fault(contains => '#version = :loaded', kind => 'close_before');
    fault(contains => '#version = :loaded', kind => 'hold');
    my $login = connection();
    $login->send_request(method => 'POST', path => '/form/login', body => form('alice'),
                         headers => [['Cookie', "id=$old"]]);
    ok held(1), "$what: the login tries again";
    is $other->($old)->status, $what eq 'a login' ? 302 : 200, '... the other is done';
    my $id = res()->cookie('id');
    release();
    my $answer = $login->read_response;
    is_deeply [$answer->status, $answer->set_cookies], [302], '... the login ends without an ID';
    quiet();
    is_deeply [map { $_->{id}{S} } rows()], [$left ? key_of($id) : ()], '... and no other session is there';
}

note 'The old row can not be deleted';
{
    clear_tables();
    my $old = session(a => 1);
    fault(op => 'DeleteItem', kind => '500', count => 3);
    post('/form/login', form('alice'), cookie => $old);
    is res()->status, 302, 'a login succeeds';
    is get('/test/?get=a', cookie => $old)->line('get a'), '(none)', '... the old ID is dead';
    ok eventually(sub { 1 == (() = rows()) }), '... and its row goes later';

    fault(op => 'DeleteItem', kind => '500', count => 0);
    post('/form/login', form('bob'), cookie => my $alice = session(a => 1));
    my $row = row_of($alice);
    is data_of($row), '', 'what is left of a row holds no data';
    ok !exists $row->{user_mark}, '... and no user';
    cmp_ok $row->{expires}{N}, '<', time - 3600, '... and is over';
    ok eventually(sub { log_lines(qr/removal of an unused row/) }), '... and a line tells that it stays';
    clear_faults();
}

note 'Many parallel requests around a login';
{
    clear_tables();
    my $old = session(a => 1);
    my @list = ((map { [path => "/test/?get=a&set=k$_:v", cookie => $old] } 1 .. 4),
                [path => '/form/login', method => 'POST', body => form('alice'), cookie => $old],
                (map { [path => "/test/?get=a&set=k$_:v", cookie => $old] } 5 .. 8));
    my @answers = parallel(@list);
    is_deeply [map { $_->status } @answers], [(200) x 4, 302, (200) x 4], 'all of them end well';
    my $id = $answers[4]->cookie('id');
    is row_of($old), undef, '... the old ID is dead';
    like data($id), qr/^a=1&/, '... the new session is there';
    is scalar(rows() - grep { $_ } map { defined $_->cookie('id') ? 1 : 0 } @answers[0 .. 3, 5 .. 8]), 1,
        '... and others only where a request came with the dead ID and began one of its own';
}

done;
