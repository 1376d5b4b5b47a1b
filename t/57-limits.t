# How many session IDs one address may guess, and how many sessions it may begin (SessionDynamoDBGuessLimit, CreateLimit):
# who passes a limit is told of, or refused, while all who have a session go on, from the same address, too.

use strict;
use warnings;
use FindBin;
use File::Temp ();
use lib "$FindBin::Bin/lib";
use MIME::Base64 ();
use SessionTest;
use SessionTest::Events;
use SessionTest::Log ();
use SessionTest::Server;

my $DIR = File::Temp::tempdir('/tmp/limits-XXXXXX', CLEANUP => 1);
my($SERVER, $LOG, @EXPECTED);

# Hosts that differ in their limits. The window is longer than any test.
my %HOST = (
    'log.test'  => ['SessionDynamoDBGuessLimit 5/600 log', 'SessionDynamoDBCreateLimit 5/600 log'],
    'deny.test' => ['SessionDynamoDBGuessLimit 5/600 deny', 'SessionDynamoDBCreateLimit 5/600 deny'],
    'same.test' => ['SessionDynamoDBGuessLimit 5/600 deny', 'SessionDynamoDBCreateLimit 5/600 deny'],
    'more.test' => ['SessionDynamoDBGuessLimit 6/600 deny', 'SessionDynamoDBCreateLimit Off'],
    'off.test'  => [],
);
my @HOSTS = map { ('<VirtualHost *>', "ServerName $_", @{ $HOST{$_} }, '</VirtualHost>') } sort keys %HOST;
my @AREAS = split /\n/, <<"END";
<Location /signed/>
    SetHandler test-session
    SessionDynamoDBSidKeys file:$SessionTest::T/conf/sid.keys
</Location>
<Location /eventual/>
    SetHandler test-session
    SessionDynamoDBConsistentRead Off
</Location>
<Location /users/>
    SetHandler test-session
    SessionDynamoDBUserKey user
</Location>
<Location /told/>
    SetHandler test-session
    ErrorDocument 429 /test/?get=a
</Location>
<Location /server-status>
    SetHandler server-status
    Session Off
</Location>
CustomLog $DIR/pids %P
END

sub start {
    my @lines = @_;
    $SERVER->stop(splice @EXPECTED) if $SERVER;
    $SERVER = SessionTest::Server->start({ modules => [qw(remoteip status log_config)] }, 'SessionDynamoDBBreaker Off',
        'RemoteIPHeader X-Client', 'RemoteIPInternalProxy 127.0.0.1', "SessionDynamoDBEventLog $DIR/events", @AREAS,
        @lines);
    $LOG = SessionTest::Events->new("$DIR/events");
    $LOG->added;
    return;
}

my $addresses = 0;
sub address { return '198.51.' . int(++$addresses / 250) . '.' . (1 + $addresses % 250) }
sub made_up { return MIME::Base64::encode_base64url(join '', map { chr int rand 256 } 1 .. 32) }

# A request from an address to a host.
sub from {
    my($ip, $host, $path, @more) = @_;
    return get($path, port => $SERVER->port, host => $host, headers => ['X-Client', $ip], @more);
}

sub guess { my($ip, $host, $path, @more) = @_; return from($ip, $host, $path || '/test/?get=a', cookie => made_up(), @more) }

# As many guesses as are within the limit.
sub guesses { my @of = @_; guess(@of) for 1 .. 5; return }
sub begins  { my($ip, $host) = @_; from($ip, $host, '/test/?set=a:1') for 1 .. 5; return }

sub is_refused {
    my $sentence = shift;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $after = res()->header('Retry-After') // '';
    is_deeply [res()->status, res()->set_cookies], [429], $sentence;
    ok $after =~ /^\d+$/ && $after > 300 && $after <= 600, "... until the window ends ($after)";
    return;
}

sub lines_of { my $pattern = shift; quiet(); return scalar $SERVER->log_lines($pattern) }

start(@HOSTS);
my $GUESSING   = qr/session_dynamodb:warn\].*\bhas sent more than \d+ session IDs within 600 s that open no session/;
my $HARVESTING = qr/session_dynamodb:warn\].*\bhas begun more than \d+ sessions within 600 s/;

note 'Guesses are logged';
{
    my $ip = address();
    calls_are { $LOG->are(sub { guesses($ip, 'log.test') }, [('refused unknown') x 5], 'as many as are allowed') }
        [('GetItem') x 5], '... each cost a read';
    my $last = made_up();
    my($e) = $LOG->are(sub { from($ip, 'log.test', '/test/?get=a', cookie => $last) }, ['guessing log', 'refused unknown'],
        'one more');
    is_deeply [@$e{qw(client host status)}], [$ip, 'log.test', 200], '... is told of, and served';
    like $e->{session}, qr/^[0-9a-f]{32}$/, '... with a hash of the ID';
    is lines_of(qr/\[client \Q$ip\E\S*\] \Q$ip\E has sent more than 5 .*\(SessionDynamoDBGuessLimit\)/), 1, '... by a line, too';
    $LOG->are(sub { guess($ip, 'log.test') for 1 .. 3 }, [('refused unknown') x 3], '... once');
    is res()->status, 200, '... while it goes on';
    calls_are { from($ip, 'log.test', '/test/?set=a:1', cookie => made_up()) } [qw(GetItem PutItem)], '... and begins a session';
    is lines_of($GUESSING), 1, '... and there is one line';
}

note 'Guesses are refused';
my $IP = address();
{
    my $live = from($IP, 'deny.test', '/test/?set=a:1')->cookie('id');
    my $signed = from($IP, 'deny.test', '/signed/?set=a:1')->cookie('id');
    guesses($IP, 'deny.test');
    is res()->status, 200, 'as many as are allowed are served';
    my $unknown = made_up();
    $LOG->added;
    calls_are { from($IP, 'deny.test', '/test/?get=a', cookie => $unknown) } ['GetItem'], 'one more is read';
    is_refused '... and refused';
    my @events = map { SessionTest::Events::decode($_) } split /\n/, $LOG->added;
    is_deeply [map { "$_->{event} $_->{reason} $_->{status}" } @events], ['guessing deny 429', 'refused unknown 429'],
        '... as the events tell';
    is lines_of(qr/\Q$IP\E has sent more than 5 .*; its requests with such IDs get 429 until then/), 1, '... and the log';
    calls_are { from($IP, 'deny.test', '/test/?get=a', cookie => $unknown) } [], 'the same again, without a read';
    is_refused '... is refused';
    for my $bad (['no ID', '/test/', 'nonsense'], ['a wrong signature', '/signed/', made_up() . '.' . 'A' x 27]) {
        calls_are { from($IP, 'deny.test', "$bad->[1]?get=a", cookie => $bad->[2]) } [], "$bad->[0]: no call";
        is_refused '... refused';
    }
    calls_are { guess($IP, 'deny.test', '/test/?set=a:1') } ['GetItem'], 'one that would store something';
    is_refused '... does not';
    calls_are { guess($IP, 'deny.test', '/told/') } ['GetItem'], 'an error page';
    is_refused '... is refused as well';
    is res()->line('get a'), '(none)', '... and shown';
    $LOG->are(sub { guess($IP, 'deny.test') }, ['refused unknown'], '... nothing is told again');

    note '... and nobody else';
    for my $session (['/test/', $live], ['/signed/', $signed]) {
        calls_are { from($IP, 'deny.test', "$session->[0]?get=a", cookie => $session->[1]) } ['GetItem'], 'who has a session';
        is_deeply [res()->status, res()->line('get a')], [200, 1], '... has it';
    }
    calls_are { from($IP, 'deny.test', '/test/?set=a:2', cookie => $live) } [qw(GetItem UpdateItem)], '... and changes it';
    is from($IP, 'deny.test', '/test/?get=a', cookies => ['id=' . made_up() . "; id=$live"])->line('get a'), 2,
        '... also with another cookie beside it';
    my $new = from($IP, 'deny.test', '/users/?set=user:ann', cookie => $live)->cookie('id');
    ok $new, '... and logs in';
    is from($IP, 'deny.test', '/test/?get=a', cookie => $live)->status, 200, '... whose last ID is no guess';
    calls_are { from($IP, 'deny.test', '/test/?get=a') } [], 'a visitor without a cookie';
    is res()->status, 200, '... is served';
    calls_are { from($IP, 'deny.test', '/test/?set=a:1') } ['PutItem'], '... and begins a session';
    my $old = res()->cookie('id');
    age($old, 7300);
    calls_are { from($IP, 'deny.test', '/test/?get=a', cookie => $old) for 1 .. 3 } ['GetItem'], 'who comes back too late';
    is res()->status, 200, '... is served, also when that is known';
    is guess(address(), 'deny.test')->status, 200, 'another address is not concerned';
    is guess($IP, 'same.test')->status, 429, 'hosts with the same limit count together';
    guesses($IP, 'more.test');
    is guess($IP, 'more.test')->status, 200, '... and others on their own';
    is guess($IP, 'more.test')->status, 429, '... each with its limit';
    is guess($IP, 'off.test')->status, 200, '... or without one';
}

note 'What counts';
{
    my $ip = address();
    my $id = made_up();
    calls_are { from($ip, 'deny.test', '/eventual/?get=a', cookie => $id) for 1 .. 10 } [('GetItem') x 10],
        'one ID, with each of many requests';
    is res()->status, 200, '... is one guess';
    from($ip, 'deny.test', '/test/?get=a', cookie => 'of-another-application') for 1 .. 10;
    is res()->status, 200, '... as is the cookie of another application';
    guess($ip, 'deny.test') for 1 .. 4;
    is res()->status, 429, 'it is the different ones that count';
    calls_are { guess($ip, 'deny.test', '/eventual/?get=a') } ['GetItem'], 'where reads may be late';
    is res()->status, 200, '... what is not found may be a session, and is served';
    is from($ip, 'deny.test', '/eventual/?get=a', cookie => 'nonsense')->status, 429, '... unless it can be no ID';

    $ip = address();
    my $mine = from($ip, 'deny.test', '/test/?set=a:1')->cookie('id');
    from($ip, 'deny.test', '/test/?get=a', cookies => ["id=$mine; id=" . made_up()]) for 1 .. 6;
    is res()->line('get a'), 1, 'guesses beside a live session';
    is guess($ip, 'deny.test')->status, 429, '... count';

    $ip = address();
    my @over = map { from(address(), 'deny.test', '/test/?set=a:1')->cookie('id') } 1 .. 6;
    age($_, 7300) for @over;
    from($ip, 'deny.test', '/test/?get=a', cookie => $_) for @over, @over;
    is res()->status, 200, 'IDs of sessions that are over';
    my $replaced = from($ip, 'deny.test', '/test/?set=a:1')->cookie('id');
    from($ip, 'deny.test', '/test/?renew', cookie => $replaced);
    from($ip, 'deny.test', '/test/?get=a', cookie => $replaced) for 1 .. 6;
    guesses($ip, 'deny.test');
    is res()->status, 200, '... and those that were replaced count for nothing';
    is guess($ip, 'deny.test')->status, 429, '... as the next guess shows';
}

note 'New sessions are logged';
{
    my $ip = address();
    $LOG->are(sub { begins($ip, 'log.test') }, [('created new') x 5], 'as many as are allowed');
    my($e) = $LOG->are(sub { from($ip, 'log.test', '/test/?set=a:1') }, ['harvesting log', 'created new'], 'one more');
    is_deeply [@$e{qw(client session status)}], [$ip, '', 200], '... is told of, and begins';
    is lines_of(qr/\Q$ip\E has begun more than 5 .*\(SessionDynamoDBCreateLimit\)/), 1, '... by a line, too';
    $LOG->are(sub { begins($ip, 'log.test') }, [('created new') x 5], '... once');

    $ip = address();
    begins($ip, 'log.test');
    $LOG->added;
    fault(kind => 'error', op => 'PutItem', status => 400, type => 'AccessDeniedException', count => 0);
    $LOG->are(sub { from($ip, 'log.test', '/test/?set=a:1') for 1 .. 3 }, [('failed denied') x 3],
        'what could not be stored passes no limit');
    clear_faults();
    $LOG->are(sub { from($ip, 'log.test', '/test/?set=a:1') }, ['harvesting log', 'created new'], '... the next one does');
    push @EXPECTED, qr/session_dynamodb:error\].*could not be written/, qr/\[session:error\].*AH01822/;
}

note 'New sessions are refused';
{
    my $ip = address();
    begins($ip, 'deny.test');
    my $live = res()->cookie('id');
    ok $live, 'as many as are allowed begin';
    calls_are { $LOG->are(sub { from($ip, 'deny.test', '/test/?set=a:1') }, ['harvesting deny', 'failed limit'], 'one more') }
        [], '... costs no call';
    is_refused '... and is refused';
    is lines_of(qr/\Q$ip\E has begun more than 5 .*; its requests that would begin one get 429 until then/), 1, '... as the log tells';
    $LOG->are(sub { from($ip, 'deny.test', '/test/?set=a:1') }, ['failed limit'], '... once');
    is_refused '... while others are refused as well';
    calls_are { from($ip, 'deny.test', '/told/?set=a:1') } [], 'with an error page';
    is_deeply [res()->status, res()->line('get a')], [429, 1], '... which is shown';

    calls_are { from($ip, 'deny.test', '/test/?get=a') } [], 'who stores nothing';
    is res()->status, 200, '... is served';
    calls_are { from($ip, 'deny.test', '/test/?set=a:2', cookie => $live) } [qw(GetItem UpdateItem)], 'a session goes on';
    calls_are { $live = from($ip, 'deny.test', '/test/?renew', cookie => $live)->cookie('id') }
        [qw(GetItem PutItem UpdateItem)], '... gets a new ID';
    calls_are { from($ip, 'deny.test', '/users/?set=user:ann', cookie => $live) } [qw(GetItem PutItem UpdateItem)], '... and a user';
    calls_are { from($ip, 'deny.test', '/users/?set=user:ann') } ['PutItem'], 'a login without a session';
    is_deeply [res()->status, scalar res()->set_cookies], [200, 1], '... has one';
    calls_are { from(address(), 'deny.test', '/test/?set=a:1') } ['PutItem'], 'another address begins sessions';
    is from($ip, 'same.test', '/test/?set=a:1')->status, 429, 'hosts with the same limit count together';
    calls_are { from($ip, 'off.test', '/test/?set=a:1') } ['PutItem'], '... or do not count';

    $ip = address();
    fault(kind => 'error', op => 'PutItem', status => 400, type => 'AccessDeniedException', count => 0);
    from($ip, 'deny.test', '/test/?set=a:1') for 1 .. 7;
    is res()->status, 503, 'what could not be stored';
    clear_faults();
    begins($ip, 'deny.test');
    is res()->status, 200, '... does not count';
    push @EXPECTED, qr/session_dynamodb:error\].*could not be written/, qr/\[session:error\].*AH01822/;
}

note 'Addresses';
{
    guess("2001:db8:1:2::$_", 'deny.test') for 1 .. 5;
    is res()->status, 200, 'one network of IPv6';
    is guess('2001:db8:1:2:ffff:ffff:ffff:ffff', 'deny.test')->status, 429, '... counts as one client';
    is lines_of(qr{\Q2001:db8:1:2::/64 has sent\E}), 1, '... by which it is named';
    is guess('2001:db8:1:3::1', 'deny.test')->status, 200, '... and the next one as another';
    my $ip = address();
    guesses($ip, 'deny.test');
    is guess("::ffff:$ip", 'deny.test')->status, 429, 'IPv4 in the form of IPv6 is IPv4';
}

note 'All children';
{
    my($pids, $ip, @answers) = (0);
    for (1 .. 20) {
        $ip = address();
        guess($ip, 'deny.test');
        my $before = length SessionTest::Log::slurp("$DIR/pids");
        @answers = parallel(map { ['/test/?get=a', port => $SERVER->port, host => 'deny.test', cookie => made_up(),
                                   headers => ['X-Client', $ip]] } 1 .. 24);
        quiet();
        my %pids = map { $_ => 1 } split /\n/, substr SessionTest::Log::slurp("$DIR/pids"), $before;
        last if ($pids = keys %pids) > 1;
    }
    cmp_ok $pids, '>', 1, 'guesses at several child processes at once';
    is scalar(grep { $_->status == 200 } @answers), 4, '... of which just as many are served as are allowed';
    is lines_of(qr/\b\Q$ip\E has sent/), 1, '... and of which there is one line';
    my($limited) = get('/server-status?auto', port => $SERVER->port)->body =~ /^SessionDynamoDBLimited: (\d+)$/m;
    cmp_ok $limited, '>=', 20, 'mod_status has the number of all that were refused';
}

note 'Everybody behind one address';
{
    my @notice = (qr/session_dynamodb:notice\].*all clients seem to share the address of a balancer, 127\.0\.0\.1, .*RemoteIPHeader/);
    my $made_up = sub { get('/test/?get=a', port => $SERVER->port, host => $_[0], cookie => made_up(), @_[1 .. $#_]) };
    $made_up->('log.test') for 1 .. 6;
    is lines_of($notice[0]), 0, 'an address of this machine says nothing';
    $made_up->('more.test', headers => ['X-Forwarded-For', '198.51.100.1']) for 1 .. 7;
    is lines_of($notice[0]), 1, '... unless it forwards requests';
    begins(address(), 'deny.test') for 1 .. 2;
    get('/test/?set=a:1', port => $SERVER->port, host => 'deny.test', headers => ['X-Forwarded-For', '198.51.100.1']) for 1 .. 6;
    is lines_of($notice[0]), 2, '... once for each host';
}
push @EXPECTED, $GUESSING, $HARVESTING;

note 'What is counted without a word';
{
    start('SessionDynamoDBGuessLimit 20/60 log', 'SessionDynamoDBCreateLimit 60/60 log');
    my $default = address();
    from($default, 'any.test', '/test/?get=a', cookie => made_up()) for 1 .. 21;
    from($default, 'any.test', '/test/?set=a:1') for 1 .. 61;
    push @EXPECTED, qr/has sent more than 20 session IDs within 60 s/, qr/has begun more than 60 sessions within 60 s/;
    ok lines_of($_), 'the defaults are as the documentation says' for @EXPECTED;
}

note 'The end of a window';
{
    start('SessionDynamoDBGuessLimit 1/2 deny');
    my $ip = address();
    ok eventually(sub { guess($ip, 'any.test')->status == 429 }), 'an address is refused';
    my $after = res()->header('Retry-After');
    ok $after == 1 || $after == 2, '... for so many seconds';
    select undef, undef, undef, $after;
    is guess($ip, 'any.test')->status, 200, '... and then served';
    push @EXPECTED, qr/has sent more than 1 session IDs within 2 s/;
}
$SERVER->stop(splice @EXPECTED);

note 'fail2ban';
SKIP: {
    my($regex) = grep { -x } map { "$_/fail2ban-regex" } split /:/, $ENV{PATH};
    skip 'fail2ban is not installed', 3 if !$regex;
    my @lines = split /\n/, SessionTest::Log::slurp("$DIR/events");
    for my $mode (qw(guessing harvesting)) {
        my %clients = map { $_->{client} => 1 } grep { $_->{event} eq $mode } map { SessionTest::Events::decode($_) } @lines;
        my @found = split /\n/, `$regex -o '<ip>' $DIR/events '@{[setting('src')]}/conf/fail2ban/session-dynamodb.conf[mode=$mode]'`;
        is_deeply [sort keys %{ { map { s{/.*}{}r => 1 } @found } }], [sort keys %clients], "fail2ban finds the clients of $mode";
    }
    my @ids = split /\n/, `$regex -o '<ip>' $DIR/events @{[setting('src')]}/conf/fail2ban/session-dynamodb.conf`;
    cmp_ok scalar(@ids), '>', 20, '... and those of refused IDs, where no mode is set';
}

done;
