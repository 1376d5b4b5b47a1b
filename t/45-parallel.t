# Many requests at once on one session: what they cost, and that no change gets lost.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Login qw(is_tombstone live_rows);

my $ID      = qr/^[A-Za-z0-9_-]{43}$/;
my $MEETING = 0;

# The host "patient" gives up late: twenty writers on a slow machine are not what its deadline is for.
# All of them have loaded the session before any of them goes on. Queries for the handler, or [path, http's arguments];
# the answers in order.
sub at_once {
    my($id, @requests) = @_;
    my @names = map { 'at-once-' . ++$MEETING } @requests;
    my @connections = map {
        my($path, %also) = ref $requests[$_] ? @{ $requests[$_] } : "/test/?meet=NAME&$requests[$_]";
        $path =~ s/NAME/$names[$_]/;
        $also{headers} = [@{ $also{headers} || [] }, defined $id ? ['Cookie', "id=$id"] : ()];
        connection('bulk')->send_request(path => $path, host => 'patient.test', %also);
    } 0 .. $#requests;
    my @missing = grep { !here($_) } @names;
    is scalar(@missing), 0, scalar(@requests) . ' requests have loaded the session';
    let_go($_) for @names;
    return map { SessionTest::_seen($_->read_response) } @connections;
}

# The numbers of rounds that requests took to merge, since the last time.
my $ROUNDS_SEEN = 0;
sub rounds {
    my @all = map { /merged .* concurrent requests \(rounds: (\d+)\)/ } log_lines(qr/merged .* concurrent requests/);
    my @new = @all[$ROUNDS_SEEN .. $#all];
    $ROUNDS_SEEN = @all;
    return @new;
}

sub statuses { my %n; $n{ $_->status }++ for @_; return join ' ', map { "$n{$_} x $_" } sort keys %n }
sub entries  { return { map { split /=/, $_, 2 } split /&/, data_of(row(key_of($_[0]))) } }
sub ids      { return grep { defined && length } map { $_->cookie('id') } @_ }

note 'Fifty readers';
{
    my $id = session(a => 1);
    get('/test/?get=a', cookie => $id);
    close_connections();
    my $accepted = connections()->{accepted};
    age($id, 300);
    my $before = row(key_of($id));
    my @answers;
    my @calls = calls_of { @answers = at_once($id, ('get=a') x 50) } 51;
    is statuses(@answers), '50 x 200', 'all are answered';
    is scalar(grep { ($_->line('get a') || '') eq '1' } @answers), 50, '... all see the session';
    is ids(@answers), 0, '... none gets a cookie';
    is scalar(grep { $_->{op} eq 'GetItem' } @calls), 50, '... with one read each';
    is scalar(grep { $_->{op} eq 'UpdateItem' } @calls), 1, '... and one touch in all';
    is scalar(@calls), 51, '... and nothing else';
    my $accessed = row(key_of($id))->{accessed}{S};
    cmp_ok seconds_of($accessed), '>', seconds_of($before->{accessed}{S}) + 200, '... which is recorded';

    # One of each thread that was busy, and the one that each child writes touches on.
    cmp_ok connections()->{accepted} - $accepted, '<=', 50 + 2, '... on one connection per busy thread at most';
    for (1 .. 4) {
        my @more = at_once($id, ('get=a') x 50);
        is statuses(@more), '50 x 200', 'fifty more';
    }
    get('/test/?get=a', cookie => $id) for 1 .. 100;
    # prefork ends children that it has no use for, and their connections with them.
    cmp_ok connections()->{accepted} - $accepted, '<=', 80 + 2, '350 requests: no more than there are threads'
        unless setting('mpm') eq 'prefork';
    $accepted = connections()->{accepted};
    get('/test/?get=a', cookie => $id) for 1 .. 50;
    is connections()->{accepted} - $accepted, 0, 'fifty one after the other: not one new connection'
        unless setting('mpm') eq 'prefork';
}

note 'Twenty writers';
{
    my $id = session(a => 1);
    my @answers = at_once($id, map { "set=k$_:$_" } 1 .. 20);
    is statuses(@answers), '20 x 200', 'all succeed';
    is ids(@answers), 0, '... without a new ID';
    is_deeply entries($id), { a => 1, map { ("k$_" => $_) } 1 .. 20 }, '... and everything is there';
    is row(key_of($id))->{version}{N}, 21, '... in as many versions';
    my @rounds = rounds();
    is scalar(@rounds), 19, '... all but the first merged';
    is scalar(grep { $_ < 1 || $_ > 19 } @rounds), 0, '... in a round for each who was faster, at most';

    @answers = at_once($id, map { "set=same:$_" } 1 .. 20);
    is statuses(@answers), '20 x 200', 'of one entry: all succeed';
    my $entries = entries($id);
    like $entries->{same}, qr/^(?:1?[1-9]|10|20)$/, '... and one of them has it';
    is scalar(keys %$entries), 22, '... and no other entry was lost';

    @answers = at_once($id, map { $_ % 2 ? "del=k$_" : "set=k$_:new" } 1 .. 20);
    is statuses(@answers), '20 x 200', 'removed here, changed there: all succeed';
    $entries = entries($id);
    delete @$entries{qw(a same)};
    is_deeply $entries, { map { ("k$_" => 'new') } grep { $_ % 2 == 0 } 1 .. 20 }, '... and both happened';
}
for my $area (qw(/crypto/ /signed/ /maxage/)) {
    my $id = session($area, a => 1);
    my @answers = at_once($id, map { ["$area?meet=NAME&set=k$_:$_"] } 1 .. 8);
    is statuses(@answers), '8 x 200', "$area: all succeed";
    is get("$area?entries", cookie => $id)->line('entries') =~ s/expiry=\d+&//r,
        join('&', 'a=1', map { "k$_=$_" } 1 .. 8), '... and everything is there';
}

note 'Two at once';
for my $case (
    # one writes, then the other; what must come of a=1 and b=1
    ['different entries',             'set=a:2',          'set=b:2',         { a => 2, b => 2 }],
    ['the same entry, the later one', 'set=a:2',          'set=a:3',         { a => 3, b => 1 }],
    ['removed, then another changed', 'del=a',            'set=b:2',         { b => 2 }],
    ['changed, then another removed', 'set=b:2',          'del=a',           { b => 2 }],
    ['changed, then removed',         'set=a:2',          'del=a&set=b:2',   { b => 2 }],
    ['removed, then changed',         'del=a',            'set=a:2',         { a => 2, b => 1 }],
    ['all replaced, then one more',   'clear&set=c:1',    'set=d:1',         { c => 1, d => 1 }],
    ['one more, then all replaced',   'set=d:1',          'clear&set=c:1',   { c => 1, d => 1 }],
    ['the same by both',              'set=a:2',          'set=a:2',         { a => 2, b => 1 }],
    ['timeouts, then an entry',       'timeouts=100:200', 'set=a:2',         { a => 2, b => 1 }],
) {
    rounds();
    my($what, $first, $then, $result) = @$case;
    my $id   = session(a => 1, b => 1);
    my $slow = connection();
    my $name = 'two-' . ++$MEETING;
    $slow->send_request(path => "/test/?meet=$name&$then", headers => [['Cookie', "id=$id"]]);
    ok here($name), "$what: both have loaded";
    is get("/test/?$first", cookie => $id)->status, 200, '... one is through';
    let_go($name);
    my $answer = $slow->read_response;
    is_deeply [$answer->status, $answer->set_cookies], [200], '... then the other';
    is join(' ', rounds()), 1, '... in one round more';
    is_deeply entries($id), $result, '... and both count';
    is row(key_of($id))->{idle_timeout}{N}, 100, '... the timeouts too' if $what =~ /timeouts/;
}
{
    my $id   = session(a => 1);
    my $slow = connection();
    $slow->send_request(path => '/test/?meet=ended&set=b:2', headers => [['Cookie', "id=$id"]]);
    ok here('ended'), 'two have loaded';
    get('/test/?set=c:1', cookie => $id);
    get('/test/?end', cookie => $id);
    let_go('ended');
    my $answer = $slow->read_response;
    is_deeply [$answer->status, $answer->set_cookies], [503], 'changed and ended meanwhile: refused, no cookie';
    is row(key_of($id)), undef, '... and the session stays gone';
}
{
    my $id   = session(a => 1);
    my $slow = connection();
    $slow->send_request(path => '/test/?meet=out&clear', headers => [['Cookie', "id=$id"]]);
    ok here('out'), 'two have loaded';
    get('/test/?set=c:1', cookie => $id);
    let_go('out');
    is $slow->read_response->cookie('id'), '', 'ended, though another one changed it meanwhile';
    is row(key_of($id)), undef, '... and the session is gone';
}

{
    my $id   = session(a => 1);
    my $slow = connection();
    $slow->send_request(path => '/test/?meet=moved&set=b:2', headers => [['Cookie', "id=$id"]]);
    ok here('moved'), 'two have loaded';
    my $new = get('/test/?set=c:1&renew', cookie => $id)->cookie('id');
    let_go('moved');
    my $answer = $slow->read_response;
    is_deeply [$answer->status, $answer->set_cookies], [503], 'changed here and renewed there: refused, no cookie';
    is_tombstone($id, '... the old ID stays dead');
    is_deeply entries($new), { a => 1, c => 1 }, '... and the new session is who renewed it\'s';
    ok scalar(log_lines(
        qr/:info\].* refused the changes to the session with 503: another request ended it meanwhile/)),
        '... a line tells of it';
}
for my $case (['ended', 'end', 0], ['emptied', 'clear', 0], ['renewed', 'renew', 2]) {
    my($what, $query, $rows) = @$case;
    clear_tables();
    my $id   = session(a => 1);
    my $slow = connection();
    $slow->send_request(path => "/test/?meet=here-$what&set=b:2&renew", headers => [['Cookie', "id=$id"]]);
    ok here("here-$what"), 'two have loaded';
    get("/test/?$query", cookie => $id);
    let_go("here-$what");
    my $answer = SessionTest::_seen($slow->read_response);
    is_deeply [$answer->status, scalar $answer->set_cookies], $rows ? [200, 1] : [503, 0],
        "renewed here and $what there: " . ($rows ? 'a session of its own' : 'refused, no cookie');
    quiet();
    is scalar(live_rows()), $rows, '... and no session of it is left' . ($rows && ' but that and the other one\'s');
    is_deeply entries($answer->cookie('id')), { a => 1, b => 2 }, '... with what it stored' if $rows;
}
{
    my $id   = session(a => 1);
    my $slow = connection();
    $slow->send_request(path => '/test/?meet=longer&renew', headers => [['Cookie', "id=$id"]]);
    ok here('longer'), 'two have loaded';
    get('/test/?timeouts=100:200', cookie => $id);
    let_go('longer');
    my $row = row(key_of(SessionTest::_seen($slow->read_response)->cookie('id')));
    is_deeply [@$row{qw(idle_timeout absolute_timeout)}], [{ N => 100 }, { N => 200 }],
        'timeouts set there, renewed here: the new row has them';
}

note 'A table that says no for ever';
{
    my $id = session(a => 1);
    fault(kind => 'error', type => 'ConditionalCheckFailedException', op => 'UpdateItem', count => 0);
    my @calls = calls_of { get('/test/?set=a:2', cookie => $id, port => 'bulk', host => 'patient.test') };
    is res()->status, 503, 'it is given up';
    is scalar(grep { $_->{op} eq 'UpdateItem' } @calls), 101, '... after so many rounds';
    clear_faults();
    is_deeply entries($id), { a => 1 }, '... the session is as it was';
    expect_log qr/session_dynamodb:error\].*could not be written: .*gave up after 100 attempts/, qr/AH01822/;
}

note 'Beginners';
{
    clear_tables();
    my @answers = at_once(undef, map { "set=a:$_" } 1 .. 20);
    my %ids = map { $_ => 1 } ids(@answers);
    is scalar(keys %ids), 20, 'twenty first stores give twenty IDs';
    is scalar(rows()), 20, '... of as many rows';
    is_deeply [sort { $a <=> $b } map { entries($_)->{a} } keys %ids], [1 .. 20], '... each with its own';
}

note 'A new ID, at once';
{
    clear_tables();
    my $id = session(a => 1);
    my @answers = at_once($id, ('renew') x 10);
    is statuses(@answers), '10 x 200', 'ten renewals: no error';
    my @new = ids(@answers);
    my %new = map { $_ => 1 } @new;
    is scalar(keys %new), 10, '... each with a new ID, as each asked for it when it had verified somebody';
    is_tombstone($id);
    is_deeply [sort map { $_->{id}{S} } live_rows()], [sort map { key_of($_) } @new], '... one row each';
    is scalar(grep { get('/test/?get=a', cookie => $_)->line('get a') eq '1' } @new), 10, '... of a live session';

    $id = $new[0];
    my $before = live_rows();
    @answers = at_once($id, 'renew', 'set=b:2', 'get=a', 'set=c:3');
    is_deeply [map { $_->status } @answers[0, 2]], [200, 200], 'renewal among others: it succeeds, and so does a read';
    my($new) = ids(@answers);
    like $new, $ID, '... a new ID is given out';
    is_tombstone($id);
    is scalar(live_rows()), $before, '... there is one session';
    # b and c are there if they were saved before the renewal's last step, and refused if not.
    is_deeply entries($new), { a => 1, $answers[1]->status == 200 ? (b => 2) : (), $answers[3]->status == 200 ? (c => 3) : () },
        '... with what there was, and with what was not refused';
    is scalar(grep { $_->status !~ /^(?:200|503)$/ } @answers), 0, '... and all are one or the other';
}
{
    clear_tables();
    my $id   = session(a => 1);
    my $slow = connection();
    $slow->send_request(path => '/test/?meet=renew&set=b:2&renew', headers => [['Cookie', "id=$id"]]);
    ok here('renew'), 'a request that will renew the ID has loaded';
    is get('/test/?set=c:3', cookie => $id)->status, 200, '... another one changes the session';
    let_go('renew');
    my $new = SessionTest::_seen($slow->read_response)->cookie('id');
    like $new, $ID, '... a new ID is given out';
    is_deeply entries($new), { a => 1, b => 2, c => 3 }, '... whose session has both changes';
    is scalar(live_rows()), 1, '... and there is one session';
}
{
    clear_tables();
    my $id = session('/form/open/', a => 1);
    my $login = 'httpd_username=alice&httpd_password=secret-of-alice';
    # Held at the write of the new rows: all have loaded the old one by then.
    fault(kind => 'hold', op => 'PutItem', count => 5);
    my @connections = map {
        connection()->send_request(path => '/form/page', method => 'POST', body => $login,
                                   headers => [['Cookie', "id=$id"]])
    } 1 .. 5;
    ok held(5), 'five logins at once';
    release();
    my @answers = map { SessionTest::_seen($_->read_response) } @connections;
    is statuses(@answers), '5 x 200', '... no error';
    my @new = ids(@answers);
    my %new = map { $_ => 1 } @new;
    is scalar(keys %new), 5, '... five new IDs';
    is_tombstone($id);
    is_deeply [sort map { $_->{id}{S} } live_rows()], [sort map { key_of($_) } @new], '... a row each';
    for (@new) {
        is get('/form/page?user', cookie => $_)->line('user'), 'alice', '... a session of alice\'s';
        is get('/form/open/?get=a', cookie => $_)->line('get a'), 1, '... with all that was in it';
    }
}

note 'Logouts, at once';
{
    clear_tables();
    my $id = session(a => 1);
    my @answers = at_once($id, ('clear') x 10, ('end') x 10, map { "set=k$_:1" } 1 .. 10);
    is statuses(@answers[0 .. 19]), '20 x 200', 'twenty logouts and ten writers: no error for a logout';
    is scalar(grep { $_->status !~ /^(?:200|503)$/ } @answers[20 .. 29]), 0,
        '... and a writer came before the first of them, or is refused';
    is scalar(grep { ($_->cookie('id') || '') ne '' } @answers), 0, '... and no ID';
    is scalar(rows()), 0, '... and no row';
}

done;
