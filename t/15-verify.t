# session-dynamodb verify: what docs/unverified.md assumes, tried on a table with the proxy's checks and faults, and on
# dynalite itself, whose differences from DynamoDB are known.

use strict;
use warnings;
use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Machine ();
use SessionTest::Operator;
use SessionTest::Recipe ();

same_under_every_mpm();

my $DYNALITE = 'http://127.0.0.1:' . setting('dynalite');

# The names of the assumptions with that result.
sub of { my($said, $result) = @_; return join ' ', sort map { $_->{id} } grep { $_->{result} eq $result } @{ $said->{assumptions} } }

# What was seen of one.
sub seen { my($said, $id) = @_; return (map { $_->{observed} } grep { $_->{id} eq $id } @{ $said->{assumptions} })[0] // '(none)' }

sub tables { return join ' ', grep { /verify/ } @{ $TABLE->api(ListTables => {})->{TableNames} } }

my $session = session(a => 'value-that-nobody-may-see');
my $before  = row(key_of($session));

note 'A service that checks what AWS checks';
{
    my @calls = calls_of { is run(['verify', '--json']), 0, 'nothing is otherwise than assumed' };
    my $said = JSON::PP::decode_json($OUT);
    is of($said, 'no'), '', '... in no row';
    is of($said, 'not tried'), 'account-endpoint sts-xml throttling tls', '... hosts of AWS are not asked';
    is scalar(@{ $said->{assumptions} }), $said->{yes} + $said->{no} + $said->{not_tried}, '... the rest is as assumed';
    is scalar(grep { $_->{result} ne 'not tried' && $_->{request_id} eq '' } @{ $said->{assumptions} }), 0,
        '... each shown by a request';
    is seen($said, 'clock'), '16 minutes behind: 400 InvalidSignatureException, ahead: 400 InvalidSignatureException',
        '... and told as it was seen';
    is join(' ', map { $_->{id}{S} } rows()), key_of($session), '... and nothing is left of it';
    is_deeply row(key_of($session)), $before, '... nor anything changed';
    cmp_ok $said->{write_units}, '<', 1000, '... it costs less than a tenth of a cent';
    cmp_ok $said->{write_units}, '>', 800, '... most of it for a row of 400 KB';
    cmp_ok $said->{read_units}, '<', 50, '... and a few reads';
    my @keys = map { ($_->{body}{Key} || $_->{body}{Item} || {})->{id}{S} // 'none' } grep { $_->{op} ne 'DescribeTimeToLive' } @calls;
    is scalar(grep { !/^(?:session-dynamodb-verify-[0-9a-f]{16}-.*|none)$/ } @keys), 0, '... for all its keys were its own';
    is join(' ', sort keys %{ { map { $_->{op} => 1 } @calls } }), 'DeleteItem DescribeTimeToLive GetItem PutItem UpdateItem',
        '... and its calls those of sessions';
}

note 'dynalite';
{
    my $said = json(AWS_ENDPOINT_URL_DYNAMODB => $DYNALITE, ['verify']);
    is $EXIT, 1, 'a stand-in is told from DynamoDB';
    is of($said, 'no'), 'all-old clock unknown-key utf-8 wrong-signature', '... by what docs/unverified.md says of it';
    is seen($said, 'all-old'), 'PutItem without the row, UpdateItem without the row, DeleteItem without the row', '... as it was seen';
    is run(AWS_ENDPOINT_URL_DYNAMODB => $DYNALITE, ['verify']), 1, '... and for people';
    like $OUT, qr/^table: app_session\nendpoint: \Q$DYNALITE\E$/m, '... where it was tried';
    like $OUT, qr/^yes +item-size: a row may have 409,600.*\n +409600 bytes are accepted, 409601 refused: 400 ValidationException \[request ID \w+\]$/m,
        '... what was assumed, what was seen, and by which request';
    like $OUT, qr/^yes: \d+\nno: 5\nnot tried: 4$/m, '... and how many of each';
    is scalar(rows()), 1, '... and nothing is left';
}

note 'What a service may do otherwise';
{
    fault(kind => 'no_crc', op => 'any', count => 0);
    my $said = json(['verify']);
    my($with, $of) = seen($said, 'crc32') =~ /^(\d+) of (\d+) replies have it, 0 of them a wrong one$/;
    cmp_ok $with, '<', $of / 2, 'replies without a checksum are nothing to verify';
    clear_faults();
    forbid('DescribeTimeToLive');
    $said = json(['verify']);
    is seen($said, 'ttl'), 'needs dynamodb:DescribeTimeToLive', 'nor is what the policy does not allow';
    clear_faults();
    fault(kind => 'crc', op => 'GetItem', count => 2);
    like seen(json(['verify']), 'crc32'), qr/^\d+ of \d+ replies have it, 2 of them a wrong one$/, 'a wrong checksum is seen';
    clear_faults();
    forbid('PutItem');
    $said = json(['verify']);
    is seen($said, 'all-old'), 'PutItem: 400 AccessDeniedException', 'a call that is not allowed leaves an assumption untried';
    like of($said, 'not tried'), qr/\ball-old .*\bconditions .*\bitem-size\b/, '... and others';
    clear_faults();
    forbid('DeleteItem', skip => 2);
    $said = json(['verify']);
    cmp_ok $said->{rows_left}, '>', 5, 'rows that can not be deleted are told';
    run(['verify']);
    like $OUT, qr/^\d+ rows could not be deleted: their keys begin with session-dynamodb-verify-[0-9a-f]{16}-$/m, '... by their keys';
    clear_faults();
    my @left = grep { $_->{id}{S} =~ /^session-dynamodb-verify-/ } rows();
    is scalar(grep { $_->{expires}{N} > time() + 3000 && $_->{expires}{N} < time() + 3700 } @left),
        scalar(grep { $_->{expires} } @left), '... and have a time to live';
    $TABLE->delete_row($_->{id}{S}) for @left;
}

note 'STS';
{
    my $sts = SessionTest::Machine::sts();
    $sts->(POST => 'set', { keys => { setting('key_id') => { secret => setting('secret') } } });
    my $said = json(AWS_ENDPOINT_URL_STS => $sts->('url'), ['verify']);
    is seen($said, 'sts-xml'), 'GetCallerIdentity: arn:aws:sts::123456789012:assumed-role/operator/s', 'its XML is read';
    $sts->(POST => 'fault', { do => 'garbage', count => 0 });
    $said = json(AWS_ENDPOINT_URL_STS => $sts->('url'), ['verify']);
    like of($said, 'no'), qr/\bsts-xml\b/, '... or is none';
}

note 'Ctrl-C';
{
    my $pid = begin(['verify', '--json']);
    fault(kind => 'hold', op => 'UpdateItem');
    held(1);
    is scalar(grep { $_->{id}{S} =~ /^session-dynamodb-verify-/ } rows()) > 0, 1, 'amid a run there are rows';
    kill INT => $pid;
    release();
    is finish($pid), 130, '... it can be stopped';
    clear_faults();
    my $said = JSON::PP::decode_json($OUT);
    is seen($said, 'crc32'), 'interrupted', '... what was not tried is told';
    is "$said->{error}{detail} $said->{rows_left}", 'interrupted 0', '... and so is the reason';
    is scalar(rows()), 1, '... and nothing is left';
}

note 'A table of its own';
{
    my $said = json(['verify', '--create']);
    is "$EXIT $said->{table_is}", '0 deleted', 'is created and deleted';
    like $said->{table}, qr/^session-dynamodb-verify-[0-9a-f]{8}$/, '... under a name of its own';
    is seen($said, 'throttling'), '12 writes of 100 units each to a table of one unit were not throttled',
        '... and its capacity is changed, which means nothing to dynalite';
    is eventually(sub { tables() eq '' }, 10), 1, '... it is gone';
    is_deeply row(key_of($session)), $before, '... and the other one untouched';
    my $pid = begin(['verify', '--create']);
    ok eventually(sub { tables() ne '' }, 10), 'Ctrl-C while it is being made';
    kill INT => $pid;
    is finish($pid), 130, '... stops it';
    is eventually(sub { tables() eq '' }, 10), 1, '... and leaves no table';
    forbid('CreateTable');
    is run(['verify', '--create']), 3, 'who may not create one';
    like $ERR, qr/CreateTable, type AccessDeniedException/, '... is told';
    clear_faults();
}

note 'Without a service';
my $nobody = 'http://127.0.0.1:' . SessionTest::Recipe::free_port();
is run(AWS_ENDPOINT_URL_DYNAMODB => $nobody, ['verify', '--timeout', 1]), 3, 'nothing can be tried';
like $ERR, qr/connect/, '... which is said';
is run(AWS_SECRET_ACCESS_KEY => 'a-wrong-secret-of-the-operator', ['verify']), 3, 'nor with wrong keys';
like $ERR, qr/GetItem, type InvalidSignatureException/, '... which is said';
is run(['verify', '--table', 'app_session', '--create']), 2, 'a table is named or created';

my @secrets = grep { length >= 16 } split /\n/, SessionTest::Log::slurp("$SessionTest::T/logs/secrets");
is join(' ', grep { index($SAID, $_) >= 0 } @secrets, 'value-that-nobody-may-see', 'a-wrong-secret'), '', 'no secret was shown';

done;
