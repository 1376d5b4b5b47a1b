# dynamodb-session-flask, whose table, settings and IDs we follow, has tests of 56 behaviours (27 to 56 are those of the
# package dynamodb-session-web below it). Here is one check of each that httpd can have, named by its number; and of
# each defect that its sources were found to have, S1 to S16, a check that shows it is absent.
#
#  No. behaviour of the seed                               here
#   1  the first write sets the cookie                     1
#   2  clearing removes record and cookie                  2
#   3  every cookie attribute can be set                   3
#   4  cookie mode sends no header                         4
#   5  cookie mode ignores the header                      5
#   6  cookie expiry: absolute timeout or lifetime         6, with SessionDynamoDBCookiePersistent: absolute end nearer
#                                                          (Flask's second lifetime has no counterpart in httpd)
#   7  cookie expiry: idle or absolute                     7, both orders
#   8  header mode sends x-id                              8
#   9  header name and timeouts can be set                 9
#  10  header mode honours a cookie too                    10, deliberately not: the mechanism not configured is ignored
#  11  save, then load                                     11, by cookie and by header
#  12  another client does not see it                      12, both
#  13  unused: nothing stored, nothing sent                13, both
#  14  unused first, used next                             14, both; by header deliberately without a cookie
#  15  a load moves expires                                15, after the response and when it is due (20-times.t)
#  16  an ID whose record is gone is not reused            16
#  17  a made-up ID is never adopted                       17
#  18  a rejected ID's hash for application and log        18 (23-functions.t has every kind of ID)
#  19  abandon removes the record inside the request       19
#  20  create gives a new ID and keeps the old record      20, deliberately not: renewal ends the old one
#  21  create and write: the new values, a new ID          21, as end and set; the old record is gone
#  22  a manual save inside the request                    none: mod_session saves once, before the first byte; no
#                                                          module can ask for it earlier
#  23  test helper: preset values                          none: they are for unit tests of Flask applications in one
#  24  test helper: abandon without a store                process; who tests programs behind httpd runs httpd, with
#  25  test helper: save without a store                   a local table as build/quickstart does
#  26  state does not leak between applications            26, as two virtual hosts with two tables
#  27  expires is the nearer end (pure function)           27, in the row; t/unit/test_store.c has the function
#  28  created in another time zone is refused             28, a row that says so is no session
#  29  accessed in another time zone is refused            29
#  30  defaults: no ID, 7200, 43200                        30
#  31  ... can be overridden                               31
#  32  an idle timeout that is no integer is refused       32, by configtest (10-configtest.t has more)
#  33  the same of the absolute timeout                    33
#  34  defaults: 32 bytes, app_session                     34; endpoint and region unset: t/unit/test_endpoint.c
#  35  all settings can be overridden                      35, those of 34; the others have their areas and tests
#  36  characters of an ID for its bytes                   36
#  37  create alone stores nothing                         37, every way to ask for a session without storing in it
#  38  save and load of a dictionary                       38
#  39  signed IDs                                          39
#  40  a bad signature: no session                         40
#  41  ... or an exception with the hash                   41, the hash; a request has no caller to throw at
#  42  a payload class of one's own                        42, as mod_session's encoder of another module; and cleared
#  43  a load uses the timeouts stored with the session    43
#  44  ... also those that came from the manager           44, from the area where it was created
#  45  an unknown ID: no session, and its hash             45
#  46  ... or an exception with the hash                   45; see 41
#  47  an expired session: no session                      47
#  48  ... or an exception                                 47; see 41
#  49  a save writes times and timeouts                    49
#  50  a load an hour later moves accessed and expires     50, idle end nearer; where the absolute end is nearer,
#                                                          deliberately not: it would be a write that moves no end
#  51  a save an hour later does                           51, both
#  52  timeouts given at creation decide expires           52
#  53  ... can be changed later, for the next save         53
#  54  clear removes the record                            54
#  55  real clocks: within two seconds                     55
#  56  an empty ID: not found, the hash of ""              56, and the table is not asked
#
# The details of many are in other files; here is what makes the list complete.

use strict;
use warnings;
use Digest::SHA qw(sha512_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX qw(floor);
use SessionTest;
use SessionTest::Login qw(is_tombstone);

my $ID         = qr/[A-Za-z0-9_-]{43}/;
my $ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict';
my $UNKNOWN    = 'AAAAunknown' . 'A' x 32;
my $NEVER      = 'AAAAnever' . 'A' x 34;            # asked for once: a miss is remembered

sub row_of { return row(key_of($_[0])) }

# "Expires" of the answer's one cookie, in epoch seconds.
sub cookie_end {
    my %month = map { (qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec))[$_] => $_ } 0 .. 11;
    my($cookie) = res()->set_cookies;
    my($day, $month, $year, @time) = ($cookie || '') =~ /; Expires=\w+, (\d+) (\w+) (\d+) (\d+):(\d+):(\d+) GMT/
        or return;
    require Time::Local;
    return Time::Local::timegm(@time[2, 1, 0], $day, $month{$month}, $year);
}

# Both ways in which an ID travels: an answer's ID, and what a request carries it with.
my @TRANSPORTS = (
    ['cookie', '/test/',   sub { scalar $_[0]->cookie('id') },   sub { return (cookie => $_[0]) }],
    ['header', '/header/', sub { scalar $_[0]->header('x-id') }, sub { return (headers => ['x-id', $_[0]]) }],
);

# What httpd says of a directive when it tests its configuration.
sub configtest {
    my $directive = shift;
    my @command = (setting('httpd'), '-t', '-d', $SessionTest::T, '-f', "$SessionTest::T/conf/httpd.conf",
                   (map { ('-D', $_) } qw(APACHE2 APACHE2_4)), '-c', $directive);
    my $quoted = join ' ', map { "'$_'" } @command;
    my $said   = `$quoted 2>&1`;
    return $? == 0 ? "accepted: $said" : "refused: $said";
}

# --- dynamodb-session-flask, cookie -----------------------------------------------------------------------------------

like configtest('SessionDynamoDBIdleTimeout 60'), qr/^accepted: .*Syntax OK/s, 'configtest works here';

{
    my $id = get('/test/?set=a:1')->cookie('id');
    is +(res()->set_cookies)[0], "id=$id; $ATTRIBUTES", '1: the first write sets the cookie, attributes and all';
    is_deeply [res()->all('x-id')], [], '4: cookie mode sends no header';

    get('/test/?clear', cookie => $id);
    is row_of($id), undef, '2: clearing removes the record';
    is +(res()->set_cookies)[0] =~ s/ Max-Age=0;//r, 'id=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; '
        . 'HttpOnly; SameSite=Strict', '2: ... and the cookie';
}
like get('/cookie/?set=a:1') && (res()->set_cookies)[0],
    qr/^sess=$ID; Path=\/cookie\/; Domain=example\.test; SameSite=Lax$/, '3: every cookie attribute can be set';
{
    my $id = session(a => 1);
    calls_are { get('/test/?get=a', headers => ['x-id', $id]) } [], '5: cookie mode does not look at the header';
    is res()->line('get a'), '(none)', '5: ... nor use it';

    $id = session('/persistent-times/', a => 1);
    is cookie_end(), row_of($id)->{expires}{N}, '7: a dated cookie ends with the session';
    is cookie_end(), floor(seconds_of(row_of($id)->{created}{S})) + 1000, '7: ... at its idle end, the nearer one';
    age($id, 1500, created => 1);
    age($id, -1500);
    get('/persistent-times/?set=a:2', cookie => $id);
    is cookie_end(), floor(seconds_of(row_of($id)->{created}{S})) + 2000, '6, 7: ... or the absolute one';
    get('/test/?set=a:1');
    is cookie_end(), undef, '6: ... but by default it has no date';
}

# --- header -----------------------------------------------------------------------------------------------------------

{
    like get('/header/?set=a:1')->header('x-id'), qr/^$ID$/, '8: header mode sends the ID in x-id';
    my $id = get('/header-times/?set=a:1')->header('X-Session-Token');
    like $id, qr/^$ID$/, '9: the header can have another name';
    is_deeply [map { row_of($id)->{$_}{N} } qw(idle_timeout absolute_timeout)], [1000, 2000],
        '9: ... and timeouts are stored in the record';
    $id = get('/header/?set=a:1')->header('x-id');
    calls_are { get('/header/?get=a', cookie => $id) } [], '10: header mode does not look at a cookie (the seed does)';
    is res()->line('get a'), '(none)', '10: ... nor use it';
}

# --- both -------------------------------------------------------------------------------------------------------------

for my $transport (@TRANSPORTS) {
    my($name, $area, $id_of, $with) = @$transport;
    my $id = $id_of->(get("$area?set=a:1"));
    is get("$area?get=a", $with->($id))->line('get a'), 1, "$name: 11: what was saved is loaded";
    is get("$area?get=a")->line('get a'), '(none)', "$name: 12: not by who has not the ID";

    calls_are { get("$area?get=a") } [], "$name: 13: an unused session stores nothing";
    is_deeply [$id_of->(res()), res()->set_cookies], [undef], "$name: 13: ... and sends no ID";
    calls_are { get("$area?set=a:1") } ['PutItem'], "$name: 14: used next, it is stored";
    like $id_of->(res()), qr/^$ID$/, "$name: 14: ... and its ID sent";
    is scalar(res()->set_cookies), $name eq 'cookie' ? 1 : 0, "$name: 14: ... in the one place that it belongs to";

    age($id, 1000);
    my $before = row_of($id);
    get("$area?get=a", $with->($id));
    quiet();
    cmp_ok row_of($id)->{expires}{N}, '>=', $before->{expires}{N} + 999, "$name: 15: a load moves expires";

    delete_row(key_of($id));
    my $lines = log_lines(qr/invalid, unknown or expired session ID/);
    get("$area?get=a", $with->($id));
    is row_of($id), undef, "$name: 16: an ID whose record is gone is not recreated";
    is_deeply [$id_of->(res()), res()->set_cookies], [undef], "$name: 16: ... and no new one sent for a read";
    is scalar(log_lines(qr/invalid, unknown or expired session ID/)), $lines + 1,
        "$name: 16: ... the log says it is unknown";

    get("$area?set=a:1", $with->($UNKNOWN));
    isnt $id_of->(res()), $UNKNOWN, "$name: 17: a write by who made an ID up gets another one";
    like $id_of->(res()), qr/^$ID$/, "$name: 17: ... a real one";
    is row_of($UNKNOWN), undef, "$name: 17: ... and nothing is stored under the one made up";

    my $hash = sha512_hex($UNKNOWN);
    $lines = log_lines(qr/SHA-512 of the ID: $hash$/);
    get("$area?env=SESSION_DYNAMODB_FAILED_ID&env=SESSION_DYNAMODB_NEW", $with->($UNKNOWN));
    is res()->line('env SESSION_DYNAMODB_FAILED_ID'), $hash, "$name: 18: its hash is there for programs";
    is scalar(log_lines(qr/SHA-512 of the ID: $hash$/)), $lines + 1, "$name: 18: ... and in the log";
    is res()->line('env SESSION_DYNAMODB_NEW'), 1, "$name: 18: ... and the session is marked new";

    $id = $id_of->(get("$area?set=a:1"));
    my $abandoning = connection();
    $abandoning->send_request(path => "$area?end&meet=abandon-$name",
                              headers => [$name eq 'cookie' ? ['Cookie', "id=$id"] : ['x-id', $id]]);
    here("abandon-$name");
    is row_of($id), undef, "$name: 19: to abandon removes the record inside the request";
    let_go("abandon-$name");
    is $id_of->($abandoning->read_response), '', "$name: 19: ... and the response ends the ID";

    $id = $id_of->(get("$area?set=a:1"));
    my $new = $id_of->(get("$area?renew", $with->($id)));
    isnt $new, $id, "$name: 20: a renewal gives a new ID";
    is_tombstone($id, "$name: 20: ... and ends the old record (the seed keeps it)");
    $id  = $new;
    $new = $id_of->(get("$area?end&set=b:2", $with->($id)));
    is data_of(row_of($new)), 'b=2', "$name: 21: a session begun anew has the new values only";
    is row_of($id), undef, "$name: 21: ... and the old one is gone (the seed keeps it)";
}
{
    my $id = session(a => 1);
    is get('/test/?get=a', cookie => $id, port => 'other')->line('get a'), '(none)', '26: another host has others';
    is row(key_of($id), 'other_session'), undef, '26: ... in another table';
}

# --- dynamodb-session-web ---------------------------------------------------------------------------------------------

{
    my $row = row_of(session('/times/', a => 1));
    is $row->{expires}{N}, floor(seconds_of($row->{created}{S})) + 1000, '27: expires is the idle end if nearer';
    $row = row_of(get('/times/?timeouts=3000:2000&set=a:1')->cookie('id'));
    is $row->{expires}{N}, floor(seconds_of($row->{created}{S})) + 2000, '27: ... or the absolute one';
}
for my $case ([28, 'created'], [29, 'accessed']) {
    my($number, $name) = @$case;
    my $id = session(a => 1);
    change_row($id, sub { $_->{$name}{S} =~ s/\+00:00$/+01:00/ or die });
    is get('/test/?get=a', cookie => $id)->line('get a'), '(none)', "$number: $name in another time zone: no session";
    is res()->status, 200, "$number: ... but a page";
    expect_log qr/session_dynamodb:warn.*ignored a malformed session row.*attribute $name .*is not a time in UTC/;
}
{
    my $failed = 'SESSION_DYNAMODB_FAILED_ID';
    my $before = time;
    my $id     = session(a => 1);
    my $row    = row_of($id);
    is_deeply [map { $row->{$_}{N} } qw(idle_timeout absolute_timeout)], [7200, 43200], '30: the default timeouts';
    is get('/test/?loggable&times')->line('loggable'), '(none)', '30: ... and no ID';
    is_deeply [map { row_of(session('/times/', a => 1))->{$_}{N} } qw(idle_timeout absolute_timeout)], [1000, 2000],
        '31: can be overridden';
    like configtest('SessionDynamoDBIdleTimeout 1.5'), qr/^refused: .*SessionDynamoDBIdleTimeout/s,
        '32: an idle timeout that is no integer is refused';
    like configtest('SessionDynamoDBAbsoluteTimeout 1.5'), qr/^refused: .*SessionDynamoDBAbsoluteTimeout/s,
        '33: an absolute one too';
    is length $id, 43, '34: 32 bytes make an ID';
    ok $row, '34: ... in the table app_session';
    my $long = session('/long-id/', a => 1);
    is length $long, 86, '35: 64 bytes, where they are asked for';
    my $elsewhere = get('/test/?set=a:1', port => 'other')->cookie('id');
    ok row(key_of($elsewhere), 'other_session'), '35: ... or in another table';
    for my $pair ([$id, 32], [$long, 64]) {
        my $ratio = length($pair->[0]) / $pair->[1];
        is $ratio >= 1.2 && $ratio <= 1.4, 1, "36: characters of an ID of $pair->[1] bytes";
    }
    calls_are { get("/test/?$_") for 'get=a', 'dirty', 'renew', 'end', 'times', 'timeouts=5:6' } [],
        '37: without a value nothing is stored';
    $id = get('/test/?set=one:1&set=two:zwei%2520%26%3D%2B&set=three:%257B%257D')->cookie('id');
    is get('/test/?entries', cookie => $id)->line('entries'), 'one=1&three=%7B%7D&two=zwei%20&=+',
        '38: several values are loaded as they were saved';
    $id = session('/signed/', a => 1);
    like $id, qr/^$ID\.[\w-]{27}$/, '39: a signed ID';
    is get('/signed/?get=a', cookie => $id)->line('get a'), 1, '39: ... finds its session';
    my $forged = substr($id, 0, -3) . (substr($id, -3, 1) eq 'A' ? 'B' : 'A') . substr $id, -2;
    calls_are { get("/signed/?get=a&env=$failed", cookie => $forged) } [], '40: a forged one costs nothing';
    is res()->line('get a'), '(none)', '40: ... and finds nothing';
    is res()->line("env $failed"), sha512_hex($forged), '41: ... but its hash is told';

    $id = session('/codec/', name => 'value');
    is data_of(row_of($id)), 'anzr=inyhr', '42: a payload in a form of its own';
    is get('/codec/?get=name', cookie => $id)->line('get name'), 'value', '42: ... is loaded';
    get('/codec/?clear', cookie => $id);
    is row_of($id), undef, '42: ... and can be cleared';

    $id = get('/test/?timeouts=300:600&set=a:1')->cookie('id');
    age($id, 301);
    is get('/test/?get=a', cookie => $id)->line('get a'), '(none)', '43: a load uses the stored timeouts';
    $id = session('/times/', a => 1);
    age($id, 1001);
    is get('/test/?get=a', cookie => $id)->line('get a'), '(none)', '44: ... also those of the place it comes from';
    calls_are { get("/test/?get=a&env=$failed", cookie => $NEVER) } ['GetItem'], '45: an unknown ID is looked for';
    is res()->line('get a'), '(none)', '45: ... is no session';
    is res()->line("env $failed"), sha512_hex($NEVER), '45: ... and its hash is told';
    $id = session(a => 1);
    age($id, 7201);
    is get('/test/?get=a', cookie => $id)->line('get a'), '(none)', '47: an expired session is none';

    $id  = session('/times/', a => 1);
    is_deeply [sort keys %{ row_of($id) }],
        [qw(absolute_timeout accessed created data expires id idle_timeout loggable version write_id)],
        '49: a save writes times and timeouts (and data, version and write ID)';
    cmp_ok abs(seconds_of(row_of($id)->{created}{S}) - $before), '<', 30, '55: ... by the real clock';
}
for my $case ([50, 'load', 'get=a'], [51, 'save', 'set=b:2']) {
    my($number, $what, $op) = @$case;
    my $id = session(a => 1);
    age($id, 3600, created => 1);
    my $old = row_of($id);
    my $now = time;
    get("/test/?$op", cookie => $id);
    quiet();
    my $row = row_of($id);
    cmp_ok abs(seconds_of($row->{accessed}{S}) - $now), '<=', 2, "$number, 55: a $what an hour later is activity";
    is $row->{expires}{N}, floor(seconds_of($row->{accessed}{S})) + 7200, "$number: ... and moves expires";
    is_deeply $row->{created}, $old->{created}, "$number: ... but never created";

    $id = session(a => 1);
    age($id, 40_000, created => 1);
    age($id, 3600 - 40_000);
    $old = row_of($id);
    calls_are { get("/test/?$op", cookie => $id) } ['GetItem', $what eq 'save' ? 'UpdateItem' : ()],
        "$number: near the absolute end a $what writes what there is to write";
    is row_of($id)->{expires}{N}, $old->{expires}{N}, "$number: ... and can not move that end";
}
{
    my $id = get('/test/?timeouts=300:600&set=a:1')->cookie('id');
    is row_of($id)->{expires}{N}, floor(seconds_of(row_of($id)->{created}{S})) + 300, '52: timeouts given at creation';
    get('/test/?timeouts=400:600&set=a:2', cookie => $id);
    is row_of($id)->{expires}{N}, floor(seconds_of(row_of($id)->{accessed}{S})) + 400, '53: ... new ones at a save';
    get('/test/?clear', cookie => $id);
    is row_of($id), undef, '54: clear removes the record';
    calls_are { get('/test/?env=SESSION_DYNAMODB_FAILED_ID', cookies => ['id=']) } [], '56: an empty ID costs nothing';
    is res()->line('env SESSION_DYNAMODB_FAILED_ID'), sha512_hex(''), '56: ... and its hash is that of ""';
}

# --- its defects ------------------------------------------------------------------------------------------------------

# A request that stays in its handler while others do something; its answer.
my $meetings = 0;

sub meanwhile {
    my($op, $id, $others) = @_;
    my $meet = 'seed' . ++$meetings;
    my $slow = connection();
    $slow->send_request(path => "/test/?get=a&meet=$meet&$op", headers => [['Cookie', "id=$id"]]);
    here($meet) or die 'the slow request does not arrive';
    $others->();
    let_go($meet);
    my $answer = $slow->read_response;
    quiet();
    return $answer;
}

for my $op ('get=a', 'set=b:2') {
    my $id = session(a => 1);
    age($id, 300);
    my $answer = meanwhile($op, $id, sub { get('/test/?end', cookie => $id) });
    is row_of($id), undef, "S1: $op: a slow request does not bring an ended session back";
    is get('/test/?get=a', cookie => $id)->line('get a'), '(none)', 'S1: ... so its ID is good for nothing';
}
{
    my $id = session(a => 1);
    age($id, 300);
    meanwhile('get=a', $id, sub { delete_row(key_of($id)) });
    is row_of($id), undef, 'S2: a touch leaves no half record where the session was deleted';
    $id = session(a => 1);
    change_row($id, sub { delete @$_{qw(data idle_timeout absolute_timeout version write_id)} });
    calls_are { get('/test/?get=a', cookie => $id) } ['GetItem'], 'S2: and where there is one';
    is_deeply [res()->status, res()->line('get a')], [200, '(none)'], 'S2: ... it is no session, and no error';
    expect_log qr/session_dynamodb:warn.*ignored a malformed session row/;

    $id = session(a => 1);
    age($id, 300);
    meanwhile('get=a', $id, sub { get('/test/?set=a:2', cookie => $id) });
    is data_of(row_of($id)), 'a=2', 'S3: a read-only request does not undo a parallel write';
    $id = session(a => 1);
    meanwhile('set=b:2', $id, sub { get('/test/?set=a:2', cookie => $id) });
    is join('&', sort split /&/, data_of(row_of($id))), 'a=2&b=2', 'S3: ... nor does one that writes something else';

    $id = session(a => 1);
    get('/test/?clear&set=b:2', cookie => $id);
    is data_of(row_of($id)), 'b=2', 'S4: what is set after clear is kept';
    is_deeply [res()->set_cookies], [], 'S4: ... and so is the cookie';
    $id = session(a => 1);
    get('/test/?end&set=b:2', cookie => $id);
    is data_of(row_of(res()->cookie('id'))), 'b=2', 'S4: ... after end too, in a new session';

    my $login = 'httpd_username=alice&httpd_password=secret-of-alice';
    for my $case (['a module', sub { get('/test/?set=a:1') }],
                  ['a program', sub { get('/cgi/session.pl?replace=a%3D1') }],
                  ['a backend', sub { get('/proxied/env.pl?replace=a%3D1') }],
                  ['a removal too', sub { get('/test/?set=a:1&set=b:2&del=b') }],
                  ['a login', sub { post('/form/login', $login) }]) {
        my($way, $do) = @$case;
        calls_are { $do->() } ['PutItem'], "S5: a new session is stored, whatever changes it: $way";
        like +(res()->set_cookies)[0], qr/^id=$ID;/, 'S5: ... and its ID sent';
    }

    $id = session(a => 1);
    get('/test/?renew', cookie => $id);
    isnt res()->cookie('id'), undef, 'S6: after a renewal without a change the browser gets the new ID';
    is_tombstone($id, 'S6: ... and the old one has ended');
    $id = session(a => 1);
    post('/form/login', $login, cookie => $id);
    isnt res()->cookie('id'), $id, 'S6: a login changes the ID by itself';
    is_tombstone($id, 'S6: ... and ends the old one');

    $id = session(a => 1);
    calls_are { get('/test/?end&get=a', cookie => $id) } [qw(GetItem DeleteItem)], 'S7: a session is deleted once';
    is res()->line('get a'), '(none)', 'S7: ... and its values can not be read any more';
    calls_are { get('/test/?end') } [], 'S8: a logout without a session costs nothing';
    is_deeply [res()->set_cookies], [], 'S8: ... and sends nothing';

    $id = session('/signed/', a => 1);
    my $key = row_of($id)->{id}{S};
    isnt $key, $id, 'S9: the table does not hold the ID';
    for my $stolen ($key, "$key." . (split /\./, $id)[1]) {
        is get("$_?get=a", cookie => $stolen)->line('get a'), '(none)', "S9: ... and what it holds is no ID ($_)"
            for '/signed/', '/test/';
    }
    my $by_old_key = session('/signed-old/', a => 1);
    is get('/signed/?get=a', cookie => $by_old_key)->line('get a'), 1, 'S9: a new key leaves old sessions alive';
    calls_are { get('/test/?get=a', cookie => $id) } [], 'S9: a signed ID is none where IDs are not signed';

    for my $case (['of 3,000 bytes', 'x' x 3000], ['binary', "\xff\x80\xc0" . 'A' x 40],
                  ['with an encoded NUL', 'A%00' . 'A' x 39], ['with a control character', "A\x01" . 'A' x 41],
                  ['short', 'A']) {
        my($what, $odd) = @$case;
        calls_are { get('/test/?get=a', cookies => ["id=$odd"]) } [], "S10: an ID $what never gets to the table";
        is res()->status, $what =~ /control/ ? 400 : 200, 'S10: ... and does no harm';
    }

    $id = get('/header/?set=a:1')->header('x-id');
    is_deeply [res()->set_cookies], [], 'S11: header mode sets no cookie';
    is get('/header/?get=a', cookie => $id)->line('get a'), '(none)', 'S11: ... and takes none';
    my $other = get('/header/?set=a:2')->header('x-id');
    is get('/header/?get=a', headers => ['x-id', $id], cookies => ["id=$other"])->line('get a'), 1,
        'S11: ... not even against the header';
    get('/header/?end', headers => ['x-id', $id]);
    is_deeply [res()->all('x-id')], [''], 'S12: a logout by header is told by header';
}
{
    my $operating = SessionTest::Log::slurp(setting('src') . '/docs/operating.md');
    like $operating, qr/update-time-to-live .*\n?.*AttributeName=expires/, 'S13: docs/operating.md tells of time to live';
    like configtest('SessionDynamoDBSidByteLength 1'), qr/^refused: .*SidByteLength.*16/s, 'S14: one byte is refused';
    like configtest("SessionDynamoDB${_}Timeout 0"), qr/^refused: .*${_}Timeout/s, "S15: a timeout of 0 is refused ($_)"
        for qw(Idle Absolute);
    my($policy) = $operating =~ /("Action": \[.*?\])/s;
    is_deeply [sort $policy =~ /dynamodb:(\w+)/g], [qw(DeleteItem GetItem PutItem UpdateItem)],
        'S16: docs/operating.md has the least policy, without Query';
    my $table = SessionTest::Table->new({ control => setting('control') });
    my %used  = map { $_->{op} => 1 } @{ $table->requests->{requests} };
    is_deeply [sort keys %used], [qw(DeleteItem GetItem PutItem UpdateItem)], 'S16: ... which is all that was used';
}

done;
