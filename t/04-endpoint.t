# The tests against another DynamoDB than a dynalite of their own: perl t/TEST with DYNAMODB_ENDPOINT, from within.

use strict;
use warnings;
use File::Copy ();
use File::Path ();
use File::Temp ();
use FindBin;
use POSIX ();
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Recipe;
use SessionTest::Table ();

my $DYNALITE = setting('dynalite_program');
plan skip_all => 'no dynalite to play another DynamoDB' if !$DYNALITE;
same_under_every_mpm();

my $DIR  = File::Temp::tempdir('/tmp/endpoint-XXXXXX', CLEANUP => 1);
my $PORT = SessionTest::Recipe::free_port();
my $THERE = SessionTest::Table->new({ dynalite => $PORT });
my @CHILDREN;
END { my $status = $?; for (@CHILDREN) { kill TERM => $_; waitpid $_, 0 } $? = $status }

sub launch {
    my $pid = fork // die "fork: $!";
    push @CHILDREN, $pid;
    return $pid if $pid;
    open STDIN,  '<', '/dev/null';
    open STDOUT, '>', "$DIR/said";
    open STDERR, '>&', \*STDOUT;
    { exec @_ }
    POSIX::_exit(127);
}

# The helper module is the same: it need not be built again.
File::Path::make_path("$DIR/work/modules/.libs");
File::Copy::copy(setting('helper'), "$DIR/work/modules/.libs/mod_test_session.so") or die "mod_test_session.so: $!";

# All that t/TEST says, and its exit status.
sub run_at {
    my($url, @tests) = @_;
    local %ENV = (DYNAMODB_ENDPOINT => $url, DYNALITE => "$DIR/no-such-program", MSD_TEST_DIR => "$DIR/work",
                  HTTPD => setting('httpd'), APXS => setting('apxs'), MPM => setting('mpm'), PATH => $ENV{PATH}, HOME => $DIR,
                  PYTHONDONTWRITEBYTECODE => 1);
    my $command = sprintf q(cd '%s' && '%s' '%s/t/TEST' --module '%s' %s 2>&1), $DIR, $^X, setting('src'),
        setting('module'), join ' ', @tests;
    my $said = `$command`;
    return ($said, $? >> 8);
}

sub tables { return join ' ', sort @{ $THERE->api(ListTables => {})->{TableNames} } }

# Tables that take a while to come and to go, as those of AWS do.
launch($DYNALITE, '--host', '127.0.0.1', '--port', $PORT, '--createTableMs', 200, '--deleteTableMs', 200);
ok eventually(sub { eval { tables(); 1 } }, 20), 'another DynamoDB runs';

note 'A DynamoDB at a URL';
{
    my($said, $status) = run_at("http://127.0.0.1:$PORT", 't/00-smoke.t');
    is $status, 0, 'the tests pass' or diag $said;
    like $said, qr/^Result: PASS$/m, '... which they say';
    is tables(), '', '... and their tables are gone again';
}

note 'What it can not do';
{
    # A proxy that answers wrongly what the tests ask first, and no dynalite program.
    my $state = "$DIR/proxy.json";
    launch("$SessionTest::T/lib/table_proxy.py", '--stay', '--upstream', "http://127.0.0.1:$PORT", '--no-verify',
        '--state', $state);
    ok eventually(sub { -s $state }, 20), 'one in front of it';
    my $proxy = JSON::PP::decode_json(SessionTest::Log::slurp($state));
    SessionTest::Table->new($proxy)->control(POST => '/fault',
        { kind => 'wrong_type', op => 'PutItem', contains => '"probe"', body => {}, count => 0 });
    my($said, $status) = run_at("http://127.0.0.1:$proxy->{port}", 't/74-status.t', 't/72-testing.t');
    is $status, 0, 'is no failure' or diag $said;
    like $said, qr/74-status.*skipped: http:\S+ has not capacity as AWS counts it \(PutItem: status 200, \{\}\)/,
        '... but left out by name, with what it said';
    like $said, qr/72-testing.*skipped: session-dynamodb-test starts a dynalite/, '... as is what needs the program';
    is tables(), '', '... and no table is left behind';
}

note 'Tables of somebody else';
{
    $THERE->create_table('app_session', 'id');
    $THERE->put_row({ id => { S => 'of somebody' } });
    my($said, $status) = run_at("http://127.0.0.1:$PORT", 't/00-smoke.t');
    isnt $status, 0, 'end the run';
    like $said, qr/table app_session is there already/, '... which says why';
    is tables(), 'app_session', '... and are left';
    ok $THERE->row('of somebody'), '... as they are';
}

note 'No URL';
{
    my($said, $status) = run_at('127.0.0.1:8000', 't/00-smoke.t');
    isnt $status, 0, 'a host and a port are none';
    like $said, qr{127\.0\.0\.1:8000: not like http://HOST:PORT}, '... which is said';
}

done;
