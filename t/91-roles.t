# Roles: credentials that STS gives for other credentials, for a web identity or for SSO's token, and that end while the
# server works. STS is scripted and checks signatures; the table takes those by the keys given out and not ended.

use strict;
use warnings;
use File::Path ();
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Machine;
use SessionTest::Outage;

my $sts = SessionTest::Machine::sts();
my $DIR = File::Temp::tempdir('/tmp/roles-XXXXXX', CLEANUP => 1);
my($httpd, $id);

sub asked     { map { $_->{action} } @{ $sts->(GET => 'requests') } }
sub goes_wrong { my($do, %more) = @_; $sts->(POST => 'fault', { do => $do, %more }) }
sub write_file {
    my($name, $text) = @_;
    open my $out, '>', "$DIR/$name.new" or die "$DIR/$name: $!";
    print $out $text;
    close $out;
    chmod 0600, "$DIR/$name.new";
    rename "$DIR/$name.new", "$DIR/$name" or die "$DIR/$name: $!";
    return "$DIR/$name";
}

sub begin {
    my(%environment) = @_;
    $sts->(POST => 'reset');
    mode(keys => {});
    # From the start of the child on it is asked.
    $sts->(POST => 'set', delete $environment{set}) if $environment{set};
    $httpd = SessionTest::Machine->start(AWS_ENDPOINT_URL_STS => $sts->('url'), AWS_ENDPOINT_URL_SSO => $sts->('url'),
                                         AWS_EC2_METADATA_DISABLED => 'true', %environment);
    $id = undef;
}

sub request {
    return get($id ? '/?get=a' : '/?set=a:1', port => $httpd->port, $id ? (cookie => $id) : ())->status;
}
sub works {
    my $sentence = shift;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is request(), 200, $sentence;
    return is res()->line('get a'), 1, '... and is read' if $id;
    $id = res()->cookie('id');
    ok $id && row(key_of($id)), '... and is stored';
}
sub fails {
    my $sentence = shift;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is request(), 503, $sentence;
}
# Whatever was secret in these tests.
sub ends {
    my @expected = (@_, @_ && !$id ? qr/AH01822: error while saving the session/ : ());
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $httpd->stop(@expected);
    is_deeply [$httpd->log_lines(qr/given-(?:secret|token)|source-secret|identity-token|sso-token/)], [],
        '... and no secret';
}

my $KEYS = "[source]\naws_access_key_id = AKIDSOURCE\naws_secret_access_key = source-secret\n";
my $ROLE = "[default]\nrole_arn = arn:aws:iam::123456789012:role/table\nsource_profile = source\n"
         . "external_id = for us\nrole_session_name = web-1\n";
my @FILES = (AWS_CONFIG_FILE => write_file(config => $ROLE), AWS_SHARED_CREDENTIALS_FILE => write_file(keys => $KEYS));

note 'A role for the keys of another profile';
begin(@FILES);
ok eventually(sub { "@{[asked()]}" eq 'AssumeRole' }), 'keys are asked for before they are needed';
works 'a session is stored with the keys of the role';
my($request) = @{ $sts->(GET => 'requests') };
is $request->{signer}, 'AKIDSOURCE', 'the source has asked for it';
is_deeply [@{ $request->{form} }{qw(RoleArn ExternalId RoleSessionName)}],
    ['arn:aws:iam::123456789012:role/table', 'for us', 'web-1'], '... as the profile says';
works 'another request';
is_deeply [asked()], ['AssumeRole'], '... asks for nothing';
ends;

note 'Through another role';
write_file(config => "[default]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = a\n"
                   . "[profile a]\nrole_arn = arn:aws:iam::2:role/a\nsource_profile = source\n");
begin(@FILES);
works 'a session is stored with the keys of the second role';
is join(' ', map { $_->{form}{RoleArn} } @{ $sts->(GET => 'requests') }), 'arn:aws:iam::2:role/a arn:aws:iam::1:role/b',
    'one was asked for after the other';
like $sts->(GET => 'requests')->[1]{signer}, qr/^ASIA/, '... the second with the keys of the first';
ends;
write_file(config => $ROLE);

note 'What can be wrong with it, and that it may be right the next time';
begin(@FILES, set => { roles => [] });
my @log = qr/assume-role, profile "default": STS: AccessDenied: both the role's trust policy/;
ok eventually(sub { asked() == 1 && $httpd->log_lines($log[0]) }), 'a role that is not allowed is not asked for again';
fails 'a request';
is scalar(asked()), 2, '... has it asked for once';
$sts->(POST => 'set', { roles => undef });
# Failures are a line a second: some are waited for.
for my $case (
    [garbage => 1, qr/status 200, but the body is not XML/, 1],
    [half => 1, qr/status 200, but the body is not XML/],
    [html403 => 1, qr/status 403 without an STS error/],
    [ExpiredToken => 1, qr/ExpiredToken: the source's session token has expired/],
    [expired => 1, qr/assume-role returned credentials that expired 60 s ago|assume-role returned credentials that expired 6\d s/],
    [drop => 3, qr/STS at http:\/\/127\.0\.0\.1:\d+: /],
    [500 => 3, qr/status 500 without an STS error/],
    [Throttling => 3, qr/STS: Throttling: as the test asked/, 1],
) {
    my($do, $count, $line, $is_told) = @$case;
    another_second($httpd->log_lines(qr/could not be/)) if $is_told;
    my $before = asked();
    goes_wrong($do, count => $count);
    fails "$do: 503";
    is asked() - $before, $count, "... after $count request" . ($count > 1 ? 's' : '');
    ok scalar($httpd->log_lines($line)), '... and the log says so' if $is_told;
    push @log, $line;
}
goes_wrong('500', count => 2);
works 'a service that fails twice';
$id = undef;
ends do { my $any = join '|', @log; qr/$any/ };

note 'A web identity';
my $token = write_file(token => 'web-identity-token');
my @WEB = (AWS_WEB_IDENTITY_TOKEN_FILE => $token, AWS_ROLE_ARN => 'arn:aws:iam::123456789012:role/pod');
begin(@WEB, set => { life => 4 });
works 'a session is stored with the keys for the token';
is_deeply [asked()], ['AssumeRoleWithWebIdentity'], 'in one request';
write_file(token => 'renewed-token');
$sts->(POST => 'set', { tokens => ['renewed-token'] });
my $until = time + 6;
my($requests, $failed) = (0, 0);
while (time < $until) {
    $requests++;
    $failed++ if request() != 200;
}
is $failed, 0, "keys for four seconds: none of $requests requests in six fails";
my @asked = @{ $sts->(GET => 'requests') };
cmp_ok scalar(@asked), '>=', 2, '... others were asked for';
is $asked[-1]{form}{WebIdentityToken}, 'renewed-token', '... with the token as it is by then';
is $asked[-1]{status}, 200, '... successfully';
ends;

note 'A service that fails while keys live';
begin(@WEB, set => { life => 4, tokens => ['renewed-token'] });
works 'a session';
goes_wrong('IDPRejectedClaim', count => 0);
ok eventually(sub { $httpd->log_lines(qr/credentials can't be renewed.*IDPRejectedClaim/) }, 10),
    'a renewal that fails is a warning';
works 'the keys there are still good';
ok eventually(sub { request() == 503 }, 10), 'and when they have ended requests fail';
$sts->(POST => 'reset');
$sts->(POST => 'set', { tokens => ['renewed-token'] });
works 'till STS is well again';
ends qr/credentials can't be renewed/, qr/web identity: STS: IDPRejectedClaim/, qr/AH01816: error while loading/;

note "SSO's token";
my $home = "$DIR/home";
File::Path::make_path("$home/.aws/sso/cache");
my @SSO = (HOME => $home, AWS_CONFIG_FILE => write_file(sso => SessionTest::Machine::sso_profile()));
my $cache = 'home/' . SessionTest::Machine::sso_token_file();
begin(@SSO);
fails 'nobody has logged in';
is_deeply [asked()], [], '... and nobody is asked';
write_file($cache => '{"accessToken": "sso-token", "expiresAt": "2020-01-01T00:00:00Z"}');
another_second($httpd->log_lines(qr/could not be/));
fails 'too long ago';
write_file($cache => '{"accessToken": "sso-token", "expiresAt": "2099-01-01T00:00:00Z"}');
works 'a session is stored with the keys for the token';
is_deeply [asked()], ['GetRoleCredentials'], 'in one request';
$id = undef;
ends qr/no readable token/, qr/the token is expired: run aws sso login --profile default/;

note 'A file that changes';
my %PAIR = map { $_ => { secret => "source-secret-$_" } } qw(AKIDONE AKIDTWO);
sub keys_of { "[default]\naws_access_key_id = $_[0]\naws_secret_access_key = source-secret-$_[0]\n" }
begin(AWS_CONFIG_FILE => '/dev/null', AWS_SHARED_CREDENTIALS_FILE => write_file(plain => keys_of('AKIDONE')));
mode(keys => { AKIDONE => $PAIR{AKIDONE} });
works 'a session is stored with the keys of a file';
write_file(plain => keys_of('AKIDTWO'));
mode(keys => \%PAIR);
sleep 7;   # it is looked at every five seconds; whoever asked the table meanwhile would have the chain asked at once
mode(keys => { AKIDTWO => $PAIR{AKIDTWO} });
calls_are { request() } ['GetItem'], 'some seconds after the file has changed others are used, and none refused before';
ends;

done;
