# What other modules, CGI programs and logs get to know of a session: the functions of mod_session_dynamodb.h, called by
# the test handler, and the environment variables.

use strict;
use warnings;
use Digest::SHA qw(sha512_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX qw(floor);
use SessionTest;
use SessionTest::Login qw(is_tombstone);

sub row_of { return row(key_of($_[0])) }

# The fields of the access log's line of a request, which is told apart by a name in its path: new, id, created, ...
my $marks = 0;

sub mark { return 'in=mark' . ++$marks }

sub logged {
    my $mark = shift;
    my $line;
    eventually(sub {
        ($line) = grep { /[?&]$mark[& ]/ } split /\n/,
            SessionTest::Log::slurp("$SessionTest::T/logs/session_access_log");
        return $line;
    });
    return { ($line || '') =~ / (\w+)=(\S+)/g };
}

sub times_of {
    my $answer = shift;
    return { ($answer->line('times') || '') =~ /(\w+)=(\d+)/g };
}

# --- functions --------------------------------------------------------------------------------------------------------

note 'end';
{
    my $id = session(a => 1);
    my $ending = connection();
    $ending->send_request(path => '/test/?end&get=a&entries&loggable&times&meet=ended',
                          headers => [['Cookie', "id=$id"]]);
    ok here('ended'), 'a session is ended';
    is row_of($id), undef, '... its row is gone at once, while the request goes on';
    is get('/test/?get=a', cookie => $id)->line('get a'), '(none)', '... for everybody else too';
    let_go('ended');
    my $answer = $ending->read_response;
    is $answer->line('end'), 'ok', '... the caller is told';
    is $answer->line('get a'), '(none)', '... and finds it empty';
    is $answer->line('entries'), '', '... of everything';
    is $answer->line('loggable'), '(none)', '... and without an ID';
    is times_of($answer)->{created}, 0, '... or an age';

    $id = session('/times-short/', a => 1);
    age($id, 50, created => 1);
    my $old   = row_of($id);
    my @calls = calls_of { get('/test/?timeouts=5:6&end&set=b:2', cookie => $id) } 3;
    is join(' ', map { $_->{op} } @calls), 'GetItem DeleteItem PutItem', 'what is set after it makes a new session';
    my @cookies = res()->set_cookies;
    is scalar(@cookies), 1, '... one cookie';
    my($new) = $cookies[0] =~ /^id=([\w-]{43}); Path=\/; Secure; HttpOnly; SameSite=Strict$/;
    ok $new, '... with an ID';
    isnt $new, $id, '... a new one';
    is row_of($id), undef, '... the old session is gone';
    my $row = row_of($new);
    is data_of($row), 'b=2', '... the new one has what was set, and only that';
    cmp_ok seconds_of($row->{created}{S}), '>', seconds_of($old->{created}{S}) + 40, '... is as old as that';
    is_deeply [map { $row->{$_}{N} } qw(idle_timeout absolute_timeout version)], [7200, 43200, 1],
        '... and inherits no timeouts';

    $id = session(a => 1);
    calls_are { get('/test/?end&end', cookie => $id) } [qw(GetItem DeleteItem)], 'a second end costs nothing';
    is res()->body, "end: ok\nend: ok\n", '... and is as good';
    is scalar(res()->set_cookies), 1, '... with one cookie for both';
    $id = session(a => 1);
    calls_are { get('/test/?end&set=b:2&end&set=c:3', cookie => $id) } [qw(GetItem DeleteItem PutItem)],
        'an end of what was set since costs nothing either';
    is data_of(row_of(res()->cookie('id'))), 'c=3', '... and drops it';

    calls_are { get('/test/?end') } [], 'an end without a session costs nothing';
    is res()->line('end'), 'ok', '... and is one';
    is get('/plain/handler?end')->line('end'), 'ok', '... as it is where sessions are off';
    $id = session(a => 1);
    calls_are { get('/test/?internal=/test/?end', cookie => $id) } [qw(GetItem DeleteItem)], 'an end after a redirect';
    is row_of($id), undef, '... ends the session of all';
    is scalar(res()->set_cookies), 1, '... with one cookie';
    $id = session(a => 1);
    calls_are { get('/test/?end&status=404', cookie => $id) } [qw(GetItem DeleteItem)], 'an end before an error';
    like +(res()->set_cookies)[0], qr/^id=; /, '... reaches the browser with it';
}

note 'renew';
{
    my $id = session('/times/', a => 1, z => 26);
    age($id, 300, created => 1);
    my $old   = row_of($id);
    my @calls = calls_of { get('/test/?renew&set=b:2', cookie => $id) } 3;
    is res()->line('renew'), 'ok', 'a session can be renewed';
    is join(' ', map { $_->{op} } @calls), 'GetItem PutItem UpdateItem', '... first stored anew, then ended';
    is scalar(res()->set_cookies), 1, '... one cookie';
    my $new = res()->cookie('id');
    like $new, qr/^[\w-]{43}$/, '... with an ID';
    isnt $new, $id, '... which is new';
    my $row = row_of($new);
    is join('&', sort split /&/, data_of($row)), 'a=1&b=2&z=26', '... data and changes are there';
    is_deeply [@$row{qw(idle_timeout absolute_timeout)}], [@$old{qw(idle_timeout absolute_timeout)}],
        '... the timeouts are kept';
    # A program asks for it when it has verified a login.
    is $row->{created}{S}, $row->{accessed}{S}, '... and the absolute one begins anew';
    is $row->{expires}{N}, floor(seconds_of($row->{accessed}{S})) + 1000, '... and count on';
    is $row->{version}{N}, 1, '... in a row with a history of its own';
    is_tombstone($id, '... the old row holds nothing any more');
    is get('/test/?get=a', cookie => $id)->line('get a'), '(none)', '... and its ID good for nothing';

    my $renewal = [qw(GetItem PutItem UpdateItem)];
    calls_are { get('/test/?renew', cookie => $new) } $renewal, 'without a change too';
    $new = res()->cookie('id');
    calls_are { get('/test/?renew&renew', cookie => $new) } $renewal, 'twice is once';
    $new = res()->cookie('id');
    calls_are { get('/test/?renew&end', cookie => $new) } [qw(GetItem DeleteItem)], 'an end outdoes it';
    like +(res()->set_cookies)[0], qr/^id=; /, '... and no ID is given out';
    $id = session(a => 1);
    calls_are { get('/test/?renew&clear', cookie => $id) } [qw(GetItem DeleteItem)], '... and an emptying does';
    $id = session(a => 1);
    calls_are { get('/test/?renew&timeouts=300:600', cookie => $id) } [qw(GetItem PutItem UpdateItem)],
        'new timeouts with it cost nothing more';
    is row_of(res()->cookie('id'))->{idle_timeout}{N}, 300, '... and are stored';

    my $gone = session(a => 1);
    get('/test/?end', cookie => $gone);
    for my $case (['no session', []], ['an ended session', [cookie => $gone], 'GetItem']) {
        my($what, $with, @costs) = @$case;
        calls_are { get('/test/?renew', @$with) } \@costs, "$what: nothing to renew";
        is res()->line('renew'), 'not found', '... says the function';
        is_deeply [res()->set_cookies], [], '... and nothing is given out';
    }
    calls_are { get('/test/?renew&set=a:1') } ['PutItem'], 'a new session gets a new ID anyway';
    is get('/plain/handler?renew')->line('renew'), 'not found', 'nothing to renew where sessions are off';

    $id = get('/header/?set=a:1')->header('x-id');
    get('/header/?renew', headers => ['x-id', $id]);
    is scalar(res()->all('x-id')), 1, 'by header the new ID comes in one';
    is get('/header/?get=a', headers => ['x-id', res()->header('x-id')])->line('get a'), 1, '... and has the session';
    $id = session('/signed/', a => 1);
    get('/signed/?renew', cookie => $id);
    is get('/signed/?get=a', cookie => res()->cookie('id'))->line('get a'), 1, 'a new ID is signed where IDs are';
}

note 'loggable_id';
{
    my $id = session(a => 1);
    is get('/test/?loggable', cookie => $id)->line('loggable'), sha512_hex($id), 'is the SHA-512 of the ID';
    is row(key_of($id))->{loggable}{S}, substr(sha512_hex($id), 0, 32), '... by which its row is found in the table';
    is get('/test/?loggable&set=a:1')->line('loggable'), '(none)', '... and there is none before a session is stored';
    $id = session('/signed/', a => 1);
    is get('/signed/?loggable', cookie => $id)->line('loggable'), sha512_hex($id), 'of the whole ID, signature and all';
    is get('/plain/handler?loggable', cookie => $id)->line('loggable'), '(none)', 'none where sessions are off';
}

note 'times';
{
    my $id = session('/times/', a => 1);
    age($id, 50, created => 1);
    my $row   = row_of($id);
    my $times = times_of(get('/test/?times', cookie => $id));
    is $times->{idle}, 1000, 'the session\'s idle timeout';
    is $times->{absolute}, 2000, '... its absolute one';
    is $times->{expires}, $row->{expires}{N} * 1_000_000, '... its end';
    for my $name (qw(created accessed)) {
        my($whole, $part) = $row->{$name}{S} =~ /:\d\d(\.\d+)/ ? (floor(seconds_of($row->{$name}{S})), $1) : ();
        is $times->{$name}, $whole * 1_000_000 + sprintf('%.0f', $part * 1e6), "... $name to the microsecond";
    }
    is_deeply times_of(get('/times/?times')),
        { created => 0, accessed => 0, expires => 0, idle => 1000, absolute => 2000 },
        'a new session has the timeouts of its place and no time yet';
    is get('/plain/handler?times')->line('times'), 'not found', 'no session, no times';
    is times_of(get('/test/?timeouts=300:600&times', cookie => $id))->{idle}, 300, 'new timeouts are seen at once';
}

note 'set_timeouts';
is get('/plain/handler?timeouts=1:2')->line('timeouts'), 'not found', 'no session, no timeouts';
is get('/plain/handler?timeouts=0:2')->line('timeouts'), 'invalid', '... and nonsense is nonsense there too';

# --- environment ------------------------------------------------------------------------------------------------------

note 'The environment of a program, and the log';
{
    my $mark = mark();
    get("/cgi/session.pl?$mark");
    is_deeply { res()->body =~ /^SESSION_DYNAMODB_(\w+)=(.*)$/mg }, { NEW => 1 }, 'no session: NEW=1 and nothing else';
    is_deeply logged($mark), { new => 1, map { $_ => '-' } qw(id created expires failed) }, '... in the log too';

    my $id = session(a => 1);
    age($id, 30, created => 1);
    my $row   = row_of($id);
    my $known = { id => sha512_hex($id), created => floor(seconds_of($row->{created}{S})),
                  expires => $row->{expires}{N} };
    $mark = mark();
    get("/cgi/session.pl?$mark", cookie => $id);
    is_deeply { res()->body =~ /^SESSION_DYNAMODB_(\w+)=(.*)$/mg },
        { NEW => 0, LOGGABLE_ID => $known->{id}, CREATED => $known->{created}, EXPIRES => $known->{expires} },
        'a session: its loggable ID and times';
    unlike res()->body, qr/\Q$id\E/, '... and nowhere the ID itself';
    is_deeply logged($mark), { new => 0, failed => '-', %$known }, '... in the log too';

    $mark = mark();
    get("/cgi/session.pl?replace=a%3D1&$mark");
    is res()->line('SESSION_DYNAMODB_NEW'), 1, 'a program that begins a session sees that it is new';
    my $stored = row_of(res()->cookie('id'));
    is_deeply logged($mark), { new => 0, id => sha512_hex(res()->cookie('id')), failed => '-',
        created => floor(seconds_of($stored->{created}{S})), expires => $stored->{expires}{N} },
        '... the log has what became of it';

    $mark = mark();
    get("/test/?renew&$mark", cookie => $id);
    is logged($mark)->{id}, sha512_hex(res()->cookie('id')), 'after a renewal the log has the new one';

    my $new = 'SESSION_DYNAMODB_NEW';
    is get("/test/?env=$new", cookie => session(b => 1))->line("env $new"), 0, 'modules see the same variables';
    is get("/plain/handler?env=$new")->line("env $new"), '(none)', '... not where we are off';
    is get("/off/?env=$new")->line("env $new"), '(none)', '... or another provider is on';
    is get("/test/?env=$new", headers => [$new, 0, 'Session-DynamoDB-New', 0])->line("env $new"), 1,
        'a client can not make them up';
}

note 'An ID that is no session\'s';
my $signed  = session('/signed/', a => 1);
my $expired = session(a => 1);
age($expired, 8000);
my $ended = session(a => 1);
get('/test/?end', cookie => $ended);
my($program, $modules) = ('/cgi/session.pl?', '/signed/?env=SESSION_DYNAMODB_FAILED_ID&env=SESSION_DYNAMODB_NEW&');
for my $case ([$program, 'an unknown one', 'AAAAunknown' . 'A' x 32],
              [$program, 'an expired one', $expired], [$program, 'an ended one', $ended],
              [$program, 'a malformed one', 'no-id'], [$program, 'one of 3,000 bytes', 'x' x 3000],
              [$program, 'an empty one', ''], [$program, 'one signed, unasked for', $signed],
              [$modules, 'one without a signature', $expired], [$modules, 'one wrongly signed', $signed . 'A']) {
    my($path, $what, $id) = @$case;
    my($mark, $hash) = (mark(), sha512_hex($id));
    my $before = log_lines(qr/SHA-512 of the ID/);
    get("$path$mark", cookies => ["id=$id"]);
    my %env = res()->body =~ /^(?:env )?SESSION_DYNAMODB_(\w+)(?:=|: )(.*)$/mg;
    is_deeply \%env, { NEW => 1, FAILED_ID => $hash }, "$what: the program gets its hash, and a new session";
    is_deeply logged($mark), { new => 1, failed => $hash, map { $_ => '-' } qw(id created expires) },
        '... the access log has the same';
    my @lines = log_lines(qr/SHA-512 of the ID/);
    is scalar(@lines), $before + 1, '... and the error log one line';
    like $lines[-1], qr/\[session_dynamodb:info\].*invalid, unknown or expired session ID; SHA-512 of the ID: $hash/,
        '... with the same';
}
{
    my $id   = session(a => 1);
    my $mark = mark();
    get("/test/?env=SESSION_DYNAMODB_FAILED_ID&$mark", cookies => ["id=$id; id=$ended"]);
    is res()->line('env SESSION_DYNAMODB_FAILED_ID'), '(none)', 'of two IDs the one that lives is used, and none failed';
    $mark = mark();
    get("/test/?set=a:1&$mark", cookie => $ended);
    is_deeply [@{ logged($mark) }{qw(new failed id)}], [0, sha512_hex($ended), sha512_hex(res()->cookie('id'))],
        'a session begun by who came with an ended one: the log has both';
}

done;
