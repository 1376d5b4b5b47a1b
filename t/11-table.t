# The look at the table at the start of httpd, and its creation: each in an httpd of its own.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Server;
use SessionTest::Table ();

my $TABLE = SessionTest::Table->new({ map { $_ => setting($_) } qw(dynalite control) });
my @CHECK = qw(DescribeTable DescribeTimeToLive GetItem PutItem UpdateItem DeleteItem);
my @ON    = ('LogLevel info', 'SessionDynamoDBCheckTable On');
my $TTL   = { TimeToLiveDescription => { TimeToLiveStatus => 'ENABLED', AttributeName => 'expires' } };
my $SERVER;

sub logged { my $pattern = shift; return $SERVER->log_lines($pattern) }

# Start one, and wait for a line in its log; the calls until then.
sub start {
    my($pattern, @lines) = @_;
    return map { $_->{op} } calls_of {
        $SERVER = SessionTest::Server->start(@ON, @lines);
        ok eventually(sub { logged($pattern) }, 20), "the log says: $pattern"
            or diag(SessionTest::Log::slurp($SERVER->{log}));
    };
}

sub forbid {
    fault(kind => 'error', op => $_, type => 'AccessDeniedException', message => "no dynamodb:$_", count => 0) for @_;
}

# dynalite has no time to live; it says so by this.
sub pretend_ttl { fault(kind => 'wrong_type', op => 'DescribeTimeToLive', body => $TTL, count => 0) }

note 'As it should be';
{
    pretend_ttl();
    my @calls = start(qr/table app_session: no problems found/);
    is "@calls", "@CHECK", 'six calls, whatever the number of children';
    is scalar(rows()), 0, '... which write nothing';
    my $id = session(a => 1);
    is get('/test/?get=a', cookie => $id, port => $SERVER->port)->line('get a'), 1, 'sessions work';
    is join(' ', calls {
        kill USR1 => $SERVER->pid;
        ok eventually(sub { 2 == logged(qr/no problems found/) }, 20), 'a graceful restart looks again';
    }), "@CHECK", '... once';
    clear_faults();
    $SERVER->stop;
}

note 'Doubts and faults';
{
    start(qr/\[session_dynamodb:notice\].*table app_session: time to live is off: .* enable it/);
    is scalar(logged(qr/no problems found/)), 0, 'a table without time to live is not quite as it should be';
    $SERVER->stop;

    forbid(qw(DescribeTable DescribeTimeToLive));
    start(qr/app_session: no problems found/);
    is scalar(logged(qr/\[session_dynamodb:info\].*not checked: needs dynamodb:Describe\w+/)), 2,
        'who may do no more than sessions need is not told off';
    clear_faults();
    $SERVER->stop;

    pretend_ttl();
    forbid('UpdateItem');
    start(qr/\[session_dynamodb:error\].*table app_session: dynamodb:UpdateItem is not allowed: add it to the IAM policy/);
    clear_faults();
    $SERVER->stop(qr/dynamodb:UpdateItem is not allowed/);

    my @calls = start(qr/\[session_dynamodb:error\].*there is no table no_such_table in this region: create it/,
        'SessionDynamoDBTableName no_such_table');
    is "@calls", 'DescribeTable', 'of a missing table no more is asked';
    $SERVER->stop(qr/there is no table no_such_table/);

    $TABLE->create_table('wrong_key', 'sid');
    start(qr/\[session_dynamodb:error\].*the key of the table is sid, but must be id/, 'SessionDynamoDBTableName wrong_key');
    $SERVER->stop(qr/key of the table is sid/);
    $TABLE->delete_table('wrong_key');
}

note 'Who is looked at';
{
    my $port = $SERVER->free_port;
    my @hosts = ("Listen 127.0.0.1:$port", "<VirtualHost 127.0.0.1:$port>", 'ServerName one', '</VirtualHost>',
                 "<VirtualHost 127.0.0.1:$port>", 'ServerName two', 'SessionDynamoDBTableName other_session', '</VirtualHost>');
    pretend_ttl();
    my @calls = start(qr/table other_session: no problems found/, @hosts);
    is "@calls", "@CHECK @CHECK", 'each table once';
    is scalar(logged(qr/app_session: no problems found/)), 1, '... both';
    $SERVER->stop;
    @calls = calls {
        $SERVER = SessionTest::Server->start(@ON, 'SessionDynamoDB Off', 'Session Off');
        is get('/test/', port => $SERVER->port)->status, 200, 'where no session is kept';
    };
    is "@calls", '', '... no table is looked at';
    $SERVER->stop;
    clear_faults();
}

note 'Creation';
{
    my @create = ('SessionDynamoDBCreateTable On', 'SessionDynamoDBTableName made_here');
    my @calls = start(qr/table made_here: time to live is off/, @create);
    like "@calls", qr/^DescribeTable (?:CreateTable DescribeTable )+DescribeTimeToLive UpdateTimeToLive @CHECK$/,
        'a missing table is made, waited for, and looked at';
    is scalar(logged(qr/\[session_dynamodb:notice\].*table made_here: created; this service has no time to live/)), 1,
        '... which is said';
    my $answer = get('/test/?set=a:1', port => $SERVER->port);
    is scalar(rows('made_here')), 1, '... and it takes sessions';
    $SERVER->stop;
    is join(' ', start(qr/table made_here: time to live is off/, @create)), "@CHECK", 'one that is there is left alone';
    $SERVER->stop;
    $TABLE->delete_table('made_here');

    @calls = start(qr/table made_here: created/, @create, 'SessionDynamoDBCheckTable Off');
    is $calls[-1], 'UpdateTimeToLive', 'without the look, it is made and no more';
    is scalar(logged(qr/time to live is off/)), 0, '... nor said';
    $SERVER->stop;
    $TABLE->delete_table('made_here');

    fault(kind => 'error', op => 'DescribeTable', type => 'ResourceNotFoundException', message => 'm', count => 0, skip => 0);
    $SERVER = SessionTest::Server->start(@ON, @create);
    ok eventually(sub { my %n; $n{$_->{op}}++ for @{ $TABLE->requests(brief => 1)->{requests} }; ($n{CreateTable} || 0) > 1 }, 20),
        'a table that does not become active is waited for';
    cmp_ok within { $SERVER->end }, '<', 8 * setting('slow'), '... but not by who has to end';
    clear_faults();
    $SERVER->stop;
    $TABLE->delete_table('made_here');

    forbid('CreateTable');
    my $denied = qr/\[session_dynamodb:warn\].*table made_here: could not be created: .*AccessDeniedException/;
    start($denied, @create);
    $SERVER->stop($denied);
    clear_faults();
}

note 'Nobody to ask';
{
    my $one_line = qr/table app_session: could not be checked: .* retried at the next start or restart/;
    my $answer;
    cmp_ok within { start($one_line, 'SessionDynamoDBEndpointURL http://127.0.0.1:1') }, '<', 15 * setting('slow'),
        'a dead service';
    is get('/test/', port => $SERVER->port)->status, 200, '... keeps nobody from starting';
    is scalar(logged(qr/session_dynamodb:warn/)), 1, '... and is one line';
    $SERVER->stop($one_line);

    fault(kind => 'hang', op => 'DescribeTable', count => 0);
    $SERVER = SessionTest::Server->start(@ON);
    ok eventually(sub { connections()->{hung} }), 'a service that hangs';
    my $id = session(a => 1);
    is get('/test/?get=a', cookie => $id, port => $SERVER->port)->line('get a'), 1, '... while requests are served';
    ok eventually(sub { logged($one_line) }, 30), '... is one line';
    clear_faults();
    $SERVER->stop($one_line);

    delete local @ENV{qw(AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE)};
    start($one_line);
    # Where nobody waits for them while the provider is asked, the child says so itself.
    my $none = qr/no AWS credentials; requests that need the table look for them again: /;
    $SERVER->end;
    $SERVER->stop(qr/could not be checked: no credentials were found: .*environment/,
                  $SERVER->log_lines($none) ? $none : ());

    open my $out, '>', "$SessionTest::T/state/check.credentials" or die $!;
    print $out "[default]\naws_access_key_id = ", setting('key_id'), "\naws_secret_access_key = ", setting('secret'), "\n";
    close $out;
    chmod 0600, "$SessionTest::T/state/check.credentials";
    pretend_ttl();
    start(qr/app_session: no problems found/, "SessionDynamoDBCredentialsFile $SessionTest::T/state/check.credentials");
    $SERVER->stop;
    clear_faults();
}

note 'A wrong clock';
{
    pretend_ttl();
    fault(kind => 'skew', seconds => 3600, count => 0);
    start(qr/app_session: no problems found/);
    $SERVER->stop(qr/\[session_dynamodb:warn\].*this machine's clock is \d+ s behind/);
    clear_faults();
}

done;
