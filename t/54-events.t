# Security events of sessions (SessionDynamoDBEventLog): each is one line of JSON when its request is over, which names
# neither session nor user, and which no client can forge or make long.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_hex sha256_hex sha512_hex);
use FindBin;
use File::Temp ();
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use SessionTest;
use SessionTest::Events;
use SessionTest::Log ();
use SessionTest::Login;
use SessionTest::Server;

my $KEY = 'the-key-of-the-events-in-these-tests-0123456789';
my $DIR = File::Temp::tempdir('/tmp/events-XXXXXX', CLEANUP => 1);
my($SERVER, $LOG, @EXPECTED);

sub file {
    my($name, $text) = @_;
    open my $out, '>', "$DIR/$name" or die "$name: $!";
    print $out $text;
    close $out;
    chmod 0600, "$DIR/$name";
    return "$DIR/$name";
}

my $USERS = file('users', SessionTest::Log::slurp("$SessionTest::T/conf/users"));
file('keys', "an-older-key-of-the-events-in-these-tests-543210\n$KEY\n");

my @AREAS = split /^/, <<"END";
<Location /users/>
    SetHandler test-session
    SessionDynamoDBUserKey user
</Location>
<Location /users/keep/>
    SessionDynamoDBLogout keep
</Location>
<Location /form/>
    SetHandler test-session
    AuthType Form
    AuthName members
    AuthFormProvider file
    AuthUserFile $USERS
    Require valid-user
</Location>
<Location /form/login>
    SetHandler form-login-handler
</Location>
<Location /form/logout>
    SetHandler form-logout-handler
    Require all granted
</Location>
<Location /basic/>
    SetHandler test-session
    AuthType Basic
    AuthName basic
    AuthBasicProvider file
    AuthUserFile $USERS
    Require valid-user
</Location>
<Location /renewal/>
    SetHandler test-session
    SessionDynamoDBRenewInterval 1000
</Location>
<Location /signed/>
    SetHandler test-session
    SessionDynamoDBSidKeys file:$SessionTest::T/conf/sid.keys
</Location>
<Location /tls/>
    SetHandler test-session
    SessionDynamoDBRequireTLS On
</Location>
<Location /site/>
    SetHandler test-session
    SessionDynamoDBFetchMetadata On
    SessionDynamoDBCSRFEnforce On
</Location>
<Location /anonymous/>
    SetHandler test-session
    SessionDynamoDBOnError anonymous
</Location>
END
chomp @AREAS;

my @MODULES = qw(authn_core authn_file authz_user auth_basic auth_form request unique_id);

sub stop { $SERVER->stop(splice @EXPECTED) if $SERVER; undef $SERVER; return }

sub start {
    my @lines = @_;
    stop();
    $SERVER = SessionTest::Server->start({ modules => \@MODULES }, @AREAS, 'SessionDynamoDBBreaker Off', @lines);
}

# Gracefully; the old children have a moment to stop listening.
sub restart {
    my $resumed = sub { scalar(() = SessionTest::Log::slurp($SERVER->{log}) =~ /resuming normal operations/g) };
    my $before  = $resumed->();
    kill USR1 => $SERVER->pid;
    eventually(sub { $resumed->() > $before }, 20);
    select undef, undef, undef, 0.5;
    return;
}

# Requests to that server.
sub page  { my $path = shift; return get($path, port => $SERVER->port, @_) }
sub login { my($path, $user, @more) = @_; return post($path, form($user), port => $SERVER->port, @more) }

# A session there; its ID.
sub stored {
    my $path = shift || '/test/?set=a:1';
    return page($path, @_)->cookie('id');
}

sub hash { return substr hmac_sha256_hex($_[0], $_[1] // $KEY), 0, 32 }

sub events_are (&$$) { my($block, $expected, $sentence) = @_; return $LOG->are($block, $expected, $sentence) }

start("SessionDynamoDBEventLog $DIR/events", "SessionDynamoDBEventKeys file:$DIR/keys");
$LOG = SessionTest::Events->new("$DIR/events");

note 'One line, all of it';
{
    my $id;
    my @headers = ('User-Agent', 'Tester/1.0', 'Referer', 'http://r/?referer-of-a-client');
    my($e) = events_are { $id = stored('/test/?set=a:1&in=query-of-a-client', headers => \@headers) }
        ['created new'], 'a new session';
    my $line = (split /\n/, SessionTest::Log::slurp("$DIR/events"))[0];
    is_deeply [$line =~ /"(\w+)":/g], \@SessionTest::Events::KEYS, '... all keys, in a fixed order';
    like $e->{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/, '... the time in UTC';
    cmp_ok abs(seconds_of($e->{time}) - time), '<', 10, '... which is now';
    is_deeply [@$e{qw(client method host path agent status previous user)}],
        ['127.0.0.1', 'GET', '127.0.0.1', '/test/', 'Tester/1.0', 200, '', ''], '... the request, without its query';
    like $e->{request}, qr/^[\w@-]{20,}$/, '... and its ID';
    is $e->{session}, hash($id), '... the HMAC of the session ID';
    isnt $e->{session}, substr($_->($id), 0, 32), '... not its hash' for \&sha256_hex, \&sha512_hex;
    isnt $e->{session}, substr(key_of($id), 0, 32), '... nor its table key';
    is((stat "$DIR/events")[2] & 07777, 0640, '... in a file that not everybody can read');

    events_are { page('/test/?get=a', cookie => $id) } [], 'a request that reads says nothing';
    events_are { page('/test/?set=a:2', cookie => $id) } [], '... nor one that changes data';
    events_are { page('/test/?get=a') } [], '... nor one without a session';
    my($end) = events_are { page('/test/?clear', cookie => $id) } ['ended emptied'], 'an emptied session';
    is $end->{session}, $e->{session}, '... has the same hash';
}

note 'Login, logout, another user';
{
    my $old = stored();
    my $new;
    my($e) = events_are { $new = login('/form/page', 'alice', cookie => $old)->cookie('id') }
        ['renewed login'], 'a login';
    is_deeply [@$e{qw(session previous method)}], [hash($new), hash($old), 'POST'], '... of the ID that it replaced';
    is $e->{user}, hash("form:members\0alice"), '... with the user';
    events_are { page('/form/page', cookie => $new) } [], 'the user\'s next request';
    my($moved) = events_are { page('/test/?get=a', cookie => $old) } ['reused login'], 'the replaced ID';
    is $moved->{session}, hash($old), '... itself';
    change_row($old, sub { $_->{expires}{N} = time - 1 });
    events_are { page('/test/?get=a', cookie => $old) } ['reused login'], '... also when it says so no longer';
    my($bob) = events_are { $old = $new; $new = login('/form/login', 'bob', cookie => $old)->cookie('id') }
        ['renewed user-changed'], 'another user';
    is $bob->{user}, hash("form:members\0bob"), '... who is named';
    events_are { page('/test/?get=a', cookie => $old) } ['reused left'], '... and the ID of the one before';
    my($out) = events_are { page('/form/logout', cookie => $new) } ['ended logout'], 'a logout';
    is_deeply [@$out{qw(session previous user)}], [hash($new), '', hash("form:members\0bob")], '... of the one who left';
    my($first) = events_are { $new = login('/form/page', 'alice')->cookie('id') }
        ['created login'], 'a login without a session';
    is_deeply [@$first{qw(session previous user)}], [hash($new), '', hash("form:members\0alice")], '... is a new one';
    events_are { login('/form/login', 'alice', cookie => $new) } ['renewed login'], 'a login of the same user';
    push @EXPECTED, qr/\[auth_form:error\].*AH0180[78]/;
    events_are { post('/form/page', form('alice', 'wrong'), port => $SERVER->port) }
        [], 'a login that failed is not ours';

    my $id = stored('/users/?set=user:ann&set=a:1');
    events_are { page('/users/keep/?del=user', cookie => $id) }
        ['renewed logout-keep'], 'a logout that keeps entries';
    $id = stored();
    my($basic) = events_are { $id = page('/basic/', basic('alice'), cookie => $id)->cookie('id') }
        ['renewed login'], 'HTTP authentication';
    is $basic->{user}, hash("basic:basic\0alice"), '... with realm and user';
    events_are { page('/basic/', basic('bob'), cookie => $id) }
        ['ended user-changed'], '... another user, who stores nothing';
}

note 'Programs';
{
    my($id, $new) = (stored());
    my($e) = events_are { $new = page('/test/?renew', cookie => $id)->cookie('id') }
        ['renewed program'], 'a program renews';
    is_deeply [@$e{qw(session previous)}], [hash($new), hash($id)], '... from one ID to the other';
    events_are { $new = page('/test/?create&set=b:1', cookie => $id = $new)->cookie('id') }
        ['renewed program'], '... or begins anew';
    events_are { page('/test/?end', cookie => $new) } ['ended program'], '... or ends';
    events_are { $new = stored('/test/?end&set=b:1', cookie => stored()) }
        ['created new', 'ended program', 'created new'],
        '... and begins another one';
}

note 'Time';
{
    my $id = stored();
    age($id, 7300);
    my($e) = events_are { page('/test/?get=a', cookie => $id) } ['expired idle'], 'a session that was not used';
    is $e->{session}, hash($id), '... is named';
    events_are { page('/test/?get=a', cookie => $id) }
        ['refused repeated'], '... the next time no read tells the reason';
    $id = stored();
    age($id, 43300, created => 1);
    age($id, -43300);
    events_are { page('/test/?get=a', cookie => $id) } ['expired absolute'], 'a session that is too old';
    $id = stored('/test/?set=a:1&expiry=1');
    select undef, undef, undef, 1.2;
    events_are { page('/test/?get=a', cookie => $id) } ['expired application'], 'an end that an application set';

    my $old = stored('/renewal/?set=a:1');
    age($old, 2000, created => 1);
    age($old, -2000);
    my $new;
    ($e) = events_are { $new = page('/renewal/?get=a', cookie => $old)->cookie('id') }
        ['renewed age'], 'an ID that is too old';
    is_deeply [@$e{qw(session previous)}], [hash($new), hash($old)], '... is replaced';
    events_are { page('/renewal/?get=a', cookie => $old) } [], '... and still leads there';
    ($e) = events_are { page('/renewal/?get=a', cookie => $new) } ['first-use'], 'the client has the new one';
    is $e->{session}, hash($new), '... which is told';
    events_are { page('/renewal/?get=a', cookie => $new) } [], '... once';
    quiet();
    change_row($new, sub { $_->{seen}{N} -= 100 });
    push @EXPECTED, qr/session_dynamodb:warn\].*refused a session ID that was replaced because of its age/;
    events_are { page('/renewal/?get=a', cookie => $old) } ['reused age'], 'the old one, long after';
}

note 'IDs that are refused';
{
    my($a, $b) = (stored(), stored());
    my($e) = events_are { page('/test/?get=a', cookie => 'no-session-ID-at-all') } ['refused form'], 'no ID';
    is_deeply [@$e{qw(session status)}], [hash('no-session-ID-at-all'), 200], '... is hashed all the same';
    my $unknown = 'A' x 42 . 'E';
    events_are { page('/test/?get=a', cookie => $unknown) } ['refused unknown'], 'an ID without a session';
    events_are { page('/test/?get=a', cookie => $unknown) } ['refused repeated'], '... again';
    events_are { page('/test/?set=a:1', cookie => 'B' x 42 . 'E') }
        ['refused unknown', 'created new'], '... and a new session';
    events_are { page('/test/?get=a', cookies => ["id=$a; id=$b"]) } ['refused ambiguous'], 'two live sessions';
    events_are { page('/test/?get=a', cookies => ['id=' . ('C' x 42) . "E; id=$a"]) } [], 'one beside a live session';
    ($e) = events_are { page('/tls/?get=a', cookie => $a) } ['refused tls'], 'one that came without TLS';
    is $e->{session}, hash($a), '... is named';
    events_are { page('/tls/?get=a') } [], '... and none did';
    my @send = ('/site/?set=a:2', method => 'POST', body => '');
    ($e) = events_are { page(@send, cookie => $a, headers => ['Sec-Fetch-Site', 'cross-site']) } ['refused cross-site'],
        'a change that another site sent';
    is_deeply [@$e{qw(session status)}], [hash($a), 403], '... is named';
    events_are { page(@send, cookie => $a) } ['refused csrf'], '... and one without a token';
    my $other = row(key_of($b));
    change_row($a, sub { $_->{loggable} = $other->{loggable} });
    events_are { page('/test/?get=a', cookie => $a) } ['refused foreign'], 'a row of another ID';
    my $signed = stored('/signed/?set=a:1');
    events_are { page('/signed/?get=a', cookie => $signed) } [], 'a signed ID';
    events_are { page('/signed/?get=a', cookie => substr($signed, 0, -4) . 'AAAA') }
        ['refused form'], '... with another signature';
    push @EXPECTED, qr/session_dynamodb:warn\].*more than one could be the session's/,
        qr{session_dynamodb:warn\].*refused a request for /tls/ that did not come over TLS},
        qr/session_dynamodb:warn\].*refused POST \/site\/ in a session, because/;
}

note 'Failures';
{
    push @EXPECTED, (map { qr/session_dynamodb:error\].*could not be $_/ } qw(read written ended)), qr/\[session:error\]/,
        qr/session_dynamodb:warn\].*malformed session row/;
    my $id = stored();
    fault(kind => 'error', op => 'GetItem', status => 400, type => 'AccessDeniedException');
    my($e) = events_are { page('/test/?get=a', cookie => $id) } ['failed denied'], 'a read that is denied';
    is_deeply [@$e{qw(session status)}], [hash($id), 503], '... is a 503';
    fault(kind => 'error', op => 'GetItem', status => 400, type => 'AccessDeniedException');
    events_are { page('/anonymous/?get=a', cookie => $id) }
        ['failed denied'], '... or not, and an event all the same';
    clear_faults();
    fault(kind => 'error', op => 'UpdateItem', status => 400, type => 'AccessDeniedException');
    events_are { page('/test/?set=a:2', cookie => $id) } ['failed denied'], 'a write that is denied';
    clear_faults();
    fault(kind => 'error', op => 'DeleteItem', status => 400, type => 'AccessDeniedException');
    events_are { page('/test/?end', cookie => $id) } ['failed denied'], 'an end that is denied';
    clear_faults();
    change_row($id, sub { delete $_->{loggable} });
    events_are { page('/test/?get=a', cookie => $id) } ['failed bad-item'], 'a row that is malformed';
}

note 'What a client sends';
{
    my @agents = ('quote " and \\ end', "tab\tand \xff\xc3 and \xe2\x80\xa8", 'x' x 5000);
    my $before = length SessionTest::Log::slurp("$DIR/events");
    for my $agent (@agents) {
        my($e) = events_are { page('/test/%0a%22%ff%5c%1b{}?get=a', cookie => 'forged', headers => ['User-Agent', $agent]) }
            ['refused form'], 'a hostile client: one event';
        is $e->{path}, "/test/\n\"\x{fffd}\\\e{}", '... whose path comes back';
    }
    my @lines = split /\n/, substr SessionTest::Log::slurp("$DIR/events"), $before;
    is scalar(@lines), 3, '... one line each';
    is_deeply [map { SessionTest::Events::decode($_)->{agent} } @lines],
        [$agents[0], "tab\tand \x{fffd}\x{fffd} and \x{2028}", 'x' x 256], '... whose agent does, cut';
    is_deeply [grep { /[^\x20-\x7e]/ || length > 4095 } @lines], [], '... in ASCII, and bounded';
    page('/test/' . '%01' x 2000 . '?get=a', cookie => 'f' x 6000, headers => ['User-Agent', "\xff" x 7000]);
    my($long) = split /\n/, $LOG->added;
    cmp_ok length $long, '<', 4096, 'the longest line is one write into a pipe';
    is length SessionTest::Events::decode($long)->{path}, 256, '... and JSON';
}

note 'Secrets';
{
    my $all = SessionTest::Log::slurp("$DIR/events");
    my @secrets = grep { length } split /\n/, SessionTest::Log::slurp("$SessionTest::T/logs/secrets");
    cmp_ok scalar(@secrets), '>', 20, 'IDs and keys are known';
    is_deeply [grep { index($all, $_) >= 0 } @secrets, $KEY, qw(alice bob query-of-a-client referer-of-a-client)], [],
        '... and none is in the log, nor a user, nor a query';
}

note 'Two children at once';
{
    $LOG->added;
    for (1 .. 5) {
        parallel(map { ['/test/?set=a:1', port => $SERVER->port, headers => ['User-Agent', "\xff" x 256]] } 1 .. 16);
    }
    my @lines = split /\n/, $LOG->added;
    is scalar(grep { eval { SessionTest::Events::decode($_)->{event} eq 'created' } } @lines), 80, 'eighty whole lines';
}

note 'A graceful restart';
{
    my $id = stored();
    $LOG->added;
    restart();
    my($e) = events_are { page('/test/?clear', cookie => $id) } ['ended emptied'], 'events go on';
    is $e->{session}, hash($id), '... with the same key';
}

note 'Without a key';
{
    my @hashes;
    for (1, 2) {
        start("SessionDynamoDBEventLog $DIR/random$_");
        $LOG = SessionTest::Events->new("$DIR/random$_");
        my @both = $LOG->of(sub { page('/test/?get=a', cookie => 'forged') for 1, 2 });
        is $both[0]{session}, $both[1]{session}, 'within one start equal IDs are equal';
        push @hashes, $both[0]{session};
    }
    isnt $hashes[0], $hashes[1], '... and after it they are not';
    is scalar(grep { $_ eq hash('forged') || $_ eq hash('forged', '') } @hashes), 0, '... without a key that is known';
}

note 'A program';
{
    file('keep', "#!/bin/sh\nexec cat >>$DIR/piped\n");
    chmod 0700, "$DIR/keep";
    start("SessionDynamoDBEventLog \"|$DIR/keep\"", "SessionDynamoDBEventKeys file:$DIR/keys");
    $LOG = SessionTest::Events->new("$DIR/piped");
    my $id;
    my($e) = events_are { $id = stored() } ['created new'], 'a program gets the line';
    is $e->{session}, hash($id), '... as a file does';
    restart();
    events_are { page('/test/?clear', cookie => $id) } ['ended emptied'], '... and after a graceful restart';
}

note 'The error log, and hosts';
{
    my @hosts = map { ('<VirtualHost *>', "ServerName $_->[0].test", @$_[1 .. $#$_], '</VirtualHost>') }
        ['main'], ['own', "SessionDynamoDBEventLog $DIR/own"], ['none', 'SessionDynamoDBEventLog None'];
    start('SessionDynamoDBEventLog error', "SessionDynamoDBEventKeys file:$DIR/keys", @hosts);
    my $log = SessionTest::Log::slurp($SERVER->{log}) // '';
    my $own = SessionTest::Events->new("$DIR/own");
    my($id) = $own->are(sub { page('/test/?set=a:1', host => 'own.test') }, ['created new'], 'a host has a log of its own');
    is $id->{host}, 'own.test', '... and is named in it';
    page('/test/?get=a', cookie => 'forged', host => 'none.test');
    page('/test/?get=a', cookie => 'forged', host => 'main.test',
        headers => ['Referer', 'http://r/?secret-of-a-referer', 'User-Agent', 'a"b']);
    ok eventually(sub { ($log = SessionTest::Log::slurp($SERVER->{log})) =~ /refused/ }), 'the error log';
    my @lines = grep { /"event"/ } split /\n/, $log;
    is scalar(@lines), 1, '... has one line, of the host that has no other';
    like $lines[0], qr/^\[[^]]+\] \[session_dynamodb:notice\] \[pid [^]]+\] \{"time":.*\}$/, '... at level notice, with nothing beside';
    my($text) = $lines[0] =~ /(\{.*)/;
    my $e = SessionTest::Events::decode($text =~ s/\\\\/\\/gr);
    is_deeply [@$e{qw(event host agent session)}], ['refused', 'main.test', 'a"b', hash('forged')],
        '... the same, once the backslashes are not doubled';
}

note 'fail2ban';
SKIP: {
    my($regex) = grep { -x } map { "$_/fail2ban-regex" } split /:/, $ENV{PATH};
    skip 'fail2ban is not installed', 6 if !$regex;
    # Of each event in the file one client: those of the filter are found, and no other.
    my @lines = split /\n/, SessionTest::Log::slurp("$DIR/events");
    my(%client, %expected);
    for my $i (0 .. $#lines) {
        my $e = SessionTest::Events::decode($lines[$i]);
        $client{$i} = "192.0." . (2 + int($i / 200)) . '.' . (1 + $i % 200);
        $lines[$i] =~ s/"client":"127\.0\.0\.1"/"client":"$client{$i}"/;
        $expected{ $client{$i} } = 1 if $e->{event} eq 'refused' && $e->{reason} =~ /^(?:form|unknown)$/;
    }
    cmp_ok scalar(keys %expected), '>', 5, 'there is something to find';
    my $find = sub {
        my $log = file('log', join '', map { "$_\n" } @_);
        return map { my @part = split / /; \@part } split /\n/,
            `$regex -o '<ip> <time>' $log @{[setting('src')]}/conf/fail2ban/session-dynamodb.conf`;
    };
    my @found = $find->(@lines);
    is_deeply [sort map { $_->[0] } @found], [sort keys %expected], 'fail2ban finds the clients in the file';
    is scalar(grep { abs($_->[1] - time) > 100 } @found), 0, '... and the time';

    # The error log, with a line of each level that a client has put a line of ours into.
    my($ours) = grep { /session_dynamodb:notice\].*"event":"refused"/ } split /\n/, SessionTest::Log::slurp($SERVER->{log});
    my $forged = $ours =~ s/127\.0\.0\.1/192.0.2.1/r;
    my($text) = $forged =~ /(\{.*)/;
    @found = $find->($ours, $ours =~ s/\{.*/[client 192.0.2.2:1] $text/r,
        $ours =~ s/session_dynamodb:notice/core:error/r =~ s/127\.0\.0\.1/192.0.2.3/r,
        $ours =~ s/"client".*//r . "\"path\":\"$text\"}", $ours =~ s/refused/created/r);
    is_deeply [map { $_->[0] } @found], ['127.0.0.1'], '... in the error log, and no client that others put there';
    is scalar(grep { abs($_->[1] - time) > 100 } @found), 0, '... and the time, in whatever zone';
    my $agent = $lines[0] =~ s/"agent":.*/'"agent":' . JSON::PP->new->ascii->encode($text) . '}'/er;
    is_deeply [$find->($agent)], [], '... nor by a User-Agent';
}

note 'Nowhere to write';
{
    start('SessionDynamoDBEventLog /dev/full');
    push @EXPECTED, qr{session_dynamodb:error\].*lost an event of a session: SessionDynamoDBEventLog /dev/full can't be};
    is page('/test/?set=a:1')->status, 200, 'a request is answered although its event is lost';
    page('/test/?set=a:1');
    my @lines = grep { /lost an event/ } split /\n/, SessionTest::Log::slurp($SERVER->{log});
    is scalar(@lines), 1, '... which the log tells once';
}
stop();

done;
