# When a session ends: idle and absolute timeout, what records activity, SessionMaxAge, and sessions whose time runs out
# while a request is served. Rows are made older rather than waited for, with seconds to spare on either side.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX qw(floor);
use Time::HiRes qw(time);
use SessionTest;
use SessionTest::Login qw(is_tombstone);

# The end that a row's times give.
sub end_of {
    my $row  = shift;
    my $idle = floor(seconds_of($row->{accessed}{S})) + $row->{idle_timeout}{N};
    my $last = floor(seconds_of($row->{created}{S})) + $row->{absolute_timeout}{N};
    return $idle < $last ? $idle : $last;
}

sub row_of { return row(key_of($_[0])) }

# A session whose row is changed: accessed and created so many seconds ago.
sub aged {
    my($area, $idle_since, $age) = @_;
    my $id = session($area, a => 1);
    age($id, $age, created => 1);
    age($id, $idle_since - $age);
    return $id;
}

sub is_session {
    my($area, $id, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is get("$area?get=a", cookie => $id)->line('get a'), 1, $sentence;
}

# One read, no write, no cookie; the row is left to the table's time to live.
sub is_over {
    my($area, $id, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $before = row_of($id);
    calls_are { get("$area?get=a", cookie => $id) } ['GetItem'], $sentence;
    is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, '(none)'], '... which finds none';
    return is_deeply row_of($id), $before, '... and the row is left as it was';
}

# Sessions for real clocks: ended by nobody's hand but time's.
my $started     = time;
my $idle_id     = session('/idle/', a => 1);
my $absolute_id = session('/absolute/', a => 1);

note 'What is stored';
{
    my $before = time;
    my $row = row_of(session(a => 1));
    cmp_ok seconds_of($row->{created}{S}), '>=', $before - 0.001, 'created is now';
    cmp_ok seconds_of($row->{created}{S}), '<=', time, '... and not later';
    is $row->{accessed}{S}, $row->{created}{S}, 'accessed is the same';
    is_deeply [map { $row->{$_}{N} } qw(idle_timeout absolute_timeout)], [7200, 43200], 'the timeouts are the defaults';
    is $row->{expires}{N}, floor(seconds_of($row->{created}{S})) + 7200, 'expires is the idle end, the nearer one';

    $row = row_of(session('/times/', a => 1));
    is_deeply [map { $row->{$_}{N} } qw(idle_timeout absolute_timeout)], [1000, 2000], 'or the timeouts of the area';
    is $row->{expires}{N}, floor(seconds_of($row->{created}{S})) + 1000, '... with expires by them';
}

note 'Both ends, in both orders';
for my $case (['the idle end, before the absolute one', 1000, 1000], ['the idle end of a young session', 1001, 1300],
              ['the absolute end of a session in use', 5, 2000],
              ['the absolute end, with the idle one to come', 900, 2001], ['both', 1500, 2500]) {
    my($what, $idle_since, $age) = @$case;
    is_over('/times/', aged('/times/', $idle_since, $age), "$what ends a session");
}
is_session('/times/', aged('/times/', 970, 1100), 'a session lives up to its idle end');
is_session('/times/', aged('/times/', 5, 1970), '... and up to its absolute end');
{
    my $row = row_of(session('/absolute-alone/', a => 1));
    is_deeply [map { $row->{$_}{N} } qw(idle_timeout absolute_timeout)], [7200, 3600],
        'an absolute timeout below the idle one';
    is $row->{expires}{N}, floor(seconds_of($row->{created}{S})) + 3600, '... is the end';
    is_session('/absolute-alone/', aged('/absolute-alone/', 5, 3570), '... up to which a session lives');
    is_over('/absolute-alone/', aged('/absolute-alone/', 5, 3600), '... and no longer');
}

note 'Either end counts, and the row\'s expires does too';
{
    my $id = aged('/times/', 1100, 1200);
    change_row($id, sub { $_->{expires}{N} = floor(time) + 500 });
    is_over('/times/', $id, 'a row past its idle end is no session, whatever its expires says');
    $id = aged('/times/', 10, 2100);
    change_row($id, sub { $_->{expires}{N} = floor(time) + 500 });
    is_over('/times/', $id, 'a row past its absolute end is none either');
    $id = session('/times/', a => 1);
    change_row($id, sub { $_->{expires}{N} = floor(time) - 1 });
    is_over('/times/', $id, 'a row whose expires is past is none, whatever its other times say');
}

note 'A session that is over can be followed by a new one in the same request';
{
    my $id  = aged('/times/', 1100, 1200);
    my $old = row_of($id);
    calls_are { get('/times/?get=a&set=b:2', cookie => $id) } [qw(GetItem PutItem)], 'a write makes a new session';
    my $new = res()->cookie('id');
    isnt $new, $id, '... with a new ID';
    is scalar(res()->set_cookies), 1, '... given out once';
    is_deeply row_of($id), $old, '... and nothing is written to the old row';
    is data_of(row_of($new)), 'b=2', '... nor taken from it';
}

note 'Activity';
{
    # accessed 300 s ago, idle end nearer: the touch moves it to now + idle
    my $id     = aged('/times/', 300, 400);
    my $before = row_of($id);
    my @calls  = calls_of { is_session('/times/', $id, 'a request after some time') } 2;
    is join(' ', map { $_->{op} } @calls), 'GetItem UpdateItem', '... is recorded';
    is_deeply [sort values %{ $calls[1]{body}{ExpressionAttributeNames} }],
        [qw(absolute_timeout accessed expires id idle_timeout)], '... in a write that knows of no data';
    like $calls[1]{body}{UpdateExpression}, qr/^SET #a=:a,#e=:e$/, '... and sets times';
    my $after = row_of($id);
    cmp_ok seconds_of($after->{accessed}{S}), '>=', seconds_of($before->{accessed}{S}) + 300, '... accessed moves';
    is $after->{expires}{N}, end_of($after), '... and expires with it';
    is $after->{expires}{N}, floor(seconds_of($after->{accessed}{S})) + 1000, '... to the idle end';
    delete @$_{qw(accessed expires)} for $before, $after;
    is_deeply $after, $before, '... and nothing else';

    # between the ends: the idle end would be beyond the absolute one
    $id = aged('/times/', 500, 1300);
    calls_are { is_session('/times/', $id, 'a request in the last part of a life') } [qw(GetItem UpdateItem)],
        '... is recorded too';
    $after = row_of($id);
    is $after->{expires}{N}, floor(seconds_of($after->{created}{S})) + 2000, '... up to the absolute end';

    # nothing to move any more
    calls_are {
        for (1, 2) {
            is_session('/times/', aged('/times/', 200, 1850), 'activity that can not move the end');
        }
    } [('PutItem', 'GetItem') x 2], '... costs no write';
}

note 'How often activity is recorded';
for my $case (['/test/', 50, 0, 'not within 60 s'], ['/test/', 62, 1, 'after 60 s'],
              ['/touch-interval/', 20, 0, 'not within the interval'], ['/touch-interval/', 32, 1, 'after the interval'],
              ['/times-short/', 2, 0, 'not within a tenth of the idle timeout'],
              ['/times-short/', 11, 1, 'after a tenth of the idle timeout'],
              ['/touch/', 2, 1, 'always, with interval 0']) {
    my($area, $idle_since, $touch, $sentence) = @$case;
    my $id = session($area, a => 1);
    age($id, $idle_since);
    calls_are { get("$area?get=a", cookie => $id) } ['GetItem', ('UpdateItem') x $touch], "$area: $sentence";
}
{
    # The interval is the area's, a tenth of the idle timeout the session's: 100 s in both.
    my $id = session('/times-short/', a => 1);
    age($id, 12);
    calls_are { get('/test/?get=a', cookie => $id) } [qw(GetItem UpdateItem)],
        'a tenth of the session\'s own idle timeout counts where it is used';
}

note 'A touch is for the living';
{
    my $id = session(a => 1);
    age($id, 300);
    fault(kind => 'hold', op => 'UpdateItem');
    get('/test/?get=a', cookie => $id);
    ok held(1), 'a touch is on its way';
    delete_row(key_of($id));
    release();
    quiet(150);
    is row_of($id), undef, '... to a row that is deleted meanwhile: there is none afterwards';

    # Another request saved new timeouts: an end computed from the old ones would be wrong.
    $id = session(a => 1);
    age($id, 300);
    fault(kind => 'hold', op => 'UpdateItem', contains => 'attribute_exists');
    get('/test/?get=a', cookie => $id);
    ok held(1), 'a touch is on its way';
    get('/test/?timeouts=100:200&set=b:2', cookie => $id);
    my $saved = row_of($id);
    release();
    quiet(150);
    is_deeply row_of($id), $saved, '... to a row that another request saves meanwhile: the save stands';
}

note 'A save records activity too';
{
    my $id    = aged('/times/', 500, 600);
    my $before = row_of($id);
    calls_are { get('/times/?set=b:2', cookie => $id) } [qw(GetItem UpdateItem)], 'in one write';
    my $after = row_of($id);
    cmp_ok seconds_of($after->{accessed}{S}), '>=', seconds_of($before->{accessed}{S}) + 500, '... accessed moves';
    is $after->{expires}{N}, end_of($after), '... and expires';
    is_deeply $after->{created}, $before->{created}, '... never created';
}

note 'Of the session\'s timeouts and those of the area, the nearer count';
{
    my $id = session('/times/', a => 1);
    age($id, 50, created => 1);
    is_session('/times-short/', $id, 'a session is one where timeouts are shorter, within these');
    like get('/times-short/?times', cookie => $id)->line('times'), qr/ idle=100 absolute=200$/, '... by which it lives there';
    get('/times-short/?set=b:2', cookie => $id);
    is_deeply [map { row_of($id)->{$_}{N} } qw(idle_timeout absolute_timeout)], [1000, 2000],
        '... and it keeps its own when it is saved there';
    is row_of($id)->{expires}{N}, end_of(row_of($id)), '... with expires by them';
    is row_of($id)->{timeouts_by}, undef, '... for no application set them';

    for my $case (['the idle timeout', 150, 150], ['the absolute timeout', 5, 250]) {
        my($what, $idle_since, $age) = @$case;
        $id = aged('/times/', $idle_since, $age);
        is_over('/times-short/', $id, "past $what of an area it is none there");
        my $before = row_of($id);
        calls_are { get('/times-short/?get=a&set=c:3', cookie => $id) } [qw(GetItem PutItem)],
            '... and a change begins a new one';
        is data_of(row_of(res()->cookie('id'))), 'c=3', '... with nothing of it';
        is_deeply row_of($id), $before, '... while its row is left as it was';
        is_session('/times/', $id, '... because it goes on where timeouts are longer');
        quiet();
    }

    $id = session('/times-short/', a => 1);
    age($id, 150);
    is_over('/times/', $id, 'past its own idle timeout a session is none where timeouts are longer either');
    is_over('/times/', aged('/times-short/', 5, 250), '... nor past its absolute one');

    # What an application decides for a session, such as for "keep me logged in", it decides for all areas.
    $id = session('/times/', a => 1);
    get('/times/?timeouts=900:1800', cookie => $id);
    is_deeply row_of($id)->{timeouts_by}, { S => 'application' }, 'timeouts that an application set are stored as that';
    age($id, 500, created => 1);
    is_session('/times-short/', $id, '... and hold where others are shorter');
    like get('/times-short/?times', cookie => $id)->line('times'), qr/ idle=900 absolute=1800$/, '... whoever asks';
    quiet();
    get('/times/?set=b:2', cookie => $id);
    is_deeply row_of($id)->{timeouts_by}, { S => 'application' }, '... after the next change, too';
    $id = get('/times/?renew', cookie => $id)->cookie('id');
    age($id, 500, created => 1);
    is_session('/times-short/', $id, '... and under a new ID');
    is_over('/times-short/', aged('/times/', 950, 960), '... but every other session ends by the area\'s');
    age($id, 950, created => 1);
    is_over('/times-short/', $id, '... and they do end it');
    $id = get('/times-short/?timeouts=300:600&set=a:1')->cookie('id');
    age($id, 250, created => 1);
    is_session('/times-short/', $id, 'a new session can have them from the start');
}

note 'New timeouts for a session';
{
    my $id     = session(a => 1);
    my $before = row_of($id);
    my @calls  = calls_of { get('/test/?timeouts=300:600', cookie => $id) } 2;
    is res()->line('timeouts'), 'ok', 'a request can set them';
    is join(' ', map { $_->{op} } @calls), 'GetItem UpdateItem', '... and they are saved though no entry changed';
    my $after = row_of($id);
    is_deeply [map { $after->{$_}{N} } qw(idle_timeout absolute_timeout)], [300, 600], '... as they were given';
    is $after->{expires}{N}, floor(seconds_of($after->{accessed}{S})) + 300, '... expires follows';
    is_deeply [$after->{data}, $after->{created}], [$before->{data}, $before->{created}], '... the rest does not';
    is $after->{version}{N}, 2, '... and it counts as a write';
    is_deeply [res()->set_cookies], [], '... without a cookie';

    age($id, 500, created => 1);
    my $over = row_of($id);
    calls_are { get('/test/?timeouts=3000:6000', cookie => $id) } ['GetItem'], 'too late for a session that is over';
    is_deeply row_of($id), $over, '... whose row is left as it was';

    $id = aged('/times/', 100, 500);
    get('/times/?timeouts=100:400', cookie => $id);
    is res()->status, 200, 'an absolute timeout shorter than the session\'s age';
    is row_of($id)->{expires}{N}, end_of(row_of($id)), '... is stored';
    is_over('/times/', $id, '... and ends it');

    $id = get('/test/?timeouts=300:600&set=a:1')->cookie('id');
    $after = row_of($id);
    is_deeply [map { $after->{$_}{N} } qw(idle_timeout absolute_timeout version)], [300, 600, 1],
        'a new session can have its own';
    is $after->{expires}{N}, floor(seconds_of($after->{created}{S})) + 300, '... from the start';
    calls_are { get('/test/?timeouts=300:600') } [], 'an unused one costs nothing for all that';
    is_deeply [res()->set_cookies], [], '... and sends nothing';
    calls_are { get('/test/?timeouts=0:600&timeouts=300:0&timeouts=-1:5', cookie => $id) } ['GetItem'],
        'nonsense is not stored';
    is res()->line('timeouts'), 'invalid', '... but refused';
}

note 'New timeouts against another request';
for my $case (['timeouts=300:600', 'set=b:2', 'data'], ['set=b:2', 'timeouts=300:600', 'timeouts']) {
    my($slow_op, $fast_op, $what) = @$case;
    my $id   = session(a => 1);
    my $slow = connection();
    $slow->send_request(path => "/test/?get=a&meet=to-$what&$slow_op", headers => [['Cookie', "id=$id"]]);
    ok here("to-$what"), 'a slow request is under way';
    get("/test/?$fast_op", cookie => $id);
    let_go("to-$what");
    is $slow->read_response->status, 200, "... and ends after another one changed the $what";
    my $row = row_of($id);
    is_deeply [map { $row->{$_}{N} } qw(idle_timeout absolute_timeout)], [300, 600], '... the timeouts are there';
    is data_of($row), 'a=1&b=2', '... and so is the data';
    is $row->{expires}{N}, end_of($row), '... and the end that follows';
}

note 'SessionMaxAge';
{
    my $id  = session('/maxage/', a => 1);
    my $row = row_of($id);
    is $row->{idle_timeout}{N}, 100, 'is an idle timeout, where it is the shorter one';
    is $row->{absolute_timeout}{N}, 43200, '... and leaves the absolute one alone';
    is $row->{expires}{N}, end_of($row), '... expires follows from it';
    is data_of($row), 'a=1', '... the payload does not repeat it';
    is row_of(session('/maxage-long/', a => 1))->{idle_timeout}{N}, 7200, 'a longer one changes nothing';

    for my $path ('/maxage/', '/maxage-long/', '/maxage-interval/') {
        calls_are { get($path) for 1, 2 } [], "$path: a visitor who uses no session costs nothing";
        is_deeply [res()->set_cookies], [], '... and gets no cookie';
    }

    calls_are { is_session('/maxage/', $id, 'a read-only request') } ['GetItem'], '... costs one read';
    is_deeply [res()->set_cookies], [], '... without a cookie';

    # It slides: 60 s, a request, 60 s more.
    age($id, 60);
    calls_are { is_session('/maxage/', $id, 'a request within it') } [qw(GetItem UpdateItem)], '... is recorded';
    age($id, 60);
    is_session('/maxage/', $id, '... so the session slides beyond it');
    is scalar(grep { $_->{id}{S} eq key_of($id) } rows()), 1, '... in its one row';
    quiet();
    age($id, 101);
    is_over('/maxage/', $id, '... but after that time without a request it is over');

    # Where it holds, not where the session comes from.
    $id = session(a => 1);
    age($id, 150);
    is_over('/maxage/', $id, 'it holds for a session from elsewhere');
    is_session('/test/', $id, '... which goes on elsewhere');
    age($id, 7201);
    is_over('/maxage-long/', $id, 'with one longer than ours, ours counts');

    $id = session(a => 1);
    age($id, 50);
    calls_are { is_session('/maxage/', $id, 'the touch interval') } [qw(GetItem UpdateItem)],
        '... is at most a tenth of it, for a session from elsewhere too';

    $id = session('/maxage/', a => 1);
    calls_are { get('/maxage/?set=b:2', cookie => $id) } [qw(GetItem UpdateItem)], 'a change costs one write';
    is_deeply [data_of(row_of($id)), res()->set_cookies], ['a=1&b=2'], '... and no cookie';
    calls_are { get('/maxage/?clear', cookie => $id) } [qw(GetItem DeleteItem)], 'a logout costs one delete';
    is row_of($id), undef, '... and leaves no row';
    like +(res()->set_cookies)[0], qr/^id=; /, '... nor cookie';

    # With SessionEnv, mod_session's own entry is in the session before the program runs.
    calls_are { get('/cgi-maxage/session.pl') for 1, 2 } [], 'a program that uses no session costs nothing with it';
    is_deeply [res()->set_cookies], [], '... and sends no cookie';
    $id = get('/cgi-maxage/session.pl?replace=a%3D1')->cookie('id');
    is data_of(row_of($id)), 'a=1', '... what another one stores is in the table, and nothing else';
    calls_are { get('/cgi-maxage/session.pl', cookie => $id) } ['GetItem'], '... reading it costs no write';
    like res()->line('HTTP_SESSION'), qr/^a=1(?:&expiry=\d+)?$/, '... and shows it';
    calls_are { get('/cgi-maxage/session.pl?replace=b%3D2', cookie => $id) } [qw(GetItem UpdateItem)],
        '... changing it costs one';
    is data_of(row_of($id)), 'a=1&b=2', '... of no more than what changed';
    calls_are { get('/cgi-maxage/session.pl?replace=a%3D%26b%3D', cookie => $id) } [qw(GetItem DeleteItem)],
        '... and what is emptied is ended';
}

note 'A handler slower than what is left of the session';
# All at once: rows with three seconds to live, requests that load them in time and end when these are over.
my @slow;
for my $area ('/test/', '/maxage/') {
    for my $case (['read', 'get=a'], ['write', 'set=b:2'], ['clear', 'clear'], ['renew', 'renew']) {
        my($kind, $op) = @$case;
        my $meet = "slow$kind" . ($area =~ tr/a-z//cdr);
        my $id   = session($area, a => 1);
        age($id, row_of($id)->{idle_timeout}{N} - 3);
        my $slow = { area => $area, kind => $kind, id => $id, meet => $meet, row => row_of($id),
                     connection => connection() };
        $slow->{connection}->send_request(path => "$area?get=a&meet=$meet&$op", headers => [['Cookie', "id=$id"]]);
        # One after the other: prefork may have to fork for each.
        ok here($meet), "$area $kind: under way";
        push @slow, $slow;
    }
}
my($last) = sort { $b <=> $a } map { seconds_of($_->{row}{accessed}{S}) + $_->{row}{idle_timeout}{N} } @slow;
# For "Real clocks", below: both take their time at once.
my $in_use = { started => time, id => session('/absolute/', a => 1) };
ok eventually(sub {
    select undef, undef, undef, 0.1;
    my $value = get('/absolute/?get=a', cookie => $in_use->{id})->line('get a');
    $in_use->{ended} ||= time if $value ne '1';
    return $in_use->{ended} && time > $last + 0.1;
}, 1), 'the time of all these sessions runs out';
for my $slow (@slow) {
    let_go($slow->{meet});
    my $answer = $slow->{connection}->read_response;
    my($kind, $id) = @$slow{qw(kind id)};
    is $answer->status, 200, "$slow->{area} $kind: ends well";
    is $answer->line('get a'), 1, '... it was a session when the request began';
    quiet();
    my $row = row_of($id);
    if ($kind eq 'clear') {
        is $row, undef, '... and is ended';
        like +($answer->set_cookies)[0], qr/^id=; /, '... for the browser too';
        next;
    }
    if ($kind eq 'renew') {
        is_tombstone($id, '... the old ID ends');
        is_session($slow->{area}, ($answer->set_cookies)[0] =~ /^id=([^;]+)/, '... and the new one has the session');
        next;
    }
    is_deeply [$answer->set_cookies], [], '... no cookie is set or ended';
    ok $row, '... the row is there' or next;
    is data_of($row), $kind eq 'write' ? 'a=1&b=2' : 'a=1', '... with all that was and is set';
    is $row->{version}{N}, $kind eq 'write' ? 2 : 1, '... written when there was something to write';
    is_session($slow->{area}, $id, '... and the request counts as activity: the session lives on');
}

note 'Real clocks';
# The session in use had the idle timeout of 2 s and the absolute one of 3 s before it.
ok $in_use->{ended}, 'a session in use ends by its absolute timeout';
cmp_ok $in_use->{ended} - $in_use->{started}, '>=', 2, '... and not by its idle timeout';
cmp_ok time - $started, '>=', 3, '(three seconds have passed)';
is get('/idle/?get=a', cookie => $idle_id)->line('get a'), '(none)', 'a session not in use ends by its idle timeout';
is get('/absolute/?get=a', cookie => $absolute_id)->line('get a'), '(none)', '... wherever that is';

note 'The cookie of a session that has expired';
{
    my @navigate = (headers => ['Sec-Fetch-Mode', 'navigate']);
    my $deleted  = sub { join ' ', map { /^id=;.*Max-Age=0/ ? 'deleted' : $_ } res()->set_cookies };
    my $id = session('/expire/', a => 1);
    get('/expire/?get=a', cookie => $id, @navigate);
    is $deleted->(), '', 'a page of a session that is alive leaves it';
    age($id, 8000);
    calls_are { get('/expire/?get=a', cookie => $id) } ['GetItem'], 'a session is over';
    is $deleted->(), '', '... what is no page leaves its cookie';
    get('/expire/?get=a', cookie => $id, headers => ['Sec-Fetch-Mode', 'cors']);
    is $deleted->(), '', '... nor does a script';
    get('/expire/off/?get=a', cookie => $id, @navigate);
    is $deleted->(), '', '... nor a page where it is Off';
    calls_are { get('/expire/?get=a', cookie => $id, @navigate) } [], 'a page after that asks nobody';
    is $deleted->(), 'deleted', '... and deletes it all the same';

    my $other = session('/expire/', a => 1);
    age($other, 8000);
    calls_are { get('/expire/?get=a', cookie => $other, @navigate) } ['GetItem'], 'a page of a session that is over';
    is $deleted->(), 'deleted', '... deletes its cookie';
    is res()->header('Cache-Control'), 'no-store', '... for this client alone';
    my $third = session('/expire/', a => 1);
    age($third, 8000);
    get('/expire/?set=b:2', cookie => $third, @navigate);
    is scalar(res()->set_cookies), 1, 'a page that begins a session sends one cookie';
    ok res()->cookie('id'), '... with its ID';
    get('/expire/?get=a', cookie => 'A' x 43, @navigate);
    is $deleted->(), '', 'an ID that is unknown is left alone';
    my $old = session('/expire/', a => 1);
    get('/expire/?renew', cookie => $old);
    get('/expire/?get=a', cookie => $old, @navigate);
    is $deleted->(), '', '... and so is one that was replaced';
    change_row($old, sub { $_->{expires}{N} = int(time) - 100 });
    get('/expire/?get=a', cookie => $old, @navigate);
    is $deleted->(), '', '... also when its row is over';
    my $ended = session('/expire/', a => 1);
    get('/expire/?clear', cookie => $ended);
    get('/expire/?get=a', cookie => $ended, @navigate);
    is $deleted->(), '', '... and that of a session that was ended';
}

done;
