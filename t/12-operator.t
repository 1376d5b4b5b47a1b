# session-dynamodb: every command against the table, through the proxy that checks signatures and makes faults.

use strict;
use warnings;
use Digest::SHA ();
use FindBin;
use JSON::PP ();
use POSIX ();
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Machine ();
use SessionTest::Operator;
use SessionTest::Recipe ();

same_under_every_mpm();

sub loggable { return Digest::SHA::sha512_hex($_[0]) }

# A stored session whose row ended so many seconds ago.
sub ended {
    my($seconds) = @_;
    my $id = session(a => 'value-that-nobody-may-see');
    change_row($id, sub { $_[0]{expires}{N} = time() - $seconds });
    return $id;
}

sub change_row_of {
    my($table, $key, $change) = @_;
    my $row = $table->row($key);
    $change->($row);
    $table->put_row($row);
    return;
}

sub in_batches {
    my($request, @rows) = @_;
    while (my @some = splice @rows, 0, 25) {
        $TABLE->api(BatchWriteItem => { RequestItems => { app_session => [map { $request->($_) } @some] } });
    }
}

note 'check';
{
    is run(['check']), 0, 'a table that can be worked with';
    like $OUT, qr/^good   the table app_session is there$/m, '... is there';
    like $OUT, qr/^good   the key is id of type S$/m, '... with the right key';
    like $OUT, qr/^doubt  time to live is off: .*enable it/m, '... without time to live, which is a doubt';
    like $OUT, qr/^good   dynamodb:$_ is allowed$/m, "... and $_ allowed" for qw(GetItem PutItem UpdateItem DeleteItem);
    like $OUT, qr/^region: us-east-1\nendpoint: \Q$URL\E\ncredentials: environment$/m, '... region, endpoint and provider are named';
    is scalar(rows()), 0, '... and nothing was written';
    my $said = json(['check']);
    is "$said->{wrong} $said->{doubts}", '0 1', '... nothing is wrong';
    is_deeply [map { $_->{about} } @{ $said->{findings} }],
        [qw(table key ttl dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem replicas capacity
            deletion-protection encryption class recovery caller)], '... of all this';
    my %is = map { $_->{about} => $_->{is} } @{ $said->{findings} };
    is "$is{capacity} $said->{not_checked}", 'good 6', '... what this service does not tell is neither good nor bad';
    like $OUT, qr/"deletion protection is not checked: this service does not tell"/, '... and said';
    my @calls = calls_of { run(['check']) };
    is join(' ', map { $_->{op} } @calls),
        'DescribeTable DescribeTimeToLive GetItem PutItem UpdateItem DeleteItem DescribeContinuousBackups', '... by these calls';
    like $OUT, qr/^-      whose credentials these are is not checked: the endpoint is not AWS's/m, '... and no call to AWS';

    is run(['check', '--strict']), 1, 'who is strict takes the doubt for wrong';
    like $OUT, qr/^doubt  time to live is off/m, '... which is said as before';

    $said = json(['check', '--table', 'no_such_table']);
    is $EXIT, 1, 'a missing table is wrong';
    like $said->{findings}[0]{text}, qr/no table no_such_table .*session-dynamodb create-table/, '... and the remedy said';

    $TABLE->create_table('wrong_key', 'sid');
    is run(['check', '--table=wrong_key']), 1, 'another key is wrong';
    like $OUT, qr/^WRONG  the key of the table is sid, but must be id of type S/m, '... and said to be';

    for my $op (qw(GetItem PutItem UpdateItem DeleteItem)) {
        forbid($op);
        is run(['check']), 1, "$op not allowed is wrong";
        like $OUT, qr/^WRONG  dynamodb:$op is not allowed: add it to the IAM policy/m, '... and named';
        is scalar(() = $OUT =~ /^WRONG/mg), 1, '... alone';
        clear_faults();
    }
    forbid($_) for qw(DescribeTable DescribeTimeToLive);
    is run(['check']), 0, 'who may not describe the table can work with it';
    is scalar(() = $OUT =~ /^-      .* not checked: needs dynamodb:Describe(?:Table|TimeToLive)\b/mg), 3,
        '... which leaves some of it unchecked';
    is run(['check', '--strict']), 0, '... and is no doubt';
    clear_faults();
    forbid('DescribeContinuousBackups');
    is run(['check']), 0, 'nor is who may not ask for backups';
    like $OUT, qr/^-      point-in-time recovery is not checked: needs dynamodb:DescribeContinuousBackups$/m, '... which is said';
    clear_faults();
    fault(kind => 'error', op => 'DescribeContinuousBackups', type => 'InternalServerError', status => 500, count => 0,
        message => 'm');
    is run(['check', '--timeout', 1]), 3, 'a service that fails amid the check';
    like $OUT, qr/^good   dynamodb:DeleteItem is allowed$/m, '... leaves what was found before';
    like $ERR, qr/\(DescribeContinuousBackups, type InternalServerError/, '... and the reason';
    clear_faults();

    # Replies as AWS documents them, for what no stand-in has.
    my $tells = sub {
        my($op, $reply) = @_;
        return fault(kind => 'wrong_type', op => $op, body => $reply, count => 0);
    };
    my $table = $TABLE->api(DescribeTable => { TableName => 'app_session' })->{Table};
    $tells->(DescribeTable => { Table => { %$table, DeletionProtectionEnabled => JSON::PP::true,
        MultiRegionConsistency => 'EVENTUAL', Replicas => [{ RegionName => 'eu-west-1', ReplicaStatus => 'ACTIVE' }],
        SSEDescription => { Status => 'ENABLED', SSEType => 'KMS', KMSMasterKeyArn => 'arn:aws:kms:us-east-1:1:key/k' },
        TableClassSummary => { TableClass => 'STANDARD_INFREQUENT_ACCESS' } } });
    $tells->(DescribeTimeToLive => { TimeToLiveDescription => { TimeToLiveStatus => 'ENABLED', AttributeName => 'expires' } });
    $tells->(DescribeContinuousBackups => { ContinuousBackupsDescription => { ContinuousBackupsStatus => 'ENABLED',
        PointInTimeRecoveryDescription => { PointInTimeRecoveryStatus => 'ENABLED', RecoveryPeriodInDays => 14 } } });
    is run(['check']), 0, 'a global table works';
    like $OUT, qr/^doubt  a global table with eventual consistency \(MREC\), replicas: eu-west-1 \(ACTIVE\): conditions/m,
        '... with a doubt';
    like $OUT, qr/^doubt  the table class is STANDARD_INFREQUENT_ACCESS/m, '... another for its class';
    like $OUT, qr/^good   deletion protection is on$/m, '... it can not be deleted';
    like $OUT, qr{^good   encrypted with the KMS key arn:aws:kms:us-east-1:1:key/k:}m, '... its key is named';
    like $OUT, qr/^good   point-in-time recovery is on: rows of ended sessions are kept for 14 days,/m, '... and its backups';
    is json(['check'])->{doubts}, 2, '... and those are all doubts';
    clear_faults();

    fault(kind => 'skew', seconds => 3600, count => 0);
    is run(['check']), 0, 'a clock that is an hour behind';
    like $OUT, qr/^doubt  this machine's clock is (?:3599|3600|3601) s behind the service's/m, '... is a doubt, and corrected';
    clear_faults();
}

note 'Whose credentials';
{
    my $sts = SessionTest::Machine::sts();
    my @env = (AWS_ENDPOINT_URL_STS => $sts->('url'));
    $sts->(POST => 'set', { keys => { setting('key_id') => { secret => setting('secret') } } });
    run(@env, ['check']);
    like $OUT, qr{^good   the credentials are those of arn:aws:sts::123456789012:assumed-role/operator/s$}m, 'STS knows them';
    is join(' ', map { $_->{action} } @{ $sts->(GET => 'requests') }), 'GetCallerIdentity', '... by one call';
    $sts->(POST => 'set', { caller => 'arn:aws:iam::123456789012:root' });
    run(@env, ['check']);
    like $OUT, qr/^doubt  the credentials are those of arn:aws:iam::123456789012:root, who may do anything/m,
        'those of an account itself are a doubt';
    $sts->(POST => 'fault', { do => 'AccessDenied', count => 0 });
    is run(@env, ['check']), 0, 'an STS that does not answer is no fault of the table';
    like $OUT, qr/^-      whose credentials these are is not checked: STS: AccessDenied/m, '... which is said';
}

note 'The service can not be asked';
{
    my $nobody = 'http://127.0.0.1:' . SessionTest::Recipe::free_port();
    for my $command (['check'], ['create-table'], ['show', '0' x 32], ['end', '0' x 32], ['purge']) {
        my $said = json(AWS_ENDPOINT_URL_DYNAMODB => $nobody, [@$command, '--timeout', 1]);
        is $EXIT, 3, "$command->[0] without a service";
        like $said->{error}{detail}, qr/connect/, '... says so';
        json(AWS_ACCESS_KEY_ID => undef, AWS_SECRET_ACCESS_KEY => undef, $command);
        is $EXIT, 3, "$command->[0] without credentials";
        is run(AWS_SECRET_ACCESS_KEY => 'a-wrong-secret-of-the-operator', $command), 3, "$command->[0] with wrong ones";
        like $ERR, qr/^session-dynamodb: the store refused the credentials.*signature/, '... says so';
        is run(AWS_REGION => undef, $command), 2, "$command->[0] without a region";
        like $ERR, qr/region/, '... says so';
    }
    is run(AWS_ACCESS_KEY_ID => undef, AWS_SECRET_ACCESS_KEY => undef, ['check']), 3, 'who has no credentials';
    like $ERR, qr/no credentials found: environment/, '... is told where they were looked for';
}

note 'create-table';
{
    is run(['create-table', '--table', 'made_here']), 0, 'a table is created';
    like $OUT, qr/^the table made_here is created\n.*does not support time to live/, '... and said so';
    is run(['check', '--table', 'made_here']), 0, '... which a check finds good';
    my $said = json(['create-table', '--table', 'made_here']);
    is "$EXIT $said->{was}", '0 there', 'one that is there is left alone';
    fault(kind => 'error', op => 'DescribeTable', type => 'ResourceNotFoundException', message => 'm', count => 2);
    is run(['create-table', '--table', 'made_slowly']), 0, 'one that takes its time';
    like $ERR, qr/made_slowly is being created/, '... is waited for, with a word about it';
    forbid('CreateTable');
    is run(['create-table', '--table', 'not_made']), 3, 'who may not create';
    like $ERR, qr/AccessDeniedException/, '... is told';
    clear_faults();
    $TABLE->delete_table($_) for qw(made_here made_slowly wrong_key);
}

note 'show and end';
{
    my @ids  = map { session(a => "value-that-nobody-may-see-$_") } 1 .. 3;
    my $hash = loggable($ids[1]);
    is run(['show', $hash]), 0, 'a session is shown by the hash of the logs';
    like $OUT, qr/^hash: \Q${\ substr $hash, 0, 32}\E$/m, '... with its hash';
    my $row = row(key_of($ids[1]));
    like $OUT, qr/^created: \Q$row->{created}{S}\E\naccessed: \Q$row->{accessed}{S}\E$/m, '... its times';
    like $OUT, qr/^state: alive, expires in (?:7200|719\d) s$/m, '... its end';
    like $OUT, qr/^idle timeout \(s\): 7200\nabsolute timeout \(s\): 43200\nversion: 1$/m, '... its timeouts and version';
    like $OUT, qr/^data \(bytes\): @{[length data_of($row)]}\nuser: no$/m, '... the size of what it holds, and whether it has a user';
    is run(['show', uc substr $hash, 0, 40]), 0, 'the beginning of a hash will do';
    is run(['show', key_of($ids[1])]), 0, '... and the table key';
    my @calls = calls_of { run(['show', $hash]) };
    is join(' ', map { $_->{op} } @calls), 'Scan GetItem', 'it costs a scan and a read';
    my $scan = $calls[0]{body};
    is $scan->{ProjectionExpression}, '#id, #loggable', '... the scan asks for no data';
    my $said = json(['show', $hash]);
    is "$said->{state} $said->{version} $said->{data_bytes}", 'alive 1 ' . length data_of($row), 'the same as JSON';
    for my $case (['compressed', 'deflate'], ['sealed', 'sealed'], ['compressed, sealed', 'deflate sealed']) {
        my $before = row(key_of($ids[1]));
        change_row($ids[1], sub { $_->{encoding} = { S => $case->[1] } });
        run(['show', $hash]);
        like $OUT, qr/^data \(bytes, $case->[0]\): \d+$/m, "data that is $case->[0] is said to be";
        put_row($before);
    }
    is run(['show', $hash, '--progress']), 0, 'with --progress';
    like $ERR, qr/^3 rows looked at, 1 pages$/m, '... it says how far it is';

    is run(['show', '0' x 128]), 1, 'a hash that no row has';
    like $ERR, qr/no row has this hash/, '... is said to be none';
    is run(['show', 'Z' x 43]), 1, '... and a key';
    change_row($ids[2], sub { $_[0]{loggable}{S} = substr $hash, 0, 32 });
    is run([$_, substr $hash, 0, 32]), 1, "$_: two rows of one hash" for qw(show end);
    like $ERR, qr/several rows/, '... are refused';
    change_row($ids[2], sub { $_[0]{loggable}{S} = substr loggable($ids[2]), 0, 32 });

    is run(['end', $hash]), 0, 'a session is ended';
    like $OUT, qr/^the session was ended$/, '... and said so';
    is get('/test/?get=a', cookie => $ids[1])->line('get a'), '(none)', '... its client has none any more';
    is scalar(rows()), 2, '... the others have theirs';
    is run(['end', $hash]), 1, '... and there is nothing to end again';
    forbid('DeleteItem');
    is run(['end', loggable($ids[0])]), 3, 'who may not delete';
    like $ERR, qr/DeleteItem, type AccessDeniedException/, '... is told';
    clear_faults();
    forbid('Scan');
    is run(['show', loggable($ids[0])]), 3, 'who may not scan';
    like $ERR, qr/Scan, type AccessDeniedException/, '... is told';
    clear_faults();
}

note 'IDs that were replaced';
{
    clear_tables();
    my $old = session(a => 'value-that-nobody-may-see');
    is get('/test/?renew', cookie => $old)->line('renew'), 'ok', 'a program gives a session a new ID';
    my $new = res()->cookie('id');
    is scalar(rows()), 2, '... and the row of the old one says so';
    my $said = json(['show', loggable($old)]);
    is "$EXIT $said->{state}", '0 replaced', '... as it is shown';
    is_deeply [grep { exists $said->{$_} } qw(seconds_left idle_timeout data_bytes user)], [], '... with nothing of a session';
    run(['show', loggable($old)]);
    like $OUT, qr/^state: replaced by a newer ID, so it has no session/m, '... to people, too';
    is run(['end', loggable($old)]), 1, 'it is not a session that could be ended';
    like $ERR, qr/this ID was replaced by a newer one/, '... which is said';
    is $OUT, '', '... and nothing else';
    $said = json(['end', key_of($old)]);
    like $said->{error}{detail}, qr/replaced/, '... by its table key and as JSON, too';
    is scalar(rows()), 2, '... nothing is deleted';
    is get('/test/?get=a', cookie => $new)->line('get a'), 'value-that-nobody-may-see', '... and the session lives';
    is json(['show', loggable($new)])->{state}, 'alive', '... as is shown';

    $said = json(['purge', '--older-than', 0]);
    is "$said->{looked_at} $said->{due}", '2 0', 'a purge leaves both rows, as neither is over';
    change_row($old, sub { $_[0]{expires}{N} = time() - 10 });
    is json(['purge', '--older-than', 0])->{due}, 0, '... nor when its minute has passed, by any clock';
    change_row($old, sub { $_[0]{expires}{N} = time() - 86400 - 10 });
    is json(['purge', '--older-than', 0])->{deleted}, 1, '... but a day later';
    is join(' ', map { $_->{id}{S} } rows()), key_of($new), '... that of the old ID';

    my $aged = session('/owasp-aged/', a => 1);
    age($aged, 2000, created => 1);
    get('/owasp-aged/?get=a', cookie => $aged);
    my $newer = res()->cookie('id');
    ok row(key_of($aged))->{successor}, 'an ID of some age leads to its successor';
    is json(['show', loggable($aged)])->{state}, 'replaced', '... and is shown as replaced';
    is run(['end', loggable($aged)]), 1, '... can not be ended';
    like $ERR, qr/replaced by a newer one/, '... which is said';
    is json(['purge', '--older-than', 0])->{due}, 0, '... and no purge takes it before the session ends';
    is get('/owasp-aged/?get=a', cookie => $aged)->line('get a'), 1, '... which still opens the session';
    is run(['end', loggable($newer)]), 0, 'the session is ended by its newer ID';
    is get('/owasp-aged/?get=a', cookie => $aged)->line('get a'), '(none)', '... and the old one opens nothing';
    clear_tables();
}

note 'Table keys that are session IDs';
{
    my $id = session('/unhashed/', a => 1);
    $TABLE->put_row({ %{ $TABLE->row($id) }, loggable => { S => 'x' } });
    my $row = $TABLE->row($id);
    delete $row->{loggable};
    $TABLE->put_row($row);
    is run(['show', loggable($id)]), 1, 'a row without the hash of its ID';
    is run(['show', loggable($id), '--hash-sid', 'Off']), 0, '... is found by what its ID comes to';
    like $OUT, qr/^hash: @{[loggable($id)]}$/m, '... which is shown, and not the ID';
    is run(['end', loggable($id), '--hash-sid=off']), 0, '... and ended';
    is $TABLE->row($id), undef, '... it is gone';
    is run(['show', 'Z' x 43, '--hash-sid', 'Off']), 2, 'an ID on the command line is refused';
}

note 'purge';
{
    clear_tables();
    my @old    = map { ended(2000) } 1 .. 8;
    my $recent = ended(30);
    my $alive  = session(a => 1);
    is run(['purge', '--dry-run']), 0, 'a trial';
    like $OUT, qr/^rows looked at: 10\nrows that would be deleted: 8$/m, '... counts';
    is scalar(rows()), 10, '... and deletes nothing';

    fault(kind => 'hold', op => 'DeleteItem', count => 1, skip => 2);
    my $pid = begin(['purge', '--progress']);
    ok held(1), 'stopped at the third row';
    kill INT => $pid;
    release();
    is finish($pid), 130, '... it ends';
    like $OUT, qr/^deleted: 3$/m, '... and says what was done';
    like $ERR, qr/interrupted; run it again/, '... and that there is more';
    is scalar(rows()), 7, '... the row that was under way is deleted, the others are there';

    my($touched) = grep { row(key_of($_)) } @old;
    fault(kind => 'hold', op => 'DeleteItem', count => 1, contains => key_of($touched));
    $pid = begin(['purge']);
    ok held(1), 'a row that is used';
    change_row($touched, sub { $_[0]{expires}{N} = time() + 600 });
    release();
    is finish($pid), 0, '... just when it is swept';
    like $OUT, qr/^rows of ended sessions: 5\ndeleted: 4\nkept \(used or ended in the meantime\): 1$/m, '... stays';
    ok row(key_of($touched)), '... it is there';
    ok row(key_of($recent)), 'one that ended a moment ago stays, as clocks differ';
    my $said = json(['purge', '--older-than', 0]);
    is "$said->{looked_at} $said->{due} $said->{deleted} $said->{kept}", '3 1 1 0', '... unless told otherwise';
    is get('/test/?get=a', cookie => $alive)->line('get a'), '1', 'the living live';

    clear_tables();
    ended(2000) for 1 .. 3;
    fault(kind => 'throttle', op => 'Scan', count => 6);   # five attempts, and one after a wait
    is run(['purge']), 0, 'a scan that is throttled goes on';
    is scalar(rows()), 0, '... to its end';
    ended(2000) for 1 .. 3;
    forbid('DeleteItem', skip => 1);
    $said = json(['purge']);
    is "$EXIT $said->{deleted} $said->{error}{type}", '3 1 AccessDeniedException', 'a failure tells what was done before it';
    clear_faults();
}

note 'Readers that are gone';
{
    clear_tables();
    ended(2000) for 1 .. 3;
    my $run = sub {
        my($descriptor, @arguments) = @_;
        my $pid = fork // die "fork: $!";
        if (!$pid) {
            %ENV = %BASE;
            # As where httpd's child or a Python program starts it, or a shell: what it was given does not count.
            $SIG{PIPE} = 'DEFAULT';
            pipe my $reader, my $writer or die "pipe: $!";
            POSIX::dup2(fileno($_ == $descriptor ? $writer : IO::File->new('/dev/null', 'w')), $_) for 1, 2;
            close $reader;
            { exec $PROGRAM, @arguments }
            POSIX::_exit(127);
        }
        waitpid $pid, 0;
        return $? & 127 ? "signal $?" : $? >> 8;
    };
    is $run->(2, 'purge', '--progress'), 0, 'of progress: a purge goes on';
    is scalar(rows()), 0, '... to its end';
    is $run->(1, 'purge'), 1, 'of a report: it does not pass for a whole one';
}

note 'The sessions of a user';
{
    clear_tables();
    my $conf  = "$SessionTest::T/conf";
    my @of    = ('--user', 'ann', '--realm', 'entry:user', '--user-keys', "file:$conf/user.key.first");
    my $login = sub { get("$_[0]?set=user:$_[1]"); return res()->cookie('id') };
    my $key   = sub { $TABLE->key_of(@_) };   # no secret: a hash, which list shows
    my $live  = sub { get('/test/?get=user', cookie => $_[0])->line('get user') };
    my($first, $second, $bob) = ($login->('/mine/', 'ann'), $login->('/mine/', 'ann'), $login->('/mine/', 'bob'));
    change_row_of($TABLE, $key->($second), sub { $_[0]{expires}{N} = time() - 10 });

    is run(['list', @of]), 0, 'list';
    my($one, $other) = split /\n\n/, $OUT;
    like $one, qr/^session: \Q${\ $key->($first)}\E\nhash: \Q${\ substr loggable($first), 0, 32}\E\nstate: alive\n/,
        '... names a session by its table key, and by the hash of the logs';
    like $one, qr/^created: 20\S+\naccessed: 20\S+\nexpires: 20\S+\nends at the latest: 20\S+\n/m, '... with its times';
    like $one, qr{^address: 127\.0\.0\.0/24$}m, '... where it began';
    like $other, qr/^session: \Q${\ $key->($second)}\E\n.*^state: over$/ms, '... and one that has expired';
    like $OUT, qr/^sessions: 2$/m, '... and their number';
    my @calls = calls_of { run(['list', @of]) };
    is join(' ', map { $_->{op} } @calls), 'GetItem GetItem GetItem', 'it costs a read, and one of each row';
    my $said = json(['list', @of]);
    is "$said->{listed} $said->{sessions}[0]{state} $said->{sessions}[1]{key}", '2 alive ' . $key->($second), 'the same as JSON';
    run(USER_KEYS => SessionTest::Log::slurp("$conf/user.key.first") =~ s/\n//r,
        ['list', @of[0 .. 3], '--user-keys', 'env:USER_KEYS']);
    like $OUT, qr/^sessions: 2$/m, 'with keys from the environment';
    for my $case (['another user', '--user', 'anna'], ['another realm', '--realm', 'entry:account'],
                  ['a label', '--audience', 'shop'], ['another key', '--user-keys', "file:$conf/seal.key.first"]) {
        my($what, $option, $value) = @$case;
        my %o = (@of, $option, $value);
        is run(['list', %o]), 0, "$what";
        like $OUT, qr/^sessions: 0\nnone is listed under this user, realm, audience and key$/m, '... is said to have none';
    }

    $said = json(['purge', '--older-than', 0]);
    is "$said->{looked_at} $said->{due} $said->{deleted} $said->{lists}", '5 1 1 0', 'a purge leaves lists of live sessions';
    is json(['list', @of])->{sessions}[1]{state}, 'gone', '... one without a row is gone';

    is run(['end', @of, $key->($bob)]), 1, "another user's session";
    like $ERR, qr/the user has no such session/, '... is none of this one';
    is $live->($bob), 'bob', '... and lives';
    my $third = $login->('/mine/', 'ann');
    is run(['end', @of, $key->($third)]), 0, 'one session is ended by its table key';
    like $OUT, qr/^the session was ended$/, '... and said so';
    is join(' ', $live->($third), $live->($first)), '(none) ann', '... and no other';
    forbid('UpdateItem');
    is run(['end', @of]), 3, 'who may not write';
    like $ERR, qr/UpdateItem, type AccessDeniedException/, '... is told';
    clear_faults();
    is $live->($first), 'ann', '... and nothing ends';
    my $fourth = $login->('/mine/', 'ann');
    @calls = calls_of { is run(['end', @of]), 0, 'all sessions of the user' };
    is join(' ', map { $_->{op} } @calls), join(' ', ('UpdateItem') x 5), '... takes a mark, a write of each, and the list';
    like $_->{body}{Key}{id}{S}, qr/^u:/, '... of the user' for @calls[0, -1];
    like $OUT, qr/^sessions ended: 3$/m, '... are ended';
    is join(' ', map { $live->($_) } $first, $fourth, $bob), '(none) (none) bob', "... and nobody else's";
    is json(['list', @of])->{listed}, 0, '... and none is listed any more';
    is json(['end', @of])->{ended}, 0, '... nor is there one to end again';

    my @rotated = ('--user', 'ann', '--realm', 'entry:user', '--user-keys', "file:$conf/user.key.second");
    $login->($_, 'ann') for '/mine/', '/mine/rotated/';
    is json(['list', @rotated])->{listed}, 2, 'with two keys, the lists of both are shown';
    is json(['end', @rotated])->{ended}, 2, '... and ended';

    $login->('/mine/sealed/', 'cid');
    $of[1] = 'cid';
    is run(['list', @of]), 1, 'a sealed list';
    like $ERR, qr/can't be opened with SessionDynamoDBSealKeys/, '... takes its key';
    is run(['end', @of]), 1, '... to be ended, too';
    my @seal = ('--seal-keys', "file:$conf/seal.key.first");
    is json(['list', @of, @seal])->{listed}, 1, '... with which it is shown';
    is json(['end', @of, @seal])->{ended}, 1, '... and ended';

    for my $case ([['list'], 'needs --user, --realm and --user-keys'], [['end', '--user', 'ann'], 'or none of the options'],
                  [['list', @of, 'more'], 'options only'], [['end', @of, '0' x 32], 'table key, which list shows'],
                  [['end', @of, ('A' x 43) x 2], 'one table key'], [['end', @of, '--hash-sid', 'Off'], 'HashSid is On'],
                  [['list', @of, '--user-keys', 'a-key-on-the-command-line-of-the-operator'], 'file:PATH or env:NAME'],
                  [['list', @of, '--user-keys', 'env:NO_SUCH_KEY'], 'NO_SUCH_KEY is not set'],
                  [['list', @of, '--user-keys', "file:$DIR/none"], "can't read"],
                  [['list', @of, '--seal-keys', 'file:/'], 'not a regular file'],
                  [['list', @of, '--seal-keys', "file:$DIR/open"], 'others can read it'],
                  [['list', @of, '--seal-keys', "file:$DIR/short"], 'shorter than 32'],
                  [['list', @of, '--seal-keys', "file:$DIR/empty"], 'contains no key'],
                  [['list', @of, '--seal-keys', "file:$DIR/long"], 'longer than'],
                  [['show', '0' x 32, '--user', 'ann'], 'has no option --user']) {
        my %content = (open => 'x' x 40, short => 'x' x 31, empty => "\n \n", long => 'x' x 2000);
        while (my($name, $text) = each %content) {
            open my $file, '>', "$DIR/$name" or die "$name: $!";
            print $file $text;
            close $file;
            chmod $name eq 'open' ? 0644 : 0600, "$DIR/$name";
        }
        my($arguments, $words) = @$case;
        is run($arguments), 2, "usage: $arguments->[0]: $words";
        like $ERR, qr/^session-dynamodb: .*\Q$words\E/, '... says what is wrong';
        unlike $ERR, qr/a-key-on-the|xxxx/, '... without a key';
    }
    clear_tables();
}

note 'A table of many pages';
{
    clear_tables();
    my $now  = time;
    my @rows = map { { id => { S => "row$_" }, expires => { N => '' . ($_ % 550 ? $now + 100 : $now - 5000) } } } 1 .. 1100;
    in_batches(sub { { PutRequest => { Item => $_[0] } } }, @rows);
    my @calls = calls_of { run(['show', '0' x 32, '--progress']) };
    my %pages;
    $pages{ $_->{body}{Segment} // 'whole' }++ for @calls;
    is join(' ', sort keys %pages), '0 1 2 3 4 5 6 7 whole', 'is searched in segments, once a page has shown that it is large';
    is scalar(grep { ($_->{body}{TotalSegments} // 8) == 8 && $_->{op} eq 'Scan' } @calls), scalar(@calls), '... eight of them';
    like $ERR, qr/^500 rows looked at, 1 pages$/m, '... which is told along the way';
    like $ERR, qr/no row has this hash/, '... to its end';
    my $id = session(a => 1);
    is run(['show', loggable($id)]), 0, '... so that a session is found';
    is run(['end', loggable($id)]), 0, '... and ended';
    is row(key_of($id)), undef, '... it is gone';
    @calls = calls_of { run(['purge', '--progress']) };
    is scalar(grep { $_->{op} eq 'Scan' } @calls), 3, 'is looked at page by page';
    like $OUT, qr/^rows looked at: 1100\nrows of ended sessions: 2\ndeleted: 2$/m, '... to its end';
    like $ERR, qr/^500 rows looked at, 1 pages/m, '... which is told along the way';
    in_batches(sub { { DeleteRequest => { Key => { id => $_[0]{id} } } } }, @rows);
}

note 'The first sessions';
{
    clear_tables();
    my %of   = map { ($_ => session($_ => $_ x 400)) } 'a', 'b';
    my $old  = session(c => 1);
    my $idle = session(d => 1);
    session(e => 'value-that-nobody-may-see');
    ended(10);
    change_row($old,  sub { $_[0]{created}{S} =~ s/^\d+/2020/ });
    change_row($idle, sub { $_[0]{accessed}{S} =~ s/^\d+/2021/ });
    change_row($of{b}, sub { $_[0]{data}{B} .= 'AAAA' x 100 });
    $TABLE->put_row({ id => { S => 'u:0' }, expires => { N => time() + 100 }, data => { B => 'AAAA' x 500 } });
    my $first = sub { substr loggable($_[0]), 0, 32 };

    my @calls = calls_of { is run(['top', '--number', 2]), 0, 'the largest sessions' };
    is join(' ', map { $_->{op} } @calls), 'Scan', '... take a scan';
    is $calls[0]{body}{ProjectionExpression}, undef, '... of whole rows';
    my @lines = split /\n/, $OUT;
    like $lines[0], qr/^ +bytes +age \(s\) +idle \(s\) +left \(s\)  hash$/, '... are in columns';
    like $lines[1], qr/^ +\d+ +\d+ +\d+ +7\d\d\d  \Q${\ $first->($of{b})}\E$/, '... the largest first, by its hash';
    like $lines[2], qr/ \Q${\ $first->($of{a})}\E$/, '... then the next';
    like $OUT, qr/^rows looked at: 7\nsessions alive: 5$/m, '... and their number; lists and what has ended are none';
    my($size) = $lines[2] =~ /^ +(\d+)/;
    my $row = row(key_of($of{a}));
    cmp_ok $size, '>', length(data_of($row)) + 200, '... in bytes, names and all';
    cmp_ok $size, '<', length(data_of($row)) + 300, '... as the table counts them';
    unlike $OUT, qr/\Q${\ key_of($of{a})}\E/, '... without a table key, which may be an ID';

    @calls = calls_of { run(['top', '--by', 'age', '--number', 1]) };
    like $OUT, qr/\n +- +\d{9} +\d+ +\d+  \Q${\ $first->($old)}\E\nrows/, 'the oldest';
    is $calls[0]{body}{ProjectionExpression}, '#id, #loggable, #created, #accessed, #expires', '... take no data';
    my $said = json(['top', '--by', 'idle']);
    is scalar(@{ $said->{sessions} }), 5, 'ten, unless told otherwise, or all that there are';
    is "$said->{sessions}[0]{hash} $said->{alive}", $first->($idle) . ' 5', '... the longest idle first';
    like $said->{sessions}[0]{accessed}, qr/^2021-/, '... with its times';

    # Each alone is less than a reply may have.
    my @large = map { session(f => "value-that-nobody-may-see-$_") } 1 .. 4;
    change_row($_, sub { $_[0]{data}{B} = 'AAAA' x 100_000 }) for @large;
    @calls = calls_of { is run(['top', '--number', 4]), 0, 'rows that are more than a reply may have' };
    is join(' ', sort map { substr loggable($_), 0, 32 } @large), join(' ', sort $OUT =~ /([0-9a-f]{32})/g), '... are found';
    is((grep { $_->{body}{Limit} < 100 } @calls) > 0, 1, '... in smaller pages');
    forbid('Scan');
    is run(['top']), 3, 'who may not scan';
    like $ERR, qr/Scan, type AccessDeniedException/, '... is told';
    clear_faults();
    clear_tables();
    is run(['top']), 0, 'an empty table';
    is $OUT, "rows looked at: 0\nsessions alive: 0\n", '... has none';
}

note 'policy and cost';
{
    is run(['policy', '--account', '123456789012']), 0, 'a policy';
    my($statement, @others) = @{ JSON::PP::decode_json($OUT)->{Statement} };
    is_deeply $statement->{Action}, [map { "dynamodb:$_" } qw(GetItem PutItem UpdateItem DeleteItem)], '... allows what sessions need';
    is_deeply [$statement->{Sid}, @others], ['Httpd'], '... in one statement';
    is $statement->{Resource}, 'arn:aws:dynamodb:us-east-1:123456789012:table/app_session', '... for this table';
    is $ERR, '', '... without a note';
    is run(['policy']), 0, 'without an account';
    like "$OUT$ERR", qr{us-east-1:\*:table/app_session.*--account}s, '... it is open, which is said';
    my $said = json(['policy', qw(--region cn-north-1 --check --create-table --operate)]);
    my %of = map { $_->{Sid} => $_ } @{ $said->{policy}{Statement} };
    like $_->{Resource}, qr/^arn:aws-cn:dynamodb:cn-north-1:/, "another partition: $_->{Sid}" for values %of;
    my $actions = sub { join ' ', sort map { s/dynamodb://r } @{ $of{ $_[0] }{Action} } };
    is $actions->('Httpd'), 'CreateTable DeleteItem DescribeContinuousBackups DescribeTable DescribeTimeToLive GetItem PutItem UpdateItem '
        . 'UpdateTimeToLive', '... httpd has each action once';
    is $actions->('Operators'), 'DeleteItem GetItem Scan UpdateItem', '... and operators a statement of their own';
    like $said->{note}, qr/two statements for two roles/, '... which is said';
    run(['policy', '--operate', '--account', '123456789012']);
    like $ERR, qr/^session-dynamodb: two statements for two roles: do not give httpd the Operators/, '... to people, too';
    my $arn = 'arn:aws-us-gov:dynamodb:us-gov-west-1:123456789012:table/app_session';
    is json(['policy', '--table', $arn])->{policy}{Statement}[0]{Resource}, $arn, "a table's ARN stands as it is";

    $said = json([qw(cost --requests 1000 --read-only 80 --changed 20 --touched 0 --size 2100)]);
    is "$said->{read_units} $said->{write_units}", '1000 600', 'a read each, and three units a write of 2100 bytes';
    $said = json([qw(cost --requests 1000 --read-only 50 --changed 0 --touched 10 --size 5000 --eventual
                     --read-price 1 --write-price 2)]);
    is "$said->{read_units} $said->{write_units}", '500 250', 'eventual reads are half, requests without a session nothing';
    is sprintf('%.6f %.6f', @$said{qw(price price_per_million)}), '0.001000 1.000000', '... and the price follows';
    is json(['cost', '--region', 'eu-central-1'])->{price}, undef, 'prices of other regions have to be given';
    $said = json(['cost']);
    like $said->{note}, qr/us-east-1, July 2025/, 'those that are known say of when they are';
    is $said->{currency}, 'USD', '... and in which currency';
    run(['cost']);
    like $OUT, qr/^read request units: 1000000\nwrite request units: 190000$/m, 'units have their name';
    like $OUT, qr/^price \(US dollars\): 0\.24375$/m, '... and prices their currency';
    run([qw(cost --read-price 1 --write-price 2)]);
    like $OUT, qr/^price \(in the currency of the prices given\): 1\.38$/m, '... or that of the prices given';
}

note 'Usage';
for my $case ([[], 'no command'], [['frob'], 'unknown command frob'], [['check', '--frob'], 'invalid option'],
              [['check', '--table'], 'missing argument'], [['check', '--table', 'a b'], 'not a table name'],
              [['check', '--region', 'Frankfurt'], 'region'], [['check', '--endpoint-url', 'ftp://x'], '--endpoint-url'],
              [['check', '--proxy', 'http://u:p@x'], 'use http:// or https://'],
              [['check', '--timeout', '0'], 'seconds'], [['check', '--dry-run'], 'has no option --dry-run'],
              [['check', 'more'], 'options only'], [['show'], 'one HASH'], [['show', 'abc'], 'HASH must be'],
              [['show', '0' x 32, '0' x 32], 'one HASH'], [['show', '0' x 32, '--hash-sid', 'perhaps'], 'On or Off'],
              [['purge', '--older-than', '-1'], 'whole number'], [['policy', '--account', '1'], '12 digits'],
              [['top', '--by', 'name'], 'size, age or idle'], [['top', '--number', 0], '1 to 1000'], [['top', '--number', 1001], '1 to 1000'],
              [['top', 'more'], 'options only'], [['cost', '--changed', '101'], '0 to 100'], [['cost', '--changed', 60, '--read-only', 60], 'exceed 100'],
              [['cost', '--read-price', '1'], 'must be given together'], [['cost', '--size', 500000], '409600'],
              [["\xff"], 'unknown command']) {
    my($arguments, $words) = @$case;
    is run($arguments), 2, "usage: @$arguments" =~ s/\xff/?/r;
    like $ERR, qr/^session-dynamodb: .*\Q$words\E/, '... says what is wrong';
    like json($arguments)->{error}{what}, qr/\Q$words\E/, '... as JSON too';
}
is run(['--help']), 0, '--help';
like $OUT, qr/^Usage: .*--older-than SECONDS/s, '... names commands and options';
is run(['purge', '--version']), 0, '--version';
like $OUT, qr/^session-dynamodb \d+\.\d+\.\d+$/, '... names it';
my($version) = $OUT =~ / (\S+)/;
my $log = SessionTest::Log::slurp(SessionTest::Log::path($SessionTest::T));
like $log, qr/\[session_dynamodb:info\] \[pid [^]]+\] mod_session_dynamodb \Q$version\E$/m, 'httpd logs the same when it starts';

my @secrets = grep { length >= 16 } split /\n/, SessionTest::Log::slurp("$SessionTest::T/logs/secrets");
cmp_ok scalar(@secrets), '>', 10, 'there are IDs, keys and secrets that could have been shown';
is join(' ', grep { index($SAID, $_) >= 0 } @secrets, 'value-that-nobody-may-see', 'a-wrong-secret'), '', '... and none was';

done;
