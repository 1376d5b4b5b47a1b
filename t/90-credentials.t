# Where httpd gets its credentials on a machine of AWS: the instance metadata, the container's credential service, and a
# program. The services are scripted, and the table takes signatures by the keys that they gave alone.

use strict;
use warnings;
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Machine;
use SessionTest::Outage;

my %GIVEN    = (id => 'ASIAMETADATA', secret => 'metadata-secret-of-this-test', token => 'metadata-token-of-this-test');
my %SECOND   = (id => 'ASIASECOND',   secret => 'second-secret-of-this-test',   token => 'second-token-of-this-test');
my $metadata = SessionTest::Machine::metadata();
my($httpd, $id);
my $DIR = File::Temp::tempdir('/tmp/credentials-XXXXXX', CLEANUP => 1);

# The table knows these keys and no others.
sub table_knows { mode(keys => { map { $_->{id} => { secret => $_->{secret}, token => $_->{token} } } @_ }) }
sub service_gives { my(%more) = @_; $metadata->(POST => 'set', \%more) }
sub goes_wrong { my($on, $do, %more) = @_; $metadata->(POST => 'fault', { on => $on, do => $do, %more }) }
sub asked { join ' ', map { $_->{kind} } @{ $metadata->(GET => 'requests') } }
sub write_file {
    my($name, $text) = @_;
    open my $out, '>', "$DIR/$name" or die "$DIR/$name: $!";
    print $out $text;
    close $out;
    return "$DIR/$name";
}

# They are asked from the start of the child on: what is to be another way then is "set", and "fault".
sub begin {
    my(%environment) = @_;
    $metadata->(POST => 'reset');
    service_gives(%GIVEN, %{ delete $environment{set} || {} });
    goes_wrong(@{ delete $environment{fault} }) if $environment{fault};
    table_knows(\%GIVEN);
    $httpd = SessionTest::Machine->start(%environment);
    $id = undef;
}

sub works {
    my $sentence = shift;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    get($id ? '/?get=a' : '/?set=a:1', port => $httpd->port, $id ? (cookie => $id) : ());
    is res()->status, 200, $sentence;
    return is res()->line('get a'), 1, '... and is read' if $id;
    $id = res()->cookie('id');
    ok $id && row(key_of($id)), '... and is stored';
}
sub fails {
    my $sentence = shift;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    get('/?set=a:1', port => $httpd->port);
    is res()->status, 503, $sentence;
}
# What is never to be in a log.
sub ends {
    my @expected = (@_, @_ ? qr/AH01822: error while saving the session/ : ());
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $httpd->stop(@expected);
    is_deeply [$httpd->log_lines(qr/(?:metadata|second|wrong)-(?:secret|token)-of|pod-token/)], [], '... and no secret';
}

my @IMDS = (AWS_EC2_METADATA_SERVICE_ENDPOINT => $metadata->('url'));

note 'The role of an EC2 instance';
begin(@IMDS);
ok eventually(sub { asked() eq 'token roles document' }), 'keys are fetched before they are needed, in three requests';
works 'a session is stored with the keys of the role';
is asked(), 'token roles document', 'without another';
works 'another request';
is asked(), 'token roles document', 'asks for nothing';
table_knows(\%SECOND);
service_gives(%SECOND);
works 'keys are replaced, the old ones refused: a request';
is asked(), 'token roles document roles document', 'the new ones are fetched with the same token';
ends;

note 'An httpd that has the module and does not use it';
@SessionTest::Idle::ISA = ('SessionTest::Machine');
sub SessionTest::Idle::configuration {
    return SessionTest::Machine::configuration(@_) =~ s/^Session(DynamoDB)? On\n//gmr;
}
$metadata->(POST => 'reset');
$httpd = SessionTest::Idle->start(@IMDS);
is get('/', port => $httpd->port)->status, 200, 'a page without session';
is asked(), '', '... and nobody is asked for keys';
ends;

note 'Version 1';
begin(@IMDS, set => { version => 1 });
fails 'a service without tokens is not asked for keys';
like asked(), qr/^token( token)*$/, '... at all';
ends qr/offers no tokens \(HTTP 404\)/;

note 'What can be wrong with it, and that it may be right the next time';
begin(@IMDS, fault => [token => 404, count => 0]);
my @log = qr/no AWS credentials; requests that need the table look for them again: /;
ok eventually(sub { $httpd->log_lines($log[0]) }), 'that there are none is told at the start';
# Failures are a line a second: some are waited for.
for my $case (
    [[token    => 'hang'],     qr/raise the instance's hop limit/, 1],
    [[token    => 403],        qr/is disabled \(HTTP 403\)/],
    [[token    => 'drop'],     qr/no token from the instance metadata service: /],
    [[token    => 'garbage'],  qr/returned an invalid token/],
    [[token    => 'redirect'], qr/request for a token with HTTP 302/],
    [[roles    => 404],        qr/this EC2 instance has no role; attach one/, 1],
    [[roles    => 'garbage'],  qr/returned an invalid role name/],
    [[roles    => 500],        qr/request for a value with HTTP 500/],
    [[document => 'garbage'],  qr/something other than JSON for role server-role/],
    [[document => 'half'],     qr/something other than JSON for role server-role/],
    [[document => 'huge'],     qr/no answer from the instance metadata service: the reply's body exceeds 65535 bytes/],
    [[document => 'refusal'],  qr/no keys for role server-role: AssumeRoleUnauthorizedAccess EC2 cannot assume/, 1],
    [[document => 'hang'],     qr/no answer from the instance metadata service: /],
) {
    my($fault, $line, $is_told) = @$case;
    goes_wrong(@$fault, count => 0, alone => 1);
    another_second($httpd->log_lines(qr/could not be/)) if $is_told;
    fails "@$fault: 503";
    ok scalar($httpd->log_lines($line)), '... and the log says so' if $is_told;
    push @log, $line;
}
goes_wrong(other => 404, alone => 1);
works 'then all is well';
ends do { my $any = join '|', @log; qr/$any/ };

note 'No such machine';
begin(AWS_EC2_METADATA_SERVICE_ENDPOINT => 'http://127.0.0.1:' . SessionTest::Recipe::free_port());
fails 'nobody there, nothing else set up';
ends qr/no credentials found: .*no instance metadata service/;
begin(@IMDS, AWS_EC2_METADATA_DISABLED => 'true');
fails 'switched off';
is asked(), '', '... it is not asked';
ends qr/no credentials found: .*AWS_EC2_METADATA_DISABLED/;

note 'Keys that the service can not renew';
begin(@IMDS, set => { expires_in => -60 });
works 'expired keys of the instance metadata are used as long as the table takes them';
ends;

note 'A container';
my $token = write_file(token => "pod-token\n");
begin(@IMDS, AWS_CONTAINER_CREDENTIALS_FULL_URI => $metadata->('url') . '/v1/credentials',
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE => $token, set => { authorization => 'pod-token' });
works 'a session is stored with the keys of the container';
is asked(), 'container', 'in one request, and the instance is not asked';
write_file(token => "pod-token-2");
service_gives(%SECOND, authorization => 'pod-token-2');
table_knows(\%SECOND);
works 'keys and token are replaced: a request';
is asked(), 'container container', '... has the new ones';
ends;

begin(@IMDS, AWS_CONTAINER_CREDENTIALS_FULL_URI => $metadata->('url') . '/v1/credentials',
      AWS_CONTAINER_AUTHORIZATION_TOKEN => 'pod-token-old', set => { authorization => 'pod-token' });
ok eventually(sub { asked() eq 'container' }), 'a token that is refused is not tried again';
fails 'a request';
is asked(), 'container container', '... has it tried once, and asks nobody else';
goes_wrong(container => 'hang', count => 1);
service_gives(authorization => 'pod-token-old');
works 'a service that is silent once: a request';
ends qr/container's credential service returned HTTP 401 AccessDeniedException/;

begin(@IMDS, AWS_CONTAINER_CREDENTIALS_FULL_URI => 'http://192.0.2.1/credentials');
fails 'a host that would have to be asked by https';
ends qr/AWS_CONTAINER_CREDENTIALS_FULL_URI: this host needs https/;

note 'A program';
my $program = write_file(program => <<'END');
#!/bin/sh
ls /proc/self/fd | tr '\n' ' ' >"$2"
grep SigBlk /proc/self/status >>"$2"
echo "secret: wrong-secret-of-a-message" >&2
cat "$1"
END
chmod 0700, $program;
my $document = write_file(document => '');
my $config   = write_file(config => "[default]\ncredential_process = $program '$document' $DIR/seen\n");
sub prints {
    my $key = shift;
    write_file(document => JSON::PP::encode_json({ Version => 1, AccessKeyId => $key->{id},
                                                   SecretAccessKey => $key->{secret}, SessionToken => $key->{token} }));
}
write_file(document => 'wrong-secret-of-garbage');
begin(@IMDS, AWS_CONFIG_FILE => $config);
fails 'a program that prints garbage';
prints(\%GIVEN);
works 'one that prints keys: a session is stored with them';
like SessionTest::Log::slurp("$DIR/seen"), qr/^0 1 2 3 SigBlk:\s*0+$/,
    'it has none of the descriptors of the server, and no signal blocked';
is asked(), '', '... and nobody else is asked';
ends qr/credential_process printed something other than one JSON object; run it by hand/;

note 'A program that takes longer than SessionDynamoDBTimeout';
@SessionTest::Hurry::ISA = ('SessionTest::Machine');
sub SessionTest::Hurry::configuration {
    return SessionTest::Machine::configuration(@_) =~ s/^SessionDynamoDBTimeout .*/SessionDynamoDBTimeout 500ms/mr;
}
my $slow = write_file(slow => "#!/bin/sh\nuntil [ -e $DIR/go ]; do sleep 0.05; done\ncat $document\n");
chmod 0700, $slow;
table_knows(\%GIVEN);
$httpd = SessionTest::Hurry->start(@IMDS, AWS_CONFIG_FILE =>
                                   write_file(slow_config => "[default]\ncredential_process = $slow\n"));
my @answers;
calls_are { @answers = parallel(map { ['/?set=a:1', port => $httpd->port] } 1 .. 6) } [],
    'six requests at once need keys: nothing is sent for them';
is join(' ', map { $_->status } @answers), join(' ', (503) x 6), '... and they are answered before there are any';
write_file(go => '');
calls_are {
    ok eventually(sub { get('/?set=a:1', port => $httpd->port)->status == 200 }), 'all is well as soon as there are'
} ['PutItem'], '... and the table is asked once';
# That the table gave no answer would be one more line.
ends qr/credential provider credential_process has not answered for \d+\.\d s/;

done;
