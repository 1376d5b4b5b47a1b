# What stays under an ID that a login replaced, and what becomes of requests that still come with it: for a minute a
# login gets a session of its own, a change is refused, a read is anonymous; then the ID is unknown. What has ended
# otherwise hinders nothing, unless it ends under a request that had it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Login;

my @BY_FORM = ('mod_auth_form\'s handler', 302, sub { (path => '/form/login', method => 'POST', body => form('alice')) },
               sub { get('/form/page?user', cookie => $_[0])->line('user') }, 'alice');
my @IN_PLACE = ('a form in place', 200, sub { (path => '/form/page?user', method => 'POST', body => form('alice')) },
                sub { get('/form/page?user', cookie => $_[0])->line('user') }, 'alice');
my @BY_ENTRY = ('a program\'s entry', 200, sub { (path => '/users/?set=user:ann') },
                sub { get('/users/?get=user', cookie => $_[0])->line('get user') }, 'ann');
my @BY_WORD  = ('a program\'s renew', 200, sub { (path => '/test/?set=user:ann&renew') },
                sub { get('/test/?get=user', cookie => $_[0])->line('get user') }, 'ann');
my @LOGINS   = (\@BY_FORM, \@IN_PLACE, \@BY_ENTRY, \@BY_WORD);

# An ID that a login replaced a moment ago, and the new one.
sub replaced {
    my $old = session(a => 1);
    my $new = post('/form/login', form('alice'), cookie => $old)->cookie('id');
    return ($old, $new);
}

# The minute is over.
sub minute_later {
    my($id) = @_;
    return change_row($id, sub { $_->{expires}{N} -= 60 });
}

my $REFUSED = qr/:info\].* refused the changes to the session with 503: /;
my $MOVED   = qr/${REFUSED}its ID was replaced a moment ago, and the client has, or will have, the new one/;
my $ENDED   = qr/${REFUSED}another request ended it meanwhile/;

# 503, to be tried again, without a cookie and without anything of the page.
sub is_refused {
    my($answer, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply [$answer->status, $answer->set_cookies], [503], "$sentence: refused, no cookie";
    is $answer->header('Retry-After'), 2, '... for now';
    is $answer->header('Cache-Control'), 'no-store', '... not for caches';
    unlike $answer->body, qr/^(?:set|get|clear)\b/m, '... with nothing of the page';
    return;
}

note 'Two clicks on a login at once';
for my $login (@LOGINS) {
    my($how, $status, $request, $user_of, $user) = @$login;
    # They meet before the write of the new row, before the end of the old one, or there with one still on its way.
    for my $op ('PutItem', 'UpdateItem') {
        clear_tables();
        my $old = session(a => 1);
        fault(kind => 'hold', op => $op, count => 3);
        my @clicks = map { on_the_way($old, $request->()) } 1 .. 3;
        ok held(3), "$how: three have loaded the session, and come to their $op";
        release();
        my @answers = map { answer($_) } @clicks;
        is_deeply [map { $_->status } @answers], [($status) x 3], '... each succeeds';
        my @ids = map { $_->cookie('id') } @answers;
        is scalar(grep { defined && length && $_ ne $old } @ids), 3, '... with a new ID';
        is_deeply [map { $user_of->($_) } @ids], [($user) x 3], '... of a live session of the user';
        is_deeply [map { data($_) =~ /^a=1&/ ? 1 : 0 } @ids], [1, 1, 1], '... with what there was before';
        is_tombstone($old);
        quiet();
        is_deeply [sort map { $_->{id}{S} } live_rows()], [sort map { key_of($_) } @ids], '... and of nobody else';
    }
}

note 'A second click when the first is through';
for my $login (@LOGINS) {
    my($how, $status, $request, $user_of, $user) = @$login;
    my($old, $new) = replaced();
    calls_are { http($request->(), cookie => $old) } [qw(GetItem PutItem)], "$how: one read, one row made";
    is res()->status, $status, '... succeeds';
    my $id = res()->cookie('id');
    is $user_of->($id), $user, '... with a live session';
    unlike data($id), qr/a=1/, '... of its own, for the old one has no data any more';
    like data($new), qr/^a=1&/, '... and the first one\'s is as it was';
    is_tombstone($old, '... and nothing is written to the old one');
}
{
    my($old) = replaced();
    get('/control/cgi/session.pl?replace=b%3D2&header=X-Session-Control:renew', cookie => $old);
    is res()->status, 200, 'a program\'s renew by header';
    is data(res()->cookie('id')), 'b=2', '... is a login, too';
    calls_are { get('/test/?renew', cookie => $old) } ['GetItem'], 'renew without anything to store';
    is_deeply [res()->status, res()->set_cookies], [200], '... begins no session';
}

note 'A second click that is overtaken at its last step';
{
    my $old = session(a => 1);
    fault(kind => 'hold', op => 'UpdateItem');
    my @calls = calls_of {
        my $slow = on_the_way($old, path => '/form/login', method => 'POST', body => form('alice'));
        ok held(1), 'a login is about to end the old session';
        my $first = post('/form/login', form('alice'), cookie => $old)->cookie('id');
        release();
        my $answer = answer($slow);
        is $answer->status, 302, '... when another one does: it succeeds';
        is get('/form/page?user', cookie => $_)->line('user'), 'alice', '... a live session' for $answer->cookie('id'), $first;
    } 8;
    is join(' ', map { $_->{op} } @calls), 'GetItem PutItem UpdateItem GetItem PutItem UpdateItem GetItem GetItem',
        '... without a call more';
}

note 'A change that is no login';
my @changes = (
    ['a module',                    '/test/?set=b:2&get=a'],
    ['a rewrite of all',            '/test/?clear&set=b:2'],
    ['with an error of its own',    '/test/?set=b:2&status=404'],
    ['a redirect',                  '/test/?set=b:2&redirect=/plain/page.html'],
    ['a program',                   '/cgi/session.pl?replace=b%3D2'],
    ['with SessionMaxAge',          '/maxage/?set=b:2'],
    ['with a dated cookie',         '/persistent/?set=b:2'],
    ['with HTTP authentication',    '/basic/?set=b:2', basic('alice')],
    ['another entry',               '/users/?set=b:2'],
);
for my $case (@changes) {
    my($what, $path, @more) = @$case;
    my($old, $new) = replaced();
    my($before, $rows, $lines) = (row_of($new), scalar(rows()), scalar(() = log_lines($MOVED)));
    calls_are { get($path, cookie => $old, @more) } ['GetItem'], "$what: one read";
    is_refused(res(), '... a change with the old ID');
    is res()->header('Location'), undef, '... no redirect';
    is scalar(() = log_lines($MOVED)), $lines + 1, '... and a line in the log';
    is_tombstone($old, '... the old row is as it was');
    is_deeply row_of($new), $before, '... the new one, too';
    is scalar(rows()), $rows, '... and there is no other';
    is get('/test/?set=b:2&get=a', cookie => $new)->status, 200, 'tried again with the new ID it succeeds';
    is res()->line('get a'), 1, '... in the session';
}

note 'A read';
for my $case (['a module', '/test/?get=a'], ['a program', '/cgi/session.pl'], ['a file', '/static/file.html'],
              ['with SessionMaxAge', '/maxage/?get=a'], ['with a dated cookie', '/persistent/?get=a'],
              ['of HTTP authentication', '/basic/?get=a', basic('alice')], ['an end', '/test/?end'],
              ['a change that is none', '/test/?set=b:2&del=b']) {
    my($what, $path, @more) = @$case;
    my($old) = replaced();
    calls_are { get($path, cookie => $old, @more) } ['GetItem'], "$what: one read";
    is_deeply [res()->status, res()->set_cookies], [200], '... answered, without a cookie';
    unlike res()->body, qr/^get a: 1|a=1/m, '... and without anything of the session';
    is_tombstone($old, '... the old row is as it was');
}
{
    my($old) = replaced();
    is get('/form/page', cookie => $old)->status, 401, 'a page for users asks for a login';
    is_deeply [res()->set_cookies], [], '... and leaves the cookie';
}

{
    # The touch of a request that began before the login: it must not make a session of the tombstone.
    my $old = session(a => 1);
    age($old, 300);
    my $slow = on_the_way($old, path => '/test/?meet=touch&get=a');
    ok here('touch'), 'a read is under way, and a touch is due';
    post('/form/login', form('alice'), cookie => $old);
    let_go('touch');
    is answer($slow)->line('get a'), 1, '... which ends well after a login';
    quiet();
    is_tombstone($old, '... and whose activity is not recorded');
    is get('/test/?set=b:2', cookie => $old)->status, 503, '... so that the old ID stays dead';
}

note 'Other carriers and rows';
{
    my $old = session('/header/', a => 1);
    my $new = get('/header/?renew', headers => ['x-id', $old])->header('x-id');
    is_tombstone($old);
    calls_are { get('/header/?set=b:2', headers => ['x-id', $old]) } ['GetItem'], 'by header';
    is_refused(res(), '... a change with the old ID');
    is_deeply [res()->all('x-id')], [], '... and no header';
    get('/header/?get=a', headers => ['x-id', $old]);
    is_deeply [res()->status, res()->line('get a'), res()->all('x-id')], [200, '(none)'], '... a read is anonymous';

    $old = session('/signed/', a => 1);
    get('/signed/?renew', cookie => $old);
    is_refused(get('/signed/?set=b:2', cookie => $old), 'a signed ID');

    $old = session('/flask/', a => 1);
    get('/flask/?renew', cookie => $old);
    is_refused(get('/flask/?set=b:2', cookie => $old), 'a row that is shared with Flask');
    is get('/flask/?get=a', cookie => $old)->line('get a'), '(none)', '... a read is anonymous';
    my $row = row($old);
    put_row({ %$row, expires => { N => $row->{expires}{N} - 60 } });
    is get('/flask/?set=b:2', cookie => $old)->status, 200, '... for a minute';
}
{
    my($old, $new) = replaced();
    calls_are { get('/test/?set=b:2&get=a', cookies => ["id=$old; id=$new"]) } [qw(GetItem GetItem UpdateItem)],
        'a browser that sends both IDs';
    is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, 1], '... is in the session of the new one';
    is_refused(get('/test/?set=b:2', cookies => ["id=$old; id=" . 'x' x 43]), 'one with an unknown ID beside the old one');
}

note 'After a minute the ID is unknown';
for my $gone (0, 1) {
    my @after = $gone ? (sub { delete_row(key_of($_[0])) }, 'and the row swept') : (\&minute_later, 'with the row still there');
    my($old, $new) = replaced();
    $after[0]->($old);
    get('/test/?get=a', cookie => $old);
    is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, '(none)'], "$after[1]: a read is anonymous";
    ($old, $new) = replaced();
    $after[0]->($old);
    my $before = row_of($old);
    calls_are { get('/test/?set=b:2', cookie => $old) } [qw(GetItem PutItem)], '... a change';
    my $id = res()->cookie('id');
    is res()->status, 200, '... succeeds';
    is data($id), 'b=2', '... in a new session with its own ID';
    is_deeply row_of($old), $before, '... and nothing is written to the old row';
    like data($new), qr/^a=1&/, '... nor to the one of the login';
}

note 'The morning after: a login with an ID that is over';
my %over = (
    'idle for too long'   => sub { my $id = session(a => 1); age($id, 8000); $id },
    'too old'             => sub { my $id = session(a => 1); age($id, 50_000, created => 1); $id },
    'a user\'s, too old'  => sub { my(undef, $id) = replaced(); age($id, 50_000, created => 1); $id },
    'replaced long ago'   => sub { my($id) = replaced(); minute_later($id); $id },
    'logged out'          => sub { my $id = session(a => 1); get('/test/?end', cookie => $id); $id },
    'swept'               => sub { my $id = session(a => 1); delete_row(key_of($id)); $id },
    'known to be unknown' => sub { my $id = session(a => 1); delete_row(key_of($id)); get('/test/?get=a', cookie => $id); $id },
    'no ID at all'        => sub { 'leftover' },
);
for my $what (sort keys %over) {
    for my $login (@LOGINS) {
        my($how, $status, $request, $user_of, $user) = @$login;
        my $id = $over{$what}->();
        my $before = row_of($id);
        my @read = $what =~ /^(?:no|known)/ ? () : 'GetItem';
        calls_are { http($request->(), cookie => $id) } [@read, 'PutItem'], "$what, $how: at the cost of a new session";
        is res()->status, $status, '... succeeds';
        my $new = res()->cookie('id');
        isnt $new, $id, '... with a new ID';
        is $user_of->($new), $user, '... of a live session';
        unlike data($new), qr/a=1/, '... without anything of the old one';
        is_deeply row_of($id), $before, '... whose row, if any, is as it was';
    }
}
for my $what (sort keys %over) {
    my $id = $over{$what}->();
    is get('/basic/?set=b:2', cookie => $id, basic('alice'))->status, 200, "$what: a change with HTTP authentication succeeds";
    is data(res()->cookie('id')), 'b=2', '... in a session of its own';
    $id = $over{$what}->();
    is get('/test/?set=b:2', cookie => $id)->status, 200, '... and so does one without';
    is data(res()->cookie('id')), 'b=2', '... in a session of its own';
}

note 'Eight changes beside a login: kept, or refused';
{
    clear_tables();
    my $old = session(a => 1);
    my @slow = map { on_the_way($old, path => "/test/?meet=eight$_&set=k$_:v") } 1 .. 8;
    is scalar(grep { here("eight$_") } 1 .. 8), 8, 'eight have loaded the session';
    fault(kind => 'hold', op => 'UpdateItem');
    my $login = on_the_way($old, path => '/form/login', method => 'POST', body => form('alice'));
    ok held(1), '... and a login, which is about to end it';
    let_go("eight$_") for 1 .. 4;
    is_deeply [map { answer($slow[$_ - 1])->status } 1 .. 4], [(200) x 4], '... four are saved before';
    release();
    my $answer = answer($login);
    is $answer->status, 302, '... the login is done';
    let_go("eight$_") for 5 .. 8;
    is_refused(answer($slow[$_ - 1]), "... number $_ comes too late") for 5 .. 8;
    my $id = $answer->cookie('id');
    like data($id), qr/^a=1&k1=v&k2=v&k3=v&k4=v&members-pw=[^&]*&members-user=alice$/, 'what was not refused is in the session';
    is scalar(live_rows()), 1, '... which is the only one';
    is_tombstone($old);
}
{
    # SessionDynamoDBLogin drop: neither what an anonymous session has, nor what somebody puts there meanwhile.
    my $old = session(planted => 1);
    fault(kind => 'hold', op => 'UpdateItem');
    my @calls = calls_of {
        my $login = on_the_way($old, path => '/users/drop/?set=user:ann');
        ok held(1), 'a login that drops is about to end the old session';
        is get('/test/?set=late:2', cookie => $old)->status, 200, '... another request changes that';
        release();
        my $id = answer($login)->cookie('id');
        is data($id), 'user=ann', '... the new session has none of it';
        is_tombstone($old);
    } 6;
    is join(' ', map { $_->{op} } @calls), 'GetItem PutItem UpdateItem GetItem UpdateItem UpdateItem', '... at the cost of one try';
}

note 'Ends that meet changes and ends';
for my $case (['a logout', sub { get('/test/?end', cookie => $_[0]) }],
              ['time', sub { change_row($_[0], sub { $_->{expires}{N} = time - 1 }) }],
              ['the operator', sub { delete_row(key_of($_[0])) }],
              ['a login', sub { post('/form/login', form('alice'), cookie => $_[0]) }]) {
    my($how, $end) = @$case;
    my $id = session(a => 1);
    my $lines = () = log_lines($ENDED);
    my $meet = 'ends-' . $how =~ tr/ //dr;
    my $slow = on_the_way($id, path => "/test/?meet=$meet&set=b:2");
    ok here($meet), 'a change is under way';
    $end->($id);
    my $before = row_of($id);
    let_go($meet);
    is_refused(answer($slow), "... when $how ends the session");
    is_deeply row_of($id), $before, '... which stays as it is';
    is scalar(() = log_lines($ENDED)), $lines + 1, '... and a line in the log';
}
{
    my $id = session(a => 1);
    fault(kind => 'hold', op => 'DeleteItem', count => 2);
    my @logouts = map { on_the_way($id, path => '/test/?end') } 1, 2;
    ok held(2), 'two logouts at once';
    release();
    my @answers = map { answer($_) } @logouts;
    is_deeply [map { ($_->status, $_->cookie('id')) } @answers], [200, '', 200, ''], '... both succeed';
    is row_of($id), undef, '... and the session is gone';
}
for my $how ('end', 'clear') {
    my $old = session(a => 1);
    my $slow = on_the_way($old, path => "/test/?meet=out-$how&$how");
    ok here("out-$how"), 'a logout is under way';
    my $new = post('/form/login', form('alice'), cookie => $old)->cookie('id');
    my @calls = calls_of {
        let_go("out-$how");
        my $answer = answer($slow);
        is $answer->status, 200, '... when a login replaces the ID: it succeeds';
        is_deeply [$answer->set_cookies], [], '... and leaves the cookie, which is the login\'s by now';
    } 1;
    is join(' ', map { $_->{op} } @calls), 'DeleteItem', '... with one call';
    like $calls[0]{body}{ConditionExpression}, qr/#a<>:a/, '... on condition that the ID was not replaced';
    is_tombstone($old, '... so that the tombstone stays');
    is get('/form/page?user', cookie => $new)->line('user'), 'alice', '... and so does the session of the login';
}

note 'A renewal that is under way when the user leaves';
for my $case (['logs out, where other entries are kept', '/users/keep/?del=user', 503], ['gives way to another one', '/users/?set=user:bob', 503],
              ['logs in once more', '/users/?renew', 200]) {
    my($how, $path, $status) = @$case;
    clear_tables();
    my $old  = session('/users/', a => 1, user => 'ann');
    my $meet = 'leaves-' . ($how =~ s/\W.*//r);
    my $slow = on_the_way($old, path => "/users/?meet=$meet&renew");
    ok here($meet), 'a renewal is under way';
    get($path, cookie => $old);
    my $new = res()->cookie('id');
    let_go($meet);
    if ($status == 503) {
        is_refused(answer($slow), "... when the user $how");
        is row_of($old)->{ended_by}{S}, 'left', '... as the row tells';
        quiet();
        is_deeply [map { $_->{id}{S} } grep { data_of($_) =~ /user=ann/ } live_rows()], [], '... and nothing of the user is left';
    }
    else {
        is answer($slow)->status, 200, "... when the user $how: it succeeds";
        is row_of($old)->{ended_by}, undef, '... for the user stays';
    }
    ok row_of($new), '... and what came first goes on';
}

note 'HTTP authentication: the first requests of a page, all at once';
{
    clear_tables();
    my $old = session(a => 1);
    fault(kind => 'hold', op => 'UpdateItem', count => 4);
    my %alice = basic('alice');
    my @requests = map { on_the_way($old, path => '/basic/?get=a', headers => [$alice{headers}]) } 1 .. 4;
    ok held(4), 'four requests with a session that does not know their user yet';
    release();
    my @answers = map { answer($_) } @requests;
    is_deeply [map { $_->status } @answers], [(200) x 4], '... none is refused';
    is_deeply [map { $_->line('get a') } @answers], [(1) x 4], '... each sees the session';
    my @ids = grep { defined } map { $_->cookie('id') } @answers;
    is scalar(@ids), 1, '... one has a new ID';
    is data($ids[0]), 'a=1', '... of the session';
    ok eventually(sub { live_rows() == 1 }), '... and no other row is left';
    is_tombstone($old);
    stays { get('/basic/?get=a', cookie => $ids[0], basic('alice')) } $ids[0], 'the next one';
    my @none = parallel(map { ['/basic/?get=a', basic('alice')] } 1 .. 4);
    is_deeply [map { ($_->status, $_->set_cookies) } @none], [(200) x 4], 'without a session none begins one';

    # What they store is another matter.
    $old = session(a => 1);
    fault(kind => 'hold', op => 'UpdateItem', count => 2);
    @requests = map { on_the_way($old, path => "/basic/?set=k$_:v", headers => [$alice{headers}]) } 1, 2;
    ok held(2), 'two that change the session';
    release();
    @answers = map { answer($_) } @requests;
    is join(' ', sort map { $_->status } @answers), '200 503', '... one is saved, the other refused';
    my($won) = grep { $answers[$_]->status == 200 } 0, 1;
    is data($answers[$won]->cookie('id')), 'a=1&k' . ($won + 1) . '=v', '... and nothing is lost that was not';
}

done;
