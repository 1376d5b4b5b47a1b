package SessionTest::Machine;

# An httpd of its own on a machine of AWS: with the environment that the machine gives, and the services that hand out
# credentials there, scripted (metadata_server.py, sts_server.py).
#
#   my $metadata = SessionTest::Machine::metadata();
#   $metadata->(POST => 'set', { role => undef });
#   my $httpd = SessionTest::Machine->start(AWS_EC2_METADATA_SERVICE_ENDPOINT => $metadata->('url'));
#   get('/?set=a:1', port => $httpd->port);
#   $httpd->stop(qr/what its log holds/);

use strict;
use warnings;

use Digest::SHA ();
use File::Temp ();
use HTTP::Tiny ();
use IPC::Open2 ();
use JSON::PP ();

use SessionTest qw(setting);
use SessionTest::Recipe ();

our @ISA = ('SessionTest::Recipe');

my @SERVERS;
END { my $status = $?; for (@SERVERS) { close $_->[1]; waitpid $_->[0], 0 } $? = $status }

sub metadata { return scripted('metadata_server.py') }

# The table knows the keys that it has given out.
sub sts { return scripted('sts_server.py', '--table', setting('control')) }

# A profile of SSO, as AWS's tools write it.
sub sso_profile {
    return <<'END';
[default]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Developer
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-west-1
END
}

# Where its token is in the home directory: the name is the SHA-1 of that of the session.
sub sso_token_file { return '.aws/sso/cache/' . Digest::SHA::sha1_hex('corp') . '.json' }

# A scripted server: a function of method and control, or 'url'.
sub scripted {
    my($program, @options) = @_;
    my $pid = IPC::Open2::open2(my $out, my $in, "$SessionTest::T/lib/$program", @options);
    push @SERVERS, [$pid, $in, $out];
    chomp(my $port = <$out> // die "$program does not start\n");
    my $url = "http://127.0.0.1:$port";
    return sub {
        my($method, $what, $spec) = @_;
        return $url if $method eq 'url';
        my $answer = HTTP::Tiny->new->request($method, "$url/-/$what",
            { content => JSON::PP::encode_json($spec || {}) });
        $answer->{success} or die "$program: $method $what: $answer->{status} $answer->{content}\n";
        return JSON::PP::decode_json($answer->{content});
    };
}

# One child process, so that what is fetched is fetched once, and from its start on.
sub start {
    my($class, %environment) = @_;
    my $dir  = File::Temp::tempdir('/tmp/machine-XXXXXX', CLEANUP => 1);
    my $self = bless { name => 'the machine', dir => $dir, log => "$dir/error_log",
                       port => SessionTest::Recipe::free_port() }, $class;
    open my $out, '>', "$dir/all.conf" or die "$dir/all.conf: $!";
    print $out $self->configuration;
    close $out;
    local %ENV = ((map { defined $ENV{$_} ? ($_ => $ENV{$_}) : () } qw(PATH LANG)), HOME => $dir,
                  %environment);
    $self->launch;
    return $self->running;
}

# prefork says once that its one child is all it may have.
sub stop {
    my($self, @expected) = @_;
    my $full = qr/AH00161: server reached MaxRequestWorkers/;
    $self->end;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return $self->SUPER::stop(@expected, $self->log_lines($full) ? $full : ());
}

sub configuration {
    my $self = shift;
    my($mpm, $apxs, $dir) = (setting('mpm'), setting('apxs'), $self->{dir});
    chomp(my $lib = `$apxs -q LIBEXECDIR`);
    my $one_child = $mpm eq 'prefork' ? "MinSpareServers 1\nMaxSpareServers 1\nMaxRequestWorkers 1\n"
        : "ServerLimit 1\nThreadsPerChild 8\nMinSpareThreads 1\nMaxSpareThreads 8\nMaxRequestWorkers 8\n";
    return join('', map { "LoadModule ${_}_module $lib/mod_$_.so\n" } "mpm_$mpm", qw(authz_core session))
        . 'LoadModule session_dynamodb_module ' . setting('module') . "\n"
        . 'LoadModule test_session_module ' . setting('helper') . "\n" . <<END;
ServerRoot $dir
ServerName 127.0.0.1
Listen 127.0.0.1:$self->{port}
DefaultRuntimeDir $dir
PidFile $dir/pid
ErrorLog $self->{log}
LogLevel info session_dynamodb:trace8
StartServers 1
${one_child}SessionDynamoDBEndpointURL http://127.0.0.1:@{[setting('table')]}
SessionDynamoDBCheckTable Off
SessionDynamoDBGuessLimit Off
SessionDynamoDBCreateLimit Off
SessionDynamoDBRegion us-east-1
SessionDynamoDBTimeout 8s
SetHandler test-session
Session On
SessionDynamoDB On
<Location /session-metrics>
SetHandler session-dynamodb-metrics
</Location>
END
}

1;
