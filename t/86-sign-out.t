# "Sign out everywhere" while sixteen clients log in, write and log out, and the table fails in many ways: nothing that
# began before its answer is alive after it, and nobody else's session ends. lib/check_sign_out.py does it and proves it.
#
# MSD_SEED=SEED: the same clients and faults. MSD_SIGN_OUT=SECONDS: for longer than usual (6).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;

my $SEED    = defined $ENV{MSD_SEED} ? $ENV{MSD_SEED} : int rand 1_000_000_000;
my $SECONDS = $ENV{MSD_SIGN_OUT} || 6;

for (['calm', '--calm'], ['with faults']) {
    my($name, @arguments) = @$_;
    open my $in, '-|', "$FindBin::Bin/lib/check_sign_out.py", $ENV{MSD_TEST_STATE} || "$SessionTest::T/../state.json", '--seed',
        $SEED, '--seconds', $SECONDS, @arguments or die "check_sign_out.py: $!";
    my $numbers = eval { JSON::PP::decode_json(join '', <$in>) } || { violations => ["it died: $@"] };
    ok close($in), "$name: all can be explained (MSD_SEED=$SEED)";
    is join("\n", @{ $numbers->{violations} }), '', '... and nothing that began before a sign-out is alive after it';
    my $least = setting('slow') > 1 ? 0 : 3;
    cmp_ok $numbers->{$_} || 0, '>', $least, "... of many $_" for qw(logins sign_outs over listed);
    diag "$name: ", join ', ', map { "$_ $numbers->{$_}" } qw(requests logins refused sign_outs failed_sign_outs late_sign_outs slowest over alive listed);
    tally(requests => $numbers->{requests} || 0, sessions_lost => scalar @{ $numbers->{violations} });
}

expect_log qr/\[session(?:_dynamodb)?:(?:error|warn)\]/;

done;
