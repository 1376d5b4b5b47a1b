# docs/backup.md: a table that was restored has the sessions that were ended since, alive; and what keeps them from being
# used again.

use strict;
use warnings;
use Digest::SHA ();
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Table ();
use lib setting('src') . '/build/lib';
use Manual;

same_under_every_mpm();

my $RESTORED = 'other_session';
my $PROGRAM  = setting('build') . '/session-dynamodb';

# The program, on the restored table unless another one is named.
sub operator {
    my @arguments = (@_, grep({ $_ eq '--table' } @_) ? () : ('--table', $RESTORED));
    my $pid = open my $in, '-|';
    defined $pid or die "fork: $!";
    if (!$pid) {
        %ENV = (PATH => '/usr/bin:/bin', AWS_ACCESS_KEY_ID => setting('key_id'), AWS_SECRET_ACCESS_KEY => setting('secret'),
            AWS_REGION => 'us-east-1', AWS_ENDPOINT_URL_DYNAMODB => 'http://127.0.0.1:' . setting('table'),
            AWS_EC2_METADATA_DISABLED => 'true');
        open STDERR, '>&', \*STDOUT;
        exec $PROGRAM, @arguments or die "session-dynamodb: $!";
    }
    my $said = do { local $/; <$in> };
    close $in;
    return ($? >> 8, $said);
}

sub backup { my @rows = rows(); return sub { put_row($_, $RESTORED) for @rows } }
sub restored { my($place, $id, %r) = @_; return get("$place?get=user", port => 'other', cookie => $id, %r)->line('get user') }

# Alice's session at a place, ended after the backup.
sub ended_since {
    my($place, $end) = @_;
    clear_tables();
    my $id = session($place, user => 'alice');
    my $restore = backup();
    $end->($id);
    is get("$place?get=user", cookie => $id)->line('get user'), '(none)', 'a session that has ended';
    $restore->();
    return $id;
}
sub logout { my($place) = @_; return sub { get("$place?del=user", cookie => $_[0]) } }

note 'What comes back';
{
    my $id = ended_since('/test/', logout('/test/'));
    is restored('/test/', $id), 'alice', '... is alive in a table that was restored to a time before';
    is get('/test/?get=user', cookie => $id)->line('get user'), '(none)', '... and stays ended in the table that is in use';
}
{
    clear_tables();
    my $id = session(user => 'alice');
    age($id, 7200);
    backup()->();
    is restored('/test/', $id), '(none)', 'one that was idle for too long is over in the restored table, too';
    my $fresh = session(user => 'alice');
    age($fresh, 7100);
    backup()->();
    is restored('/test/', $fresh), 'alice', '... and one that is not yet comes back';
}

note 'Another key or another label: no ID of before is accepted';
{
    my $id = ended_since('/signed/', logout('/signed/'));
    is restored('/signed/', $id), 'alice', '... is alive in the restored table under the same keys';
    calls_are { restored('/signed-other/', $id) } [], 'under other keys its ID is refused without a call';
    is res()->line('get user'), '(none)', '... and opens nothing';
    $id = ended_since('/audience/shop/', logout('/audience/shop/'));
    is restored('/audience/shop/', $id), 'alice', '... is alive in the restored table under the same label';
    is restored('/audience/staff/', $id), '(none)', 'under another label it is not found';
}

note 'Ended again, one by one';
{
    my $id = ended_since('/test/', logout('/test/'));
    my($status, $said) = operator('end', Digest::SHA::sha512_hex($id));
    is $status, 0, 'session-dynamodb end' or diag $said;
    is restored('/test/', $id), '(none)', '... ends what came back';
}
{
    my $id = ended_since('/mine/', sub { get('/mine/?revoke=others', cookie => session('/mine/', user => 'alice')) });
    is restored('/mine/', $id), 'alice', '... is alive in the restored table';
    my $keys = 'file:' . "$SessionTest::T/conf/user.key.first";
    my($status, $said) = operator(qw(end --user alice --realm entry:user --user-keys), $keys);
    is $status, 0, 'session-dynamodb end --user' or diag $said;
    is restored('/mine/', $id), '(none)', '... ends all that the restored list has';
}
{
    my $id = ended_since('/test/', logout('/test/'));
    my($status, $said) = operator('purge');
    is $status, 0, 'session-dynamodb purge' or diag $said;
    is restored('/test/', $id), 'alice', '... does not: for the table, the session lives';
}

note 'The commands of the page';
{
    my $table = SessionTest::Table->new({ map { $_ => setting($_) } qw(dynalite control) });
    my @blocks = Manual::blocks(Manual::slurp(setting('src') . '/docs/backup.md'));
    my %command = map { /^session-dynamodb (\S+) (.*)/ ? ($1 => [$1, split ' ', $2]) : () } @blocks;
    is_deeply [sort keys %command], [qw(check create-table)], 'are these';
    my($status, $said) = operator(map { s{^eu-central-1$}{us-east-1}r } @{ $command{'create-table'} });
    is $status, 0, 'a new table' or diag $said;
    my($name) = map { /^SessionDynamoDBTableName (\S+)$/ ? $1 : () } @blocks;
    is_deeply [$table->rows($name)], [], '... by the name that the directive has, is empty';
    $table->api(DeleteTable => { TableName => $name });

    my $restored = $command{check}[2];
    $table->api(CreateTable => { TableName => $restored, BillingMode => 'PAY_PER_REQUEST',
        AttributeDefinitions => [{ AttributeName => 'id', AttributeType => 'S' }],
        KeySchema => [{ AttributeName => 'id', KeyType => 'HASH' }] });
    ok eventually(sub { $table->api(DescribeTable => { TableName => $restored })->{Table}{TableStatus} eq 'ACTIVE' }, 20),
        'a table as it is restored';
    ($status, $said) = operator(map { s{^eu-central-1$}{us-east-1}r } @{ $command{check} });
    like $said, qr/time to live.*(?:off|not on)/i, '... has no time to live, and the check tells';
    $table->api(DeleteTable => { TableName => $restored });
}

done();
