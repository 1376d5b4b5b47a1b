# Sessions shared with dynamodb-session-flask: lib/flask_side.py plays an application that uses it, call by call, with
# boto3 and itsdangerous. Both sides read, change, renew, expire and end one session.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;

use File::Temp ();
use IO::Socket::INET ();
use IPC::Open2 ();
use JSON::PP ();
use POSIX ();

same_under_every_mpm();

my $PYTHON = '/usr/bin/python3';
if (system("$PYTHON -c 'import boto3, itsdangerous' 2>/dev/null") != 0) {
    plan skip_all => "$PYTHON has no boto3 or itsdangerous: python3-boto3, python3-itsdangerous (Debian)";
}

my $JSON = JSON::PP->new->canonical->allow_nonref->allow_bignum;
my $ID   = qr/[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{27}/;
IPC::Open2::open2(my $from, my $to, $PYTHON, "$FindBin::Bin/lib/flask_side.py", '--endpoint',
    'http://127.0.0.1:' . setting('dynalite'), '--keys', "$FindBin::Bin/conf/sid.keys");

# One moment of a request of the Flask side. What it has of a session between two moments is its `state`.
sub flask {
    my($op, %arguments) = @_;
    print $to $JSON->ascii->encode({ op => $op, %arguments }), "\n";
    $to->flush;
    my $answer = $JSON->decode(scalar <$from>);
    note_secret($answer->{id}) if $answer->{id};
    return $answer;
}

# Whole requests of it.
sub flask_session { my($data) = @_; my $new = flask(create => data => $data);
                    flask(save => state => $new->{state}, data => $data); return $new->{id} }
sub flask_data    { my $state = flask(load => id => $_[0])->{state} or return; return $state->{data} }
sub flask_sets    { my($id, %change) = @_; my $state = flask(load => id => $id)->{state};
                    return flask(save => state => $state, data => { %{ $state->{data} }, %change }) }
sub flask_ends    { return flask(end => state => flask(load => id => $_[0])->{state}) }

# The text that is stored, and a session with such a text, whoever would write it.
sub text { my $row = row($_[0]); return $row && $row->{data}{S} }
sub session_of_text {
    my($text) = @_;
    my $id = flask_session({});
    my $row = row($id);
    put_row({ %$row, data => { S => $text } });
    return $id;
}

sub entries { return get('/flask/?entries', cookie => $_[0])->line('entries') }

# Move the times of a row back.
sub older {
    my($id, $seconds, @names) = @_;
    my $row = row($id);
    $row->{$_}{S} = POSIX::strftime('%Y-%m-%dT%H:%M:%S+00:00', gmtime(seconds_of($row->{$_}{S}) - $seconds)) for @names;
    my($idle, $last) = map { int } seconds_of($row->{accessed}{S}) + $row->{idle_timeout}{N},
        seconds_of($row->{created}{S}) + $row->{absolute_timeout}{N};
    $row->{expires} = { N => '' . ($idle < $last ? $idle : $last) };
    put_row($row);
    return;
}

note 'A session that Flask began';
{
    my $id = flask_session({ user => 'ann', count => 5, text => '5', empty => '', _permanent => JSON::PP::true,
                             none => undef, list => [1, 'two', { three => 3 }], word => "gr\x{fc}\x{df} \x{1f600}" });
    is join(' ', sort keys %{ row($id) }), 'absolute_timeout accessed created data expires id idle_timeout',
        'has the attributes that the package writes';
    calls_are { get('/flask/?entries', cookie => $id) } ['GetItem'], '... is read here at the cost of one read';
    is res()->status, 200, '... well';
    is entries($id), '_permanent=true&count=5&empty=&list=[1, "two", {"three": 3}]&none=null&text=5&user=ann'
        . "&word=gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", '... strings as they are, the rest as JSON text';
    get('/flask-cgi/session.pl', cookie => $id);
    like res()->body, qr/^HTTP_SESSION=.*&list=%5b1%2c\+%22two%22%2c\+%7b%22three%22%3a\+3%7d%5d&none=null&/m,
        '... and a program has it in HTTP_SESSION';

    calls_are { get('/flask-cgi/session.pl?replace=city%3DK%25C3%25B6ln%26empty%3D', cookie => $id) }
        [qw(GetItem UpdateItem)], 'what a program sets is one write';
    my $data = flask_data($id);
    is_deeply [@$data{qw(city count)}, exists $data->{empty}], ["K\x{f6}ln", 5, ''], '... which Flask reads';

    my $before = $JSON->decode(text($id));
    calls_are { get('/flask/?set=user:bob&set=new:1', cookie => $id) } [qw(GetItem UpdateItem)], 'a change is one write';
    is_deeply $JSON->decode(text($id)), { %$before, user => 'bob', new => '1' }, '... and leaves the rest as it was';
    like text($id), qr/"count":5[,}]/, '... a number a number';
    like text($id), qr/"text":"5"/, '... and a string of digits a string';
    is_deeply [@{ row($id) }{qw(version user_mark)}], [{ N => 2 }, undef], '... under our second version';
    like +(res()->set_cookies)[0], qr/^id=\Q$id\E; .*Expires=/i, '... and the cookie follows the end of the session';
    is flask_data($id)->{user}, 'bob', 'Flask sees the change';
    flask_sets($id, user => 'eve', count => 6);
    is get('/flask/?get=user&get=count', cookie => $id)->body, "get user: eve\nget count: 6\n", '... and we see Flask\'s';
    calls_are { get('/flask/?set=user:eve', cookie => $id) } ['GetItem'], 'setting what is there costs no write';
    get('/flask/?del=list', cookie => $id);
    ok !exists flask_data($id)->{list}, 'an entry removed here is gone there';
}

note 'A session that began here';
{
    my @others = map { $_->{id}{S} } rows();
    calls_are { get('/flask/?set=user:ann') } ['PutItem'], 'is one write';
    my $id = res()->cookie('id');
    like $id, qr/^$ID$/, '... with an ID of the package\'s form';
    like +(res()->set_cookies)[0], qr/^id=$ID; Path=\/;.* Secure; HttpOnly; SameSite=Strict$/, '... its cookie';
    like +(res()->set_cookies)[0], qr/Expires=/, '... which lives as long as the session';
    is_deeply flask_data($id), { user => 'ann' }, '... and Flask reads it';
    flask_sets($id, n => 1);
    is entries($id), 'n=1&user=ann', '... and changes it';
    my $old = row($id);
    is get('/flask/?renew', cookie => $id)->status, 200, 'a new ID here';
    my $new = res()->cookie('id');
    like $new, qr/^$ID$/, '... is handed out';
    is flask_data($id), undef, '... ends the old one there';
    is_deeply flask_data($new), { user => 'ann', n => 1 }, '... and keeps the data, numbers too';
    is row($new)->{data}{S}, $old->{data}{S}, '... to the letter';
    is get('/flask/?end', cookie => $new)->status, 200, 'ended here';
    is flask_data($new), undef, '... it is no session there';
    like +(res()->set_cookies)[0], qr/^id=; .*1970/, '... and the cookie is taken back';
    is row($new), undef, '... and its row is gone';
    is_deeply [sort map { $_->{id}{S} } rows()], [sort @others, $id],
        '... while that of the first session is there, and what tells that the old ID is dead';
    is row($id)->{data}{S}, '{}', '... without data';
    cmp_ok row($id)->{expires}{N}, '<', time - 3600, '... and past for Flask as well';
}

note 'Ends and times';
{
    my $id = flask_session({ a => '1' });
    flask_ends($id);
    is row($id), undef, 'a session that Flask ended is gone';
    is get('/flask/?get=a', cookie => $id)->line('get a'), '(none)', '... here too';
    for my $case (['idle', 7200, 'accessed'], ['absolute', 43200, 'created', 'accessed']) {
        my($kind, $seconds, @times) = @$case;
        my @ids = (flask_session({ a => '1' }), do { get('/flask/?set=a:1'); res()->cookie('id') });
        for my $one (@ids) {
            older($one, $seconds + 1, @times);
            is get('/flask/?get=a', cookie => $one)->line('get a'), '(none)', "a session past its $kind end is none here";
            is flask_data($one), undef, '... nor there';
        }
    }
    $id = flask_session({ a => '1' });
    older($id, 150, 'created', 'accessed');
    is get('/flask/times/?get=a', cookie => $id)->line('get a'), 1,
        'shorter timeouts of a place here do not end a session that Flask goes on with';
    quiet();
    $id = flask_session({ a => '1' });
    older($id, 300, 'accessed');
    calls_are { get('/flask/?get=a', cookie => $id) } [qw(GetItem UpdateItem)], 'activity here is recorded';
    cmp_ok abs(seconds_of(row($id)->{accessed}{S}) - time), '<', 30, '... in Flask\'s own row';
    older($id, 300, 'accessed');
    flask_data($id);
    calls_are { get('/flask/?get=a', cookie => $id) } ['GetItem'], 'activity there counts here';
}

note 'Changes at the same time';
for my $all_old (1, 0) {
    mode(all_old => $all_old);
    for my $began ('there', 'here') {
        my $id = $began eq 'there' ? flask_session({ a => '1', b => '1', n => 5 })
            : do { get('/flask/?set=a:1&set=b:1&set=n:5'); res()->cookie('id') };
        my $slow = connection();
        my $meet = "f$all_old$began";
        $slow->send_request(path => "/flask/?meet=$meet&set=a:ours&del=b", headers => [['Cookie', "id=$id"]]);
        ok here($meet), "a request is under way here, in a session that began $began";
        flask_sets($id, theirs => [1, 2.5], n => 6, a => 'theirs');
        let_go($meet);
        is $slow->read_response->status, 200, '... and ends well though Flask changed the session meanwhile';
        is_deeply flask_data($id), { a => 'ours', theirs => [1, 2.5], n => 6 }, '... with the changes of both';
    }
    my $id = flask_session({ a => '1' });
    my $slow = connection();
    $slow->send_request(path => "/flask/?meet=r$all_old&renew", headers => [['Cookie', "id=$id"]]);
    ok here("r$all_old"), 'a request under way gives a new ID';
    flask_sets($id, late => 1);
    let_go("r$all_old");
    my $new = $slow->read_response->cookie('id');
    is_deeply flask_data($new), { a => '1', late => 1 }, '... which has what Flask wrote under the old one meanwhile';
    is flask_data($id), undef, '... and the old one ended';
    is row($id)->{data}{S}, '{}', '... with nothing in its row';

    # Flask changes nothing but how long the session lives.
    $id = flask_session({ a => '1' });
    $slow = connection();
    $slow->send_request(path => "/flask/?meet=t$all_old&set=b:2", headers => [['Cookie', "id=$id"]]);
    ok here("t$all_old"), 'a change is under way here';
    my $state = flask(load => id => $id)->{state};
    flask(save => state => { %$state, idle_timeout => 600 }, data => $state->{data});
    let_go("t$all_old");
    is $slow->read_response->status, 200, '... while Flask gives the session other times';
    is row($id)->{idle_timeout}{N}, 600, '... which stay';
    is entries($id), 'a=1&b=2', '... with the change';

    # A request of Flask's that only reads does not stand in the way.
    $id = flask_session({ a => '1' });
    my @calls = calls_of {
        $slow = connection();
        $slow->send_request(path => "/flask/?meet=n$all_old&set=b:2", headers => [['Cookie', "id=$id"]]);
        here("n$all_old");
        flask_sets($id);
        let_go("n$all_old");
        $slow->read_response;
    } 2;
    is join(' ', map { $_->{op} } @calls), 'GetItem UpdateItem', 'Flask\'s rewriting of the same data is no change';
}
mode(all_old => 1);

note 'An end at the same time';
{
    my $id = flask_session({ a => '1' });
    my $slow = connection();
    $slow->send_request(path => '/flask/?meet=e1&set=a:2', headers => [['Cookie', "id=$id"]]);
    ok here('e1'), 'a change is under way here';
    flask_ends($id);
    let_go('e1');
    my $answer = $slow->read_response;
    is_deeply [$answer->status, $answer->set_cookies], [503], '... while Flask ends the session: refused, no cookie';
    is row($id), undef, '... and it stays ended';

    # What the recipe says can't be kept: the package writes without conditions.
    $id = flask_session({ a => '1' });
    my $state = flask(load => id => $id)->{state};
    get('/flask/?end', cookie => $id);
    is row($id), undef, 'a session is ended here while a request of Flask\'s is under way';
    flask(save => state => $state, data => $state->{data});
    is get('/flask/?get=a', cookie => $id)->line('get a'), 1, '... whose end brings it back';

    # The touch of a Flask request that read the row just before it was deleted here.
    my %left = map { $_ => row($id)->{$_} } qw(id accessed created expires);
    get('/flask/?end', cookie => $id);
    put_row({ %left });
    calls_are { get('/flask/?get=a', cookie => $id) } ['GetItem'], 'a row that a touch of Flask\'s left is no session';
    is res()->line('get a'), '(none)', '... and no fault';
    my $one = flask_session({ a => '1' });
    $slow = connection();
    $slow->send_request(path => '/flask/?meet=e2&set=a:2', headers => [['Cookie', "id=$one"]]);
    ok here('e2'), 'a change is under way here';
    my $row = row($one);
    put_row({ map { $_ => $row->{$_} } qw(id accessed created expires) });
    let_go('e2');
    $answer = $slow->read_response;
    is_deeply [$answer->status, $answer->set_cookies], [503], '... when such a row is all that is left: refused, no cookie';
    ok !row($one)->{data}, '... and it stays ended';
}

note 'What stays as it was written';
{
    my %exact = (
        'big and exact numbers' => '{"n": 9007199254740993, "m": 1.10, "e": 1E400, "a": "1"}',
        'what only Python writes' => '{"x": NaN, "y": -Infinity, "lone": "\ud800", "a": "1"}',
        'a NUL, in a name too'  => '{"x": "a\u0000b", "n\u0000": 1, "a": "1"}',
        'an expiry of its own'  => '{"expiry": 5, "Expiry": "6", "a": "1"}',
        'names that differ in case' => '{"a": "1", "User": 1, "user": 2}',
        'a name twice'          => '{"x": 1, "x": 2, "a": "1"}',
        'deep nesting'          => '{"deep": ' . '[' x 150 . ']' x 150 . ', "a": "1"}',
    );
    for my $what (sort keys %exact) {
        my $id = session_of_text($exact{$what});
        calls_are { get('/flask/?get=a', cookie => $id) } ['GetItem'], "$what: a session";
        is res()->line('get a'), 1, '... with its entries';
        is get('/flask/?set=a:x&set=b:y', cookie => $id)->status, 200, '... that can be changed';
        my $expected = $exact{$what} =~ s/(?<=[,:]) | (?=")//gr =~ s/"a":"1"/"a":"x"/r =~ s/\}$/,"b":"y"}/r;
        is text($id), $expected, '... and stays as it was for the rest' ;
        get('/flask/?set=a:1&del=b', cookie => $id);
        is text($id), $exact{$what} =~ s/(?<=[,:]) | (?=")//gr, '... and so it can go back';
    }
    my $id = session_of_text('{"expiry": 5, "x": "\u0000", "a": "1"}');
    is entries($id), 'a=1', 'what can not be an entry is none';
    calls_are { get('/flask/?del=a', cookie => $id) } [qw(GetItem UpdateItem)], '... and is kept when no entry is left';
    is text($id), '{"expiry":5,"x":"\u0000"}', '... as it was';
    $id = session_of_text('{"User": "1", "user": "2"}');
    is entries($id), '', 'of names that differ in case none is shown';
    get('/flask/?set=user:3', cookie => $id);
    is text($id), '{"User":"1","user":"3"}', '... and the exact one is changed';
    expect_log qr/\[session_dynamodb:warn\].*names that differ only in case/;
    get('/flask/?expiry=3600&set=b:1', cookie => $id);
    unlike text($id), qr/expiry/, 'mod_session\'s expiry is not stored';
}

note 'What JSON can not hold, what can not be read';
{
    expect_log qr/\[session_dynamodb:error\].*not UTF-8/, qr/\[session:error\].*AH01822/,
        qr/\[session_dynamodb:warn\].*attribute data .*is not of type S/,
        qr/\[session_dynamodb:warn\].*attribute data .*is not of type B/,
        qr/\[session_dynamodb:warn\].*not a JSON object/;
    my $id = flask_session({ a => '1' });
    my $before = text($id);
    is get('/flask/?set=a:%ff', cookie => $id)->status, 503, 'an entry that is not UTF-8 is refused';
    is text($id), $before, '... and nothing is changed';
    is get('/flask/?set=%ff:1')->status, 503, '... in a new session too';
    is_deeply [res()->set_cookies], [], '... which is not stored';

    is get('/flask/form/?get=a', cookie => $id)->line('get a'), '(none)', 'a session in JSON is none where form is set';
    get('/flask/form/?set=a:1');
    my $form = res()->cookie('id');
    is get('/flask/?get=a', cookie => $form)->line('get a'), '(none)', '... and the other way round';
    for my $text ('[1]', '5', '{"a":1', '{"a":1}}', 'a=1', '{"a":tru}', '{"a":01}', "{\"a\":\"\n\"}", '') {
        my $broken = session_of_text($text ne '' ? $text : ' ');
        is get('/flask/?get=a', cookie => $broken)->line('get a'), '(none)', "data of $text is no session";
    }
}

note 'Encryption is refused, not left out';
for my $area ('crypto', 'codec') {
    expect_log qr/\[session_dynamodb:error\].*SessionDynamoDBFormat json can't be combined/, qr/AH01816/;
    my $rows = () = rows();
    my $id = flask_session({ a => '1' });
    my $before = text($id);
    calls_are { get("/flask/$area/?set=a:secret", cookie => $id) } [], "$area: a request costs nothing";
    is res()->status, 500, '... and is refused';
    is text($id), $before, '... and stores nothing';
    calls_are { get("/flask/$area/?set=a:secret") } [], '... nor does one without a session';
    is_deeply [res()->status, res()->set_cookies], [500], '... which is refused too';
    is scalar(() = rows()), $rows + 1, '... so that no row came';
}

note 'In any order';
{
    srand 20261123;
    my $id = flask_session({});
    my %expected;
    my $wrong = 0;
    for my $n (1 .. 60) {
        my $key = 'k' . int rand 8;
        my $what = int rand 5;
        if ($what == 0) {
            flask_sets($id, $key => $expected{$key} = "v$n \x{20ac}");
        } elsif ($what == 1) {
            get("/flask/?set=$key:w$n", cookie => $id);
            $expected{$key} = "w$n";
        } elsif ($what == 2) {
            get("/flask/?set=keep:1&del=$key", cookie => $id);
            delete $expected{$key};
            $expected{keep} = 1;
        } elsif ($what == 3 && %expected) {
            get('/flask/?renew', cookie => $id);
            $id = res()->cookie('id');
        } else {
            flask_sets($id, number => $expected{number} = $n);
        }
        my $seen = flask_data($id);
        $wrong++ if $JSON->encode({ map { $_ => "$seen->{$_}" } keys %$seen })
            ne $JSON->encode({ map { $_ => "$expected{$_}" } keys %expected });
    }
    is $wrong, 0, 'sixty changes by turns: after each one both sides have the same';
}

note 'The recipe, as it is printed';
{
    my $dir  = File::Temp::tempdir('/tmp/recipe-XXXXXX', CLEANUP => 1);
    my $page = SessionTest::Log::slurp(setting('src') . '/docs/recipes/flask.md');
    my($configuration) = $page =~ /^`httpd\.conf`:\n\n((?: {4}.*\n)+)/m;
    ok $configuration, 'the page has a configuration';
    my($key) = $configuration =~ m{file:(/srv/app/\S+)};
    my $here = "$FindBin::Bin/conf/sid.keys";
    like $page, qr/open\("\Q$key\E"\)/, '... whose keys are those of the application\'s settings';
    $configuration =~ s/\Q$key\E/$here/;
    chomp(my $lib = do { my $apxs = setting('apxs'); `$apxs -q LIBEXECDIR` });
    my $port = do { my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1); $s->sockport };
    my @load = map { "LoadModule ${_}_module $lib/mod_$_.so\n" } 'mpm_' . setting('mpm'), 'authz_core', 'session';
    open my $out, '>', "$dir/httpd.conf" or die "$dir/httpd.conf: $!";
    print $out @load, 'LoadModule session_dynamodb_module ', setting('module'), "\nLoadModule test_session_module ",
        setting('helper'), "\nServerRoot $dir\nServerName 127.0.0.1\nListen 127.0.0.1:$port\nDefaultRuntimeDir $dir\n",
        "PidFile $dir/pid\nErrorLog $dir/error_log\nSessionDynamoDBEndpointURL http://127.0.0.1:", setting('table'),
        "\nSessionDynamoDBCheckTable Off\n<Location /app/>\nSetHandler test-session\n</Location>\n$configuration";
    close $out;
    defined(my $pid = fork) or die "fork: $!";
    if (!$pid) {
        setpgrp;   # prefork ends its whole group
        delete @ENV{qw(AWS_REGION AWS_DEFAULT_REGION)};
        { exec setting('httpd'), '-DFOREGROUND', '-f', "$dir/httpd.conf" }
        POSIX::_exit(127);
    }
    if (ok eventually(sub { IO::Socket::INET->new("127.0.0.1:$port") }, 20), '... with which httpd starts') {
        my $id = flask_session({ user => 'ann', n => 5 });
        is get('/app/?get=user&set=seen:1', cookie => $id, port => $port)->line('get user'), 'ann', '... and reads';
        is_deeply flask_data($id), { user => 'ann', n => 5, seen => '1' }, '... and changes what Flask stored';
        my $new = get('/app/?set=user:bob', port => $port)->cookie('id');
        is_deeply flask_data($new), { user => 'bob' }, '... and begins what Flask reads';
    }
    kill TERM => $pid;
    waitpid $pid, 0;
    is join("\n", SessionTest::Log::noteworthy(split /\n/, SessionTest::Log::slurp("$dir/error_log"))), '',
        '... and its log holds nothing to worry about';
}

close $to;
done;
