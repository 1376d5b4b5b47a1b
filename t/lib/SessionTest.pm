package SessionTest;

# What a test file needs to read like sentences:
#
#   use SessionTest;
#   my $id = session(a => 1);                           # a stored session with a=1, its ID
#   calls_are { get('/test/?get=a', cookie => $id) } ['GetItem'], 'a read-only request costs one read';
#   is res()->line('get a'), '1', '... and sees what was stored';
#   done;
#
# A file begins with empty tables and no fault, and `done` fails it when the error log holds a line of level warn or
# above, or any of our module's errors, that expect_log did not announce.

use strict;
use warnings;

use Cwd ();
use Exporter qw(import);
use File::Basename ();
use JSON::PP ();
use POSIX ();
use Test::More;

use SessionTest::HTTP ();
use SessionTest::Log ();
use SessionTest::Outage ();
use SessionTest::Table ();
use SessionTest::Tally ();

our @EXPORT = (@Test::More::EXPORT, qw(
    get post http res session connection parallel h2 port setting
    calls calls_of calls_are quiet take_calls fault clear_faults release held mode forget connections close_connections
    row rows put_row delete_row change_row age key_of data_of clear_tables
    seconds_of here let_go eventually within
    expect_log log_lines note_secret tally done needs lacks same_under_every_mpm));

# Milliseconds of rest at the table before and after a block whose calls are counted. What is expected is waited for, and
# would need none of it; what comes in spite of that fails this block or the next one.
our @QUIET = (10, 30);

our $T = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/..');   # the server root
my($STATE, $TABLE, $LOG_START, @EXPECTED, %SECRETS, $RES);

begin();

sub begin {
    my $file = $ENV{MSD_TEST_STATE} || "$T/../state.json";
    -e $file or die "no server is running: start it with perl t/TEST -start-httpd\n";
    $STATE = JSON::PP::decode_json(SessionTest::Log::slurp($file));
    $TABLE = SessionTest::Table->new($STATE);
    Test::More->builder->failure_output(\*STDERR);
    $TABLE->control(POST => '/reset');
    $TABLE->clear;
    unlink glob "$T/state/*.here $T/state/*.go";
    SessionTest::Outage::settle(SessionTest::Log::judged_last($T));
    $LOG_START = SessionTest::Log::size($T);
    SessionTest::Log::append("$T/logs/ran", "$0\n");
}

sub setting { $STATE->{ $_[0] } }                 # of state.json: module, httpd, apxs, mpm, src, ports, ...
sub port    { $STATE->{ $_[0] ? "$_[0]_port" : 'port' } }

# What the DynamoDB that the tests were pointed at can't do, and what it said; nothing where it is a dynalite of ours.
sub lacks {
    my $what = shift;
    my $said = $STATE->{lacks}{$what};
    return $said && "$STATE->{endpoint} has not $what ($said)";
}

# A whole file whose subject knows nothing of processes and threads: configuration, programs, rows, text. Where make check
# goes through several MPMs, it is part of the first run alone.
sub same_under_every_mpm {
    Test::More::plan(skip_all => 'the same under every MPM') if $STATE->{not_first};
    return;
}

# A whole file that is nothing without it.
sub needs { my $why = lacks($_[0]); Test::More::plan(skip_all => $why) if $why; return }

# --- requests ---------------------------------------------------------------------------------------------------------

# http(path => ..., method, port ('h2c' and so on, or a number), version, host, body, keep, connection,
#      cookie => ID, cookie_name ('id'), cookies => [raw Cookie headers], headers => [name, value, ...])
sub http {
    my %r = _request(@_);
    my $connection = delete $r{connection} || SessionTest::HTTP->connect($r{port});
    $connection->send_request(%r);
    return $RES = _seen($connection->read_response);
}

sub get  { my $path = shift; return http(path => $path, @_) }
sub post { my($path, $body) = splice @_, 0, 2; return http(path => $path, method => 'POST', body => $body, @_) }
sub res  { $RES }                                 # the answer of the last http, get or post

# A connection to work with: connection()->send_request(...)->send_request(...); ->read_response.
sub connection { SessionTest::HTTP->connect(_port($_[0])) }

# All at once, one connection each: list of argument lists of http. The answers in order.
sub parallel {
    my @connections = map {
        my %r = _request(@$_);
        my $connection = SessionTest::HTTP->connect($r{port});
        [ $connection, \%r ];
    } @_;
    $_->[0]->send_request(%{ $_->[1] }) for @connections;
    return map { _seen($_->[0]->read_response) } @connections;
}

sub _port {
    my $port = shift;
    return !defined $port ? $STATE->{port} : $port =~ /^\d+$/ ? $port : $STATE->{"${port}_port"};
}

sub _request {
    my %r = @_ % 2 ? (path => @_) : @_;
    my @headers;
    my @flat = @{ delete $r{headers} || [] };
    push @headers, [ splice @flat, 0, 2 ] while @flat;
    if (defined(my $id = delete $r{cookie})) {
        note_secret($id);
        push @headers, ['Cookie', (delete $r{cookie_name} || 'id') . "=$id"];
    }
    push @headers, map { ['Cookie', $_] } @{ delete $r{cookies} || [] };
    return (%r, headers => \@headers, port => _port($r{port}));
}

# IDs that the server gave out are secrets from then on.
sub _seen {
    my $response = shift;
    return $response unless $response;
    for ($response->set_cookies) {
        note_secret($1) if /^[^=]*=([^;]+)/;
    }
    note_secret($_) for map { $response->all($_) } 'x-id', 'X-Session-Token';
    return $response;
}

# A request by HTTP/2 (curl): h2('/path', cookie => ID, headers => [...]), on the clear-text port unless told.
sub h2 {
    my($path, %o) = @_;
    my %r   = _request(path => $path, port => 'h2c', %o);
    my $tls = $r{port} == $STATE->{tls_port};
    my @command = ('curl', '-sS', '-i', '--max-time', 20, $tls ? ('-k', '--http2') : '--http2-prior-knowledge',
        (map { ('-H', "$_->[0]: $_->[1]") } @{ $r{headers} }), defined $r{body} ? ('--data-binary', $r{body}) : (),
        ($tls ? 'https' : 'http') . "://127.0.0.1:$r{port}$path");
    open my $in, '-|', @command or die "curl: $!";
    binmode $in;
    local $/;
    my($head, $body) = split /\r\n\r\n/, scalar <$in>, 2;
    my($start, @lines) = split /\r\n/, defined $head ? $head : '';
    my($version, $status) = ($start || '') =~ m{^HTTP/(\S+) (\d+)} or die "curl: no answer from $path";
    return $RES = _seen(bless { version => $version, status => $status, reason => '', body => $body,
        headers => [ map { [ split /:\s*/, $_, 2 ] } @lines ] }, 'SessionTest::Response');
}

# A stored session: session(a => 1, b => 2), or session('/area/', a => 1). Its ID; the cookie is called id.
sub session {
    my $area    = @_ % 2 ? shift : '/test/';
    my %entries = @_;
    my $query   = join '&', map { "set=$_:$entries{$_}" } sort keys %entries;
    my $answer  = get("$area?$query");
    my($cookie) = map { /^[^=]*=([^;]*)/ ? $1 : () } $answer->set_cookies;
    my $id = defined $cookie ? $cookie : $answer->header('x-id');
    defined $id or die "no session from $area: status " . $answer->status . "\n";
    return $id;
}

# --- calls ------------------------------------------------------------------------------------------------------------

# The entries of the calls that a block causes, the late ones (touches) too: hashes with op, body, status, connection...
# Where late ones are expected, the number of all is what to wait for; a number that is not reached is a failure.
sub calls_of (&;$) {
    my($block, $want) = @_;
    my @found = _calls_of($block, $want);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    Test::More::fail("$want calls came, not " . @found) if $want && @found < $want;
    return @found;
}

sub _calls_of {
    my($block, $want) = @_;
    my $last = $TABLE->requests(since => 'last', quiet => $QUIET[0])->{last};
    $block->();
    return @{ $TABLE->requests(since => $last, quiet => $QUIET[1], want => $want || 0)->{requests} };
}

# Their names.
sub calls (&;$) { return map { $_->{op} } &calls_of(@_) }

# calls_are { ... } ['GetItem', 'UpdateItem'], 'sentence': waits until so many came, and then for more to come.
sub calls_are (&$;$) {
    my($block, $expected, $sentence) = @_;
    my @found = map { $_->{op} } _calls_of($block, scalar @$expected);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return Test::More::is("@found", "@$expected", $sentence);
}

# Until the table has been at rest for that many milliseconds.
sub quiet { $TABLE->requests(since => 'last', quiet => $_[0] || 80); return }

# The entries of what was answered so far, without their bodies; the proxy forgets them, which it else never does.
sub take_calls { return @{ $TABLE->requests(take => 1, brief => 1, quiet => 80)->{requests} } }

sub fault        { $TABLE->control(POST => '/fault', { @_ }); return }
sub clear_faults { $TABLE->control(POST => '/fault/clear'); return }
sub release      { $TABLE->control(POST => '/release' . ($_[0] ? "?count=$_[0]" : '')); return }
sub mode         { $TABLE->control(POST => '/mode', { @_ }); return }
sub forget       { $TABLE->control(POST => '/reset'); return }   # requests, faults and modes
sub connections  { return $TABLE->control(GET => '/connections') }
sub close_connections { return $TABLE->control(POST => '/connections/close')->{closed} }

# Wait until so many requests are held (fault kinds hold, hold_after).
sub held {
    my $count = shift;
    return eventually(sub { connections()->{held} >= $count });
}

# --- rows -------------------------------------------------------------------------------------------------------------

sub row        { return $TABLE->row(@_) }                     # by table key; row(key_of($id))
sub rows       { return $TABLE->rows(@_) }
sub put_row    { return $TABLE->put_row(@_) }
sub delete_row { return $TABLE->delete_row(@_) }
sub data_of    { return $TABLE->data_of(@_) }
sub clear_tables { return $TABLE->clear }

sub key_of {
    my $key = $TABLE->key_of(@_);
    note_secret($key);
    return $key;
}

# Change a row in place: change_row($id, sub { $_->{data} = { S => 'x' } }).
sub change_row {
    my($id, $change, $table) = @_;
    my $item = row(key_of($id), $table) or die "no row of that session\n";
    local $_ = $item;
    $change->($item);
    put_row($item, $table);
    return $item;
}

# As if the last activity (and with `created`, the beginning too) had been so many seconds earlier.
sub age {
    my($id, $seconds, %also) = @_;
    return change_row($id, sub {
        my $row = shift;
        for my $name ('accessed', $also{created} ? 'created' : ()) {
            $row->{$name}{S} = _iso(seconds_of($row->{$name}{S}) - $seconds);
        }
        my $idle_end = POSIX::floor(seconds_of($row->{accessed}{S}) + $row->{idle_timeout}{N});
        my $last_end = POSIX::floor(seconds_of($row->{created}{S}) + $row->{absolute_timeout}{N});
        $row->{expires}{N} = '' . ($idle_end < $last_end ? $idle_end : $last_end);
    });
}

# Epoch seconds of a time as the table has it: 2026-11-23T01:02:03.000004+00:00.
sub seconds_of {
    my($date, $fraction) = $_[0] =~ /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?\+00:00$/ or die "no time: $_[0]\n";
    my($y, $m, $d, $H, $M, $S) = split /[-T:]/, $date;
    require Time::Local;
    return Time::Local::timegm($S, $M, $H, $d, $m - 1, $y) + ($fraction || 0);
}

sub _iso {
    my $seconds = shift;
    my $whole = POSIX::floor($seconds);
    return POSIX::strftime('%Y-%m-%dT%H:%M:%S', gmtime $whole) . sprintf '.%06d+00:00', ($seconds - $whole) * 1e6;
}

# --- waiting ----------------------------------------------------------------------------------------------------------

# Ask every 10 ms until it is so, for at most 5 seconds (or so many), longer where all is slow.
sub eventually {
    my($condition, $seconds) = @_;
    for (1 .. ($seconds || 5) * 100 * setting('slow')) {
        return 1 if $condition->();
        select undef, undef, undef, 0.01;
    }
    return 0;
}

# The seconds that a block takes.
sub within (&) {
    my $block = shift;
    require Time::HiRes;
    my $start = Time::HiRes::time();
    $block->();
    return Time::HiRes::time() - $start;
}

# A handler with meet=NAME has arrived; let it go on.
sub here   { my $name = shift; return eventually(sub { -e "$T/state/$name.here" }) }
sub let_go { SessionTest::Log::append("$T/state/$_[0].go", ''); return }

# --- the log ----------------------------------------------------------------------------------------------------------

# Announce lines of the error log; each expression must be met by the end of the file.
sub expect_log { push @EXPECTED, @_; return }

# The lines since this file began that match, or all.
sub log_lines {
    my $pattern = shift;
    return grep { !defined $pattern || $_ =~ $pattern } SessionTest::Log::lines($T, $LOG_START);
}

# What must not be found in the log after the run. Not worth it: short things, and aaaaaa....
sub note_secret {
    my @candidates = @_;   # a copy: what comes may be $1
    for my $secret (@candidates) {
        next unless defined $secret && $secret =~ /^[\w.~+\/=-]{16,}$/ && !$SECRETS{$secret}++;
        my %letters = map { $_ => 1 } split //, substr $secret, 0, 16;
        SessionTest::Log::add_secret($T, $secret) if keys %letters > 4;
    }
    return;
}

# For the table at the end of a run, added to what was counted before:
# tally(faults_tried => 3, faults_survived => 3, requests => 20, sessions_lost => 0, inputs_fuzzed => 0), any of them.
sub tally { SessionTest::Tally::add($T, @_); return }

# The end of a file: what the error log says of it.
sub done {
    $TABLE->control(POST => '/fault/clear');
    quiet(100);
    my $end   = SessionTest::Log::size($T);
    my @lines = SessionTest::Log::lines($T, $LOG_START, $end);
    my @unannounced = grep { my $line = $_; !grep { $line =~ $_ } @EXPECTED } SessionTest::Log::noteworthy(@lines);
    my @unmet = grep { my $pattern = $_; !grep { $_ =~ $pattern } @lines } @EXPECTED;

    Test::More::is(join("\n", @unannounced), '', 'the error log holds no line that was not announced');
    Test::More::is(join("\n", @unmet), '', '... and every line that was') if @EXPECTED;
    SessionTest::Log::mark_judged($T, $LOG_START, $end);
    SessionTest::Outage::another_second(@lines);     # the next file's failures shall be lines
    Test::More::done_testing();
    return;
}

1;
