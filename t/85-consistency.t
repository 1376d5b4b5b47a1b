# Many clients on shared sessions, of several users and with IDs that age, while the table fails in every way and children
# die: nothing acknowledged is lost, what was ended stays ended, no two sessions share an ID, no user sees another's
# session. lib/check_consistency.py does it and proves it; what exactly it proves stands in lib/consistency/judge.py.
#
# MSD_SEED=SEED makes the same clients do the same again, with the same faults after as many requests.
# MSD_CACHE=SECONDS, for how long another server keeps rows (1).
# MSD_CONSISTENCY=SECONDS, for longer than usual (18). MSD_KEEP=DIRECTORY keeps the history and the numbers of each run.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Server;

my $CHECKER = "$FindBin::Bin/lib/check_consistency.py";
my $SEED    = defined $ENV{MSD_SEED} ? $ENV{MSD_SEED} : int rand 1_000_000_000;
my $SECONDS = $ENV{MSD_CONSISTENCY} || 18;
my $STATE   = $ENV{MSD_TEST_STATE} || "$SessionTest::T/../state.json";
my $DIR     = "$SessionTest::T/state";

# Lines of the log that faults explain.
my $of_faults = join '|', 'the session could not be (?:read|written|ended): ', 'AH018(?:16|22): error while \w+ing the session',
    'queued removal of an unused row failed', 'queued touch \(session activity\) failed',
    'queued note that a new session ID is in use failed',
    'the session keeps its ID, which is older than SessionDynamoDBRenewInterval: ',
    'refused a session ID that was replaced because of its age',
    'circuit breaker open: no answer from \S+ to \d+ consecutive calls';

# What it says, and whether it is content.
sub checker {
    open my $in, '-|', $CHECKER, @_ or die "$CHECKER: $!\n";
    my @lines = <$in>;
    return close $in, @lines;
}

# The numbers of a run, or undef.
sub run {
    my($name, @arguments) = @_;
    my($good, @lines) = checker('run', $STATE, '--seed', $SEED, '--summary', "$DIR/$name.json", '--ids', "$DIR/$name.ids",
                                '--history', "$DIR/$name.history", '--transcript', "$DIR/$name.transcript",
                                map({ ('--seal-key', "$SessionTest::T/conf/seal.key.$_") } qw(first second)), @arguments);
    my $numbers = eval { JSON::PP::decode_json(SessionTest::Log::slurp("$DIR/$name.json")) };
    diag map { s/^# //r } $numbers && $name eq 'many' || !$good ? @lines : ();
    note_secret(split /\n/, SessionTest::Log::slurp("$DIR/$name.ids"));
    system('cp', glob("$DIR/$name.*"), $ENV{MSD_KEEP}) if $ENV{MSD_KEEP};
    ok $good, "$name: all can be explained (to do the same again: MSD_SEED=$SEED)";
    return $numbers || BAIL_OUT('the checker fails');
}

note 'The judge finds what is broken, and nothing in what is sound';
{
    my($good, @lines) = checker('self-test');
    is join('', grep { !/^(?:ok|1\.\.)/ } @lines), '', 'each broken history, no sound one';
    cmp_ok scalar(grep { /^ok/ } @lines), '>=', 130, '... of many';
    ok $good, '... and it says so';
}

note 'One client: the same history each time';
# Not where httpd is made slow: then it is the machine that decides which call comes too late.
if (setting('slow') <= 1) {
    my(@runs, %times);
    my $same = 0;
    # A machine that stands still for a second makes a call too late: then once more.
    for my $n (1 .. 4) {
        push @runs, run("one-$n", '--clients', 1, '--steps', 60);
        $same = ++$times{ SessionTest::Log::slurp("$DIR/one-$n.transcript") };
        last if $same == 2;
    }
    is $same, 2, 'the same seed, the same requests, faults and answers';
    my @transcript = split /\n/, SessionTest::Log::slurp("$DIR/one-1.transcript");
    cmp_ok scalar(@transcript), '>', 60, '... of each request';
    cmp_ok $runs[0]{faults_struck}, '>', 0, '... with faults';
}

note 'Many clients, and no faults: each refusal has its reason';
{
    my $numbers = run('calm', '--seconds', 5, '--calm');
    is join("\n", @{ $numbers->{violations} }), '', 'nothing fails that need not';
    cmp_ok $numbers->{$_}, '>', 0, "there were $_" for qw(renewals ends users_changed refused);
}

note 'Many clients';
{
    my $least = setting('slow') > 1 ? 0 : 5;
    my %least = (map({ $_ => $least } qw(sessions renewals ends faults_struck conflicts users_changed refused)),
                 map { $_ => $least ? 2 : 0 } qw(by_age old_ids));
    my %all = map { $_ => 0 } keys %least;
    # On a machine that is busy with something else less happens in that time: then for as long again.
    for (1 .. 5) {
        my $numbers = run('many', '--seconds', $SECONDS, '--root', $SessionTest::T);
        is join("\n", @{ $numbers->{violations} }), '', 'nothing is lost, revived or shared';
        cmp_ok $numbers->{outcomes}{ok}, '>', $numbers->{requests} / 3, 'requests succeeded';
        tally(requests => $numbers->{requests}, faults_tried => $numbers->{faults_struck},
              faults_survived => @{ $numbers->{violations} } ? 0 : $numbers->{faults_struck},
              sessions_lost => $numbers->{lost});
        $all{$_} += $numbers->{$_} for keys %all;
        last if !grep { $all{$_} <= $least{$_} } keys %all;
    }
    cmp_ok $all{$_}, '>', $least{$_}, "there were $_" for sort keys %all;
}

note 'And another server, with a cache: what others write counts there after so many seconds';
{
    my $bound = $ENV{MSD_CACHE} || 1;
    my $far   = SessionTest::Server->start({ modules => [qw(socache_shmcb authn_core authn_file authz_user auth_basic)] },
        "SessionDynamoDBCache $bound", 'SessionDynamoDBShareReads On', 'SessionDynamoDBRenewGrace 1',
        "SessionDynamoDBSealKeys clear file:$SessionTest::T/conf/seal.key.first file:$SessionTest::T/conf/seal.key.second",
        'SessionDynamoDBBreaker Off', '<Location /users/>', 'SetHandler test-session', 'SessionDynamoDBUserKey user account',
        '</Location>', '<Location /basic/>', 'SetHandler test-session', 'AuthType Basic', 'AuthName basic',
        'AuthBasicProvider file', "AuthUserFile $SessionTest::T/conf/users", 'Require valid-user', '</Location>',
        'LogLevel session_dynamodb:info');
    my $numbers = run('far', '--seconds', $SECONDS, '--far', $far->port, '--bound', $bound);
    is join("\n", @{ $numbers->{violations} }), '', 'nothing is lost, revived or shared, but for those seconds';
    cmp_ok $numbers->{$_}, '>', 0, "there were $_" for qw(sessions renewals ends conflicts);
    $far->stop(qr/$of_faults/);
    my($cached) = SessionTest::Log::slurp($far->{log}) =~ /counted since httpd was started: .* CachedReads (\d+)/;
    cmp_ok $cached || 0, '>', 10, '... and rows from the cache';
}

expect_log qr/\[session(?:_dynamodb)?:(?:error|warn)\].*(?:$of_faults)/;

done;
