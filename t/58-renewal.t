# IDs that are replaced because of their age (SessionDynamoDBRenewInterval): the session goes on under a new one, the old
# one leads there until the client has the new one, and is refused afterwards. Rows are made older rather than waited for.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA qw(sha512_hex);
use MIME::Base64 qw(decode_base64 encode_base64);
use SessionTest;
use SessionTest::Login;

my $KEPT = qr/session_dynamodb:warn\].*the session keeps its ID, which is older than SessionDynamoDBRenewInterval/;
my $LATE = qr/session_dynamodb:warn\].*refused a session ID that was replaced because of its age.*SHA-512 of the ID: /;

sub page { my($query, $id, @more) = @_; return get("/renewal/?$query", cookie => $id, @more) }

# A session whose ID is due, by its creation; the last activity was a moment ago.
sub due {
    my($id) = @_ ? @_ : session('/renewal/', a => 1);
    age($id, 2000, created => 1);
    age($id, -2000);
    return $id;
}

# A session under its new ID, which no request has come with yet; and the old ID.
sub renewed {
    my $old = due(@_);
    my $new = page('get=a', $old)->cookie('id');
    return ($old, $new);
}

# The same, and the client has used the new ID, for so many seconds.
sub in_use {
    my($seconds, @session) = @_;
    my($old, $new) = renewed(@session);
    page('get=a', $new);
    quiet();
    change_row($new, sub { $_->{seen}{N} -= $seconds });
    return ($old, $new);
}

# The old ID leads to the new one, which is sent again.
sub leads {
    my($old, $new, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    calls_are { page('get=a', $old) } [qw(GetItem GetItem)], "$sentence: two reads";
    is_deeply [res()->status, res()->line('get a')], [200, 1], '... show the session';
    is_deeply [map { /^id=([^;]+)/ } res()->set_cookies], [$new], '... and the same new ID is sent';
    return;
}

# It is refused, and the log tells of it.
sub is_late {
    my($old, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $hash  = sha512_hex($old);
    my $lines = () = log_lines(qr/$LATE$hash$/);
    page('get=a', $old);
    is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, '(none)'], "$sentence: a read is anonymous";
    is scalar(() = log_lines(qr/$LATE$hash$/)), $lines + 1, '... with a warning that tells the hash';
    page('set=b:2', $old);
    is_deeply [res()->status, res()->header('Retry-After'), res()->set_cookies], [503, 2], '... a change is refused';
    is scalar(() = log_lines(qr/$LATE$hash$/)), $lines + 2, '... and the log tells of that, too';
    return;
}
expect_log $LATE;

note 'When';
{
    my $id = session('/renewal/', a => 1);
    calls_are { page('get=a', $id) } ['GetItem'], 'a young ID stays';
    is_deeply [res()->set_cookies], [], '... without a cookie';
    age($id, 950, created => 1);
    age($id, -950);
    calls_are { page('get=a', $id) } ['GetItem'], '... up to the interval';
    calls_are { get('/test/?get=a', cookie => due($id)) } ['GetItem'], 'an old one stays where no interval is set';
    is row_of($id)->{issued}, undef, '... and there is no more in its row than before';
}

note 'What a renewal is';
{
    my $old    = due();
    my $before = row_of($old);
    my @calls  = calls_of { page('get=a', $old) } 3;
    is join(' ', map { $_->{op} } @calls), 'GetItem PutItem UpdateItem', 'a page with an ID that is due: two writes more';
    is_deeply [res()->status, res()->line('get a')], [200, 1], '... and the page';
    is res()->header('Cache-Control'), 'no-store', '... in no cache';
    is scalar(res()->set_cookies), 1, '... one cookie';
    like +(res()->set_cookies)[0], qr/^id=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/, '... as ever';
    my $new = res()->cookie('id');
    isnt $new, $old, '... with a new ID';
    my $row = row_of($new);
    is join(' ', sort keys %$row),
        'absolute_timeout accessed created data expires id idle_timeout issued loggable version write_id', 'the new row';
    is_deeply [@$row{qw(data created idle_timeout absolute_timeout)}], [@$before{qw(data created idle_timeout absolute_timeout)}],
        '... has data and times of the session, which does not begin anew';
    cmp_ok abs($row->{issued}{N} - time), '<', 10, '... and since when it has the ID';
    is $row->{expires}{N}, int(seconds_of($row->{accessed}{S})) + 7200, '... and ends by the last activity';
    like $calls[1]{body}{ConditionExpression}, qr/^attribute_not_exists\(/, '... made if there was none';
    my $left = row_of($old);
    is join(' ', sort keys %$left),
        'absolute_timeout accessed created data expires id idle_timeout loggable successor version write_id', 'the old row';
    is $left->{data}{B}, '', '... has no data';
    is $left->{accessed}{S}, '1970-01-01T00:00:00.000000+00:00', '... is no session to earlier versions';
    is $left->{expires}{N}, int(seconds_of($before->{created}{S})) + 43200, '... and stays as long as the session may';
    like $calls[2]{body}{ConditionExpression}, qr/^#v=:v0/, '... changed if it was as it was read';
    unlike decode_base64($left->{successor}{B}), qr/\Q$new\E/, 'it does not tell the new ID';
    calls_are { page('get=a', $new) } [qw(GetItem UpdateItem)], 'the new ID opens the session';
    is_deeply [res()->line('get a'), res()->set_cookies], [1], '... without a cookie';
}
for my $case (['a change', 'set=b:2', 'a=1&b=2', [qw(GetItem UpdateItem PutItem UpdateItem)]],
              ['an error page', 'status=404', 'a=1', [qw(GetItem PutItem UpdateItem)]],
              ['a redirect', 'redirect=/plain/page.html', 'a=1', [qw(GetItem PutItem UpdateItem)]],
              ['an internal redirect', 'internal=/test/?get=a', 'a=1', [qw(GetItem PutItem UpdateItem)]],
              ['new timeouts', 'timeouts=3000:9000', 'a=1', [qw(GetItem UpdateItem PutItem UpdateItem)]],
              ['a change that is none', 'set=a:1', 'a=1', [qw(GetItem PutItem UpdateItem)]]) {
    my($what, $query, $data, $calls) = @$case;
    my $old = due();
    calls_are { page($query, $old) } $calls, "$what: the renewal comes after its own write";
    my $new = res()->cookie('id');
    isnt $new, undef, '... sends the new ID' or next;
    is data($new), $data, '... of the session as it is then';
    is_deeply row_of($new)->{timeouts_by}, { S => 'application' }, '... with what the application set' if $what =~ /timeouts/;
    is get('/test/?get=a', cookie => $old)->line('get a'), 1, '... to which the old one leads';
}
for my $case (['a logout', 'end', [qw(GetItem DeleteItem)], ''], ['an emptying', 'clear', [qw(GetItem DeleteItem)], ''],
              ['a login', 'set=user:ann', \@RENEWAL, qr/./], ['a program\'s renew', 'renew', \@RENEWAL, qr/./]) {
    my($what, $query, $calls, $cookie) = @$case;
    my $old = due();
    calls_are { page($query, $old) } $calls, "$what at the due moment: no renewal beside";
    like res()->cookie('id'), qr/^$cookie$/, '... no cookie but its own' if !ref $cookie;
    next if !ref $cookie;
    is_tombstone($old);
    my $row = row_of(res()->cookie('id'));
    is_deeply [@$row{qw(issued created)}], [undef, { S => $row->{accessed}{S} }], '... and the time begins anew';
}

note 'The client never got the new ID';
{
    my($old, $new) = renewed();
    leads $old, $new, "request $_ with the old ID" for 1 .. 3;
    is row_of($new)->{seen}, undef, '... which counts for nothing';
    calls_are { page('set=b:2&get=a', $old) } [qw(GetItem GetItem UpdateItem)], 'a change with the old ID';
    is_deeply [res()->status, res()->cookie('id')], [200, $new], '... succeeds, with the new ID';
    is data($new), 'a=1&b=2', '... in the session of the new one';
    my $left = row_of($old);
    is $left->{data}{B}, '', '... and the old row has nothing';
    calls_are { get('/test/?set=c:3', cookie => $old) } [qw(GetItem GetItem UpdateItem)], 'where no interval is set';
    is_deeply [res()->status, res()->cookie('id')], [200, $new], '... it is the same';
    age($new, 100);
    calls_are { page('get=a', $old) } [qw(GetItem GetItem UpdateItem)], 'activity with the old ID is recorded';
    cmp_ok seconds_of(row_of($new)->{accessed}{S}), '>', time - 10, '... in the session of the new one';
    is row_of($old)->{accessed}{S}, '1970-01-01T00:00:00.000000+00:00', '... not in the old row';
    change_row($new, sub { $_->{issued}{N} -= 20_000 });
    leads $old, $new, 'five hours later';
    is_deeply row_of($old), $left, '... and the old row is as it was';
    calls_are { page('get=a', $new) } [qw(GetItem UpdateItem)], 'the new ID ages from its first use, which is now';
    is_deeply [res()->status, res()->set_cookies], [200], '... so that it stays';
    leads $old, $new, '... and the old one, for the grace';
    change_row($new, sub { $_->{seen}{N} -= 950 });
    calls_are { page('get=a', $new) } ['GetItem'], '... up to the interval';
    change_row($new, sub { $_->{seen}{N} -= 100 });
    calls_are { page('get=a', $new) } [qw(GetItem PutItem UpdateItem)], '... and then it is due';
}

note 'The client has the new ID';
{
    my($old, $new) = renewed();
    fault(kind => 'hold', op => 'UpdateItem');
    my @calls = calls_of {
        is page('get=a', $new)->line('get a'), 1, 'the first request with the new ID is answered';
        ok held(1), '... before it is noted that the ID is in use';
        release();
    } 2;
    is join(' ', map { $_->{op} } @calls), 'GetItem UpdateItem', '... with one write';
    is_deeply [res()->set_cookies], [], '... without a cookie';
    like $calls[1]{body}{UpdateExpression}, qr/^SET #s=:s$/, '... of nothing else';
    is $calls[1]{body}{ConditionExpression}, 'attribute_exists(#r) AND attribute_not_exists(#s)', '... and once';
    cmp_ok abs(row_of($new)->{seen}{N} - time), '<', 10, '... the time';
    is row_of($new)->{version}{N}, 1, '... which is no change of the session';
    calls_are { page('get=a', $new) } ['GetItem'], 'the next one costs nothing more';
    leads $old, $new, 'a request that was under way with the old ID';
    calls_are { page('set=b:2', $old) } [qw(GetItem GetItem UpdateItem)], '... a change';
    is data($new), 'a=1&b=2', '... is stored';
    change_row($new, sub { $_->{seen}{N} -= 50 });
    leads $old, $new, '... up to the end of the grace';
}
{
    my($old, $new) = renewed();
    calls_are { page('set=b:2', $new) } [qw(GetItem UpdateItem UpdateItem)], 'when the first request changes the session';
    my $row = row_of($new);
    is data($new), 'a=1&b=2', '... the change is there';
    ok $row->{seen} && $row->{issued}, '... and the note';
    calls_are { page('set=c:3', $new) } [qw(GetItem UpdateItem)], '... which a later change leaves';
    is_deeply [@{ row_of($new) }{qw(seen issued)}], [@$row{qw(seen issued)}], '... as it is';

    ($old, $new) = renewed();
    page('end', $new);
    is row_of($new), undef, 'when the first request ends the session, it is over';
    ($old, $new) = renewed();
    parallel(map { ["/renewal/?get=a", cookie => $new] } 1 .. 6);
    my @calls = calls_of { quiet() };
    ok row_of($new)->{seen}, 'six first requests at once note it';
}

note 'Both IDs in one request, such as of cookies with different paths';
for my $seen (0, 1) {
    my($old, $new) = $seen ? in_use(5) : renewed();
    for my $order ([$old, $new], [$new, $old]) {
        my $both = [join '; ', map { "id=$_" } @$order];
        get('/test/?get=a', cookies => $both);
        is_deeply [res()->line('get a'), res()->set_cookies], [1], 'lead to the same session';
        quiet();
        ok row_of($new)->{seen}, '... by the new ID, which is in use then';
        is get('/test/?set=b:2', cookies => $both)->status, 200, '... a change';
        is data($new), 'a=1&b=2', '... is stored in it';
    }
}

note 'The grace is over';
{
    my($old, $new) = in_use(61);
    calls_are { page('get=a', $old) } [qw(GetItem GetItem)], 'the old ID: two reads';
    is_late($old, '... and no session');
    is data($new), 'a=1', 'the session is as it was';
    is page('get=a', $new)->line('get a'), 1, '... and goes on with the new ID';
    calls_are { page('set=user:ann', $old) } [qw(GetItem GetItem PutItem)], 'a login with the old ID';
    is data(res()->cookie('id')), 'user=ann', '... makes a session of its own';
    post('/form/login', form('alice'), cookie => $old);
    is res()->status, 302, '... and so does one of mod_auth_form';
    is get('/form/page?user', cookie => res()->cookie('id'))->line('user'), 'alice', '... a live one';
    is get('/basic/?get=a', cookie => $old, basic('alice'))->status, 200, 'HTTP authentication goes on without a session';
    is_deeply [res()->line('get a'), res()->set_cookies], ['(none)'], '... and a cookie';
    is data($new), 'a=1', '... and the session of the new ID has none of it';
    age($new, 50_000, created => 1);
    page('set=b:2', $old);
    is res()->status, 200, 'when the session is over the old ID hinders nothing';
    is data(res()->cookie('id')), 'b=2', '... and a change begins a new session';
}

note 'Renewed twice';
{
    my($one, $two) = in_use(2000);
    my $created = row_of($two)->{created}{S};
    calls_are { page('set=b:2', $two) } [qw(GetItem UpdateItem PutItem UpdateItem)], 'the second ID is due';
    my $three = res()->cookie('id');
    is data($three), 'a=1&b=2', '... and the third has the session';
    is row_of($three)->{created}{S}, $created, '... of the same age';
    leads $two, $three, 'the second ID';
    calls_are { page('get=a', $one) } [qw(GetItem GetItem)], 'the first one: two reads';
    is_late($one, '... which end here');
    my($four) = map { change_row($three, sub { $_->{seen}{N} = time - 2000 }); page('get=a', $three)->cookie('id') } 1;
    leads $three, $four, 'the third ID leads on in turn';
    is_late($two, 'the second one');
}

note 'At once';
{
    clear_tables();
    my $old = due();
    my @slow = map { on_the_way($old, path => "/renewal/?meet=due$_&get=a") } 1 .. 8;
    is scalar(grep { here("due$_") } 1 .. 8), 8, 'eight requests have loaded the session at the due moment';
    let_go("due$_") for 1 .. 8;
    my @answers = map { answer($_) } @slow;
    is_deeply [map { $_->status } @answers], [(200) x 8], '... all succeed';
    is_deeply [map { $_->line('get a') } @answers], [(1) x 8], '... and see the session';
    my %ids = map { $_ => 1 } grep { defined } map { $_->cookie('id') } @answers;
    is scalar(keys %ids), 1, '... one new ID is given out';
    my($new) = keys %ids;
    ok eventually(sub { live_rows() == 1 }), '... of one session';
    leads $old, $new, '... to which the old ID leads';

    # Where others write at the same time, the renewal may be put off. Nothing else may be.
    clear_tables();
    $old = due();
    @slow = map { on_the_way($old, path => "/renewal/?meet=busy$_&get=a&set=k$_:v") } 1 .. 8;
    is scalar(grep { here("busy$_") } 1 .. 8), 8, 'eight changes at the due moment';
    let_go("busy$_") for 1 .. 8;
    @answers = map { answer($_) } @slow;
    is_deeply [map { $_->status } @answers], [(200) x 8], '... all succeed';
    %ids = map { $_ => 1 } grep { defined } map { $_->cookie('id') } @answers;
    cmp_ok scalar(keys %ids), '<=', 1, '... one new ID at most is given out';
    is data((keys %ids, $old)[0]), join('&', 'a=1', map { "k$_=v" } 1 .. 8), '... and the session has the changes of all';
    ok eventually(sub { live_rows() == 1 }), '... in its only row';
}
{
    my $old = due();
    my $slow = on_the_way($old, path => '/test/?meet=overtaken&set=b:2&get=a');
    ok here('overtaken'), 'a change is under way';
    my $new = page('set=c:3', $old)->cookie('id');
    my @calls = calls_of { let_go('overtaken'); $slow = answer($slow) } 3;
    is_deeply [$slow->status, $slow->line('get a'), $slow->cookie('id')], [200, 1, $new],
        '... when the ID is replaced: it succeeds, with the new ID';
    is join(' ', map { $_->{op} } @calls), 'UpdateItem GetItem UpdateItem', '... at the cost of two calls';
    is data($new), 'a=1&b=2&c=3', '... and is stored there';

    $old = due();
    $slow = on_the_way($old, path => '/users/?meet=login&set=user:ann');
    ok here('login'), 'a login is under way';
    $new = page('get=a', $old)->cookie('id');
    let_go('login');
    $slow = answer($slow);
    my $ann = $slow->cookie('id');
    is $slow->status, 200, '... when the ID is replaced: it succeeds';
    is data($ann), 'a=1&user=ann', '... with the session under an ID of its own';
    is get('/test/?get=a', cookie => $_)->line('get a'), '(none)', '... while the others open nothing' for $old, $new;
    is_tombstone($new);
}
{
    clear_tables();
    my $old = due();
    fault(kind => 'hold', op => 'PutItem');
    my @calls = calls_of {
        my $slow = on_the_way($old, path => '/renewal/?get=a');
        ok held(1), 'a renewal is about to make the new row';
        is get('/test/?set=b:2', cookie => $old)->status, 200, '... when another request changes the session';
        release();
        $slow = answer($slow);
        is_deeply [$slow->status, $slow->line('get a'), $slow->set_cookies], [200, 1], '... it is put off, and the page is sent';
    } 6;
    is join(' ', map { $_->{op} } @calls), 'GetItem PutItem GetItem UpdateItem UpdateItem DeleteItem', '... and the new row goes';
    is_deeply [map { $_->{id}{S} } rows()], [key_of($old)], '... so that there is none';
    is data($old), 'a=1&b=2', '... but the old one, with the change';
}

note 'A logout';
for my $case (['the old ID', sub { $_[0] }, [qw(GetItem GetItem DeleteItem)]],
              ['the new ID', sub { $_[1] }, [qw(GetItem DeleteItem)]]) {
    my($what, $id_of, $calls) = @$case;
    my($old, $new) = renewed();
    calls_are { get('/test/?end', cookie => $id_of->($old, $new)) } $calls, "by $what";
    is_deeply [res()->status, res()->cookie('id')], [200, ''], '... ends the cookie';
    is row_of($new), undef, '... and the session';
    is get('/test/?get=a', cookie => $_)->line('get a'), '(none)', '... for both IDs' for $old, $new;
    calls_are { get('/test/?set=b:2', cookie => $new) } ['PutItem'], '... which are unknown now';
    is res()->status, 200, '... so that a change begins a new session';
    is get('/test/?set=b:2', cookie => $old)->status, 200, '... with either of them';
    is data(res()->cookie('id')), 'b=2', '... a new one';
}
for my $how ('end', 'clear') {
    my $old = due();
    my $slow = on_the_way($old, path => "/test/?meet=over-$how&$how");
    ok here("over-$how"), "$how: a logout is under way";
    my $new = page('get=a', $old)->cookie('id');
    my @calls = calls_of { let_go("over-$how"); $slow = answer($slow) } 3;
    is_deeply [$slow->status, $slow->cookie('id')], [200, ''], '... when the ID is replaced: it succeeds';
    is join(' ', map { $_->{op} } @calls), 'DeleteItem GetItem DeleteItem', '... in two steps';
    is row_of($new), undef, '... and ends the session under its new ID, too';
    is get('/test/?get=a', cookie => $_)->line('get a'), '(none)', '... for both IDs' for $old, $new;
}
{
    clear_tables();
    my $old = due();
    fault(kind => 'hold', op => 'UpdateItem');
    my $slow = on_the_way($old, path => '/renewal/?get=a');
    ok held(1), 'a renewal is about to end the old ID';
    get('/test/?end', cookie => $old);
    release();
    $slow = answer($slow);
    is_deeply [$slow->status, $slow->set_cookies], [200], '... when a logout does: no cookie';
    ok eventually(sub { rows() == 0 }), '... and no row of it stays';
}

note 'A login during the grace';
for my $case (['mod_auth_form', sub { post('/form/login', form('alice'), cookie => $_[0]) }, qr/^a=1&members-pw=/],
              ['a program\'s entry', sub { page('set=user:ann', $_[0]) }, qr/^a=1&user=ann$/],
              ['Basic', sub { get('/basic/?get=a', cookie => $_[0], basic('alice')) }, qr/^a=1$/]) {
    my($how, $login, $data) = @$case;
    my($old, $new) = renewed();
    calls_are { $login->($old) } [qw(GetItem GetItem PutItem UpdateItem)], "$how, with the old ID";
    my $id = res()->cookie('id');
    is scalar(res()->set_cookies), 1, '... one cookie';
    like data($id), $data, '... of the session';
    is row_of($id)->{issued}, undef, '... whose ID is not one by age';
    is_tombstone($new);
    for ($old, $new) {
        is get('/test/?get=a', cookie => $_)->line('get a'), '(none)', '... the IDs before open nothing';
        get('/test/?set=b:2', cookie => $_);
        is_deeply [res()->status, res()->header('Retry-After'), res()->set_cookies], [503, 2], '... and change nothing';
    }
    unlike data($id), qr/b=2/, '... of the session';
}

note 'Users stay users';
{
    my $id = post('/form/login', form('alice'), cookie => session('/renewal/', a => 1))->cookie('id');
    $id = get('/basic/?get=a', cookie => $id, basic('bob'))->cookie('id');
    my($old, $new) = renewed($id);
    isnt $new, undef, 'a session with two users gets a new ID';
    page('get=a', $new);
    quiet();
    stays { get('/form/page?user', cookie => $new) } $new, '... which is no login of one';
    is res()->line('user'), 'alice', '... whose it is';
    stays { get('/basic/?get=a', cookie => $new, basic('bob')) } $new, '... nor of the other';
    begins_anew { get('/basic/?set=b:2', cookie => $new, basic('alice')) } $new, '... but of somebody else';

    $id = get('/basic/?set=a:1', basic('bob'))->cookie('id');
    change_row($id, sub { delete $_[0]{user_marks} });
    calls_are { page('get=a', due($id)) } ['GetItem'], 'a row of a version without realms keeps its ID, by which it marks';
}

note 'Until it ends';
{
    my $old = session('/renewal/', a => 1);
    age($old, 43_000, created => 1);
    age($old, -42_995);
    my $end = row_of($old)->{expires}{N};
    my $new = page('get=a', $old)->cookie('id');
    is row_of($new)->{expires}{N}, $end, 'the absolute end stays when the ID changes';
    is row_of($old)->{expires}{N}, $end, '... and the old ID is known until then';
    my($one, $two) = renewed();
    age($two, 43_201, created => 1);
    calls_are { page('get=a', $one) } [qw(GetItem GetItem)], 'a session that is over';
    is_deeply [res()->line('get a'), res()->set_cookies], ['(none)'], '... is over for the old ID';
    is page('get=a', $two)->line('get a'), '(none)', '... and the new one';
    ($one, $two) = renewed();
    delete_row(key_of($two));
    is page('get=a', $one)->line('get a'), '(none)', 'an ID whose successor is gone leads nowhere';
    is page('set=b:2', $one)->status, 200, '... and hinders nothing';
    ($one, $two) = renewed();
    change_row($one, sub { $_->{expires}{N} = time - 1 });
    calls_are { page('get=a', $one) } ['GetItem'], '... nor does a row that is past';
}

note 'A successor that is not this module\'s';
{
    my($one, $two) = renewed();
    my($other)     = renewed();
    my $stolen     = row_of($other)->{successor}{B};
    for my $forged ($stolen, encode_base64('x' x 59, ''), encode_base64($two, ''), encode_base64("\0" x 59, ''),
                    encode_base64('x' x 16, ''), encode_base64('x' x 3000, ''), encode_base64('', '')) {
        my($id) = renewed();
        change_row($id, sub { $_->{successor}{B} = $forged });
        calls_are { page('get=a', $id) } ['GetItem'], 'a forged one of ' . length($forged) . ' characters leads nowhere';
        is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, '(none)'], '... and does no harm';
    }
}

note 'How it travels, and how it is stored';
for my $area (qw(signed compressed maxage crypto persistent header)) {
    my $path = "/renewal/$area/";
    my $header = $area eq 'header';
    my $ask = sub { my($query, $id) = @_; get("$path?$query", $header ? (headers => ['x-id', $id]) : (cookie => $id)) };
    my $sent = sub { $header ? res()->header('x-id') : res()->cookie('id') };
    my $text = 'x' x 300;
    my $old = session($path, a => $text);
    change_row($old, sub { $_->{created}{S} =~ s/^\d{4}-\d\d-\d\dT\d\d/substr SessionTest::_iso(seconds_of($_->{created}{S}) - 3600), 0, 13/e });
    calls_are { $ask->('get=a', $old) } [qw(GetItem PutItem UpdateItem)], "$area: a renewal";
    is res()->line('get a'), $text, '... shows the data';
    my $new = $sent->();
    ok defined $new && $new ne $old, '... and sends a new ID' or next;
    like $new, qr/^[\w-]{43}\.[\w-]{27}$/, '... which is signed' if $area eq 'signed';
    is_deeply [row_of($new)->{encoding}, row_of($old)->{encoding}], [{ S => 'deflate' }, undef],
        '... of a row that is compressed' if $area eq 'compressed';
    like +(res()->set_cookies)[0], qr/; Expires=\w+, /, '... in a cookie with a date' if $area eq 'persistent';
    is_deeply [res()->set_cookies], [], '... in no cookie' if $header;
    calls_are { $ask->('get=a', $old) } [qw(GetItem GetItem)], '... again with the old ID';
    is_deeply [res()->line('get a'), $sent->()], [$text, $new], '... the same';
    calls_are { $ask->('set=b:2', $old) } [qw(GetItem GetItem UpdateItem)], '... a change with the old ID';
    is_deeply [res()->status, $sent->()], [200, $new], '... the same';
    calls_are { $ask->('get=b', $new) } [qw(GetItem UpdateItem)], '... and with the new one';
    is res()->line('get b'), 2, '... the session';
    is $sent->(), undef, '... without an ID';
    change_row($new, sub { $_->{seen}{N} -= 61 });
    is $ask->('get=a', $old)->line('get a'), '(none)', '... until the grace is over';
    is $sent->(), undef, '... which sends none';
    is $ask->('set=b:2', $old)->status, 503, '... and refuses changes';
    $ask->('end', $new);
    is row_of($new), undef, '... the end is one';
}

note 'The store fails';
expect_log $KEPT;
# What fails; what becomes of the rows: whether the old ID leads to the new one, and whether a row is left besides.
for my $case (
    ['the new row is refused', { op => 'PutItem', kind => 'error', type => 'AccessDeniedException', count => 0 },
     [qw(GetItem PutItem)], 0, 0],
    ['the new row fails', { op => 'PutItem', kind => '500', count => 3 }, [qw(GetItem PutItem PutItem PutItem DeleteItem)], 0, 0],
    ['the new row may be there', { op => 'PutItem', kind => 'did_but_500', count => 3 },
     [qw(GetItem PutItem PutItem PutItem DeleteItem)], 0, 0],
    ['the old row is not changed', { op => 'UpdateItem', kind => 'error', type => 'AccessDeniedException', count => 0 },
     [qw(GetItem PutItem UpdateItem DeleteItem)], 0, 0],
    ['the old row may be changed', { op => 'UpdateItem', kind => '500', count => 3 },
     [qw(GetItem PutItem UpdateItem UpdateItem UpdateItem)], 0, 1],
    ['the old row is changed, and no answer comes', { op => 'UpdateItem', kind => 'close_after', count => 3 },
     [qw(GetItem PutItem UpdateItem UpdateItem UpdateItem)], 1, 1],
) {
    my($what, $fault, $calls, $leads, $besides) = @$case;
    clear_tables();
    my $old    = due();
    my $before = row_of($old);
    my $lines  = () = log_lines($KEPT);
    fault(%$fault);
    calls_are { page('get=a', $old) } $calls, "$what: so much is tried";
    clear_faults();
    is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, 1], '... the page is sent, without a cookie';
    is scalar(() = log_lines($KEPT)), $lines + 1, '... and one warning';
    is scalar(rows()), 1 + $besides, '... the rows';
    if ($leads) {
        my($new) = map { $_->{id}{S} } live_rows();
        calls_are { page('set=b:2&get=a', $old) } [qw(GetItem GetItem UpdateItem)], '... the next request follows';
        is_deeply [res()->status, res()->line('get a'), key_of(res()->cookie('id'))], [200, 1, $new], '... to the new ID';
        next;
    }
    is_deeply row_of($old), $before, '... the session as it was';
    calls_are { page('set=b:2&get=a', $old) } [qw(GetItem UpdateItem)], '... goes on';
    is res()->line('get a'), 1, '... as it was';
}
for my $op ('PutItem', 'UpdateItem') {
    for my $kind ('close_after', '500') {
        my $old = due();
        fault(op => $op, kind => $kind);
        page('get=a', $old);
        my $new = res()->cookie('id');
        ok $new && $new ne $old, "$op once without success ($kind): tried again, and the new ID is sent" or next;
        leads $old, $new, '... and the old one';
    }
}
{
    my $old = due();
    fault(op => 'UpdateItem', kind => '500', count => 3);
    calls_are { page('set=b:2', $old) } [qw(GetItem UpdateItem UpdateItem UpdateItem)], 'a change that fails at the due moment';
    is_deeply [res()->status, res()->set_cookies], [503], '... fails, and is followed by no renewal';
    is data($old), 'a=1', '... the session is as it was';
    expect_log qr/session_dynamodb:error\].*the session could not be written/, qr/AH01822/;

    $old = due();
    fault(op => 'UpdateItem', kind => '500', skip => 1, count => 3);
    calls_are { page('set=b:2', $old) } [qw(GetItem UpdateItem PutItem UpdateItem UpdateItem UpdateItem)],
        'a change that succeeds, before a renewal that fails';
    is_deeply [res()->status, res()->set_cookies], [200], '... has succeeded';
    is data($old), 'a=1&b=2', '... and is there';

    my $new;
    ($old, $new) = renewed();
    fault(op => 'GetItem', kind => '500', skip => 1, count => 3);
    page('get=a', $old);
    is_deeply [res()->status, res()->set_cookies], [503], 'the new row can not be read';
    leads $old, $new, '... for a moment';
    expect_log qr/session_dynamodb:error\].*the session could not be read/, qr/AH01816/;

    ($old, $new) = renewed();
    fault(op => 'UpdateItem', kind => '500', count => 3);
    calls_are { is page('get=a', $new)->line('get a'), 1, 'the first use of the new ID can not be noted' }
        ['GetItem', ('UpdateItem') x 3], '... for it fails three times';
    is row_of($new)->{seen}, undef, '... and is not';
    leads $old, $new, '... the old ID stays good that long';
    expect_log qr/session_dynamodb:warn\].*queued note that a new session ID is in use failed/;

    $old = due();
    fault(op => 'PutItem', kind => 'hang');
    cmp_ok within { page('get=a', $old, port => 'bulk', host => 'hanging.test') }, '<', 3, 'a store that hangs';
    is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, 1], '... delays the page, and no more';
    clear_faults();
}

note 'By the clock';
{
    my $old = session('/renewal/quick/', a => 1);
    my $ask = sub { get('/renewal/quick/?get=a', cookie => $_[0]) };
    ok eventually(sub { select undef, undef, undef, 0.1; defined $ask->($old)->cookie('id') }), 'an ID is replaced after its interval';
    my $new = res()->cookie('id');
    is $ask->($old)->cookie('id'), $new, '... by one that is sent again';
    $ask->($new);
    ok eventually(sub { select undef, undef, undef, 0.1; $ask->($old)->line('get a') eq '(none)' }),
        '... until the grace is over after its first use';
}

done;
