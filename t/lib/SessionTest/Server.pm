package SessionTest::Server;

# An httpd of its own with the test handler in /test/ and /touch/, for what would end the one of the tests:
#
#   my $server = SessionTest::Server->start('MaxConnectionsPerChild 3');      # lines of configuration
#   my $server = SessionTest::Server->start({ modules => ['alias'] }, ...);   # also module => FILE, instead of ours
#   my $server = SessionTest::Server->start(@SessionTest::Server::ONE_CHILD, ...);
#   kill WINCH => $server->pid;
#   $server->gone;                     # wait for its end; true when it came
#   $server->stop;                     # as SessionTest::Recipe's

use strict;
use warnings;

use File::Temp ();
use POSIX ();

use SessionTest qw(setting eventually);
use SessionTest::Recipe ();

our @ISA = ('SessionTest::Recipe');

# Lines for a server of one child: what a process knows is there for all requests.
our @ONE_CHILD = ('<IfModule !mpm_prefork_module>', 'StartServers 1', 'MaxSpareThreads 11', 'ServerLimit 1',
    'MaxRequestWorkers 10', '</IfModule>', '<IfModule mpm_prefork_module>', 'StartServers 1', 'MinSpareServers 1',
    'MaxSpareServers 1', 'MaxRequestWorkers 1', '</IfModule>');

# Two children of ten threads, or eight without; room for those that are about to end.
my $HOW_MANY = <<'END';
<IfModule mpm_prefork_module>
    StartServers        8
    MinSpareServers     8
    MaxSpareServers    16
    MaxRequestWorkers  64
</IfModule>
<IfModule !mpm_prefork_module>
    ServerLimit        16
    StartServers        2
    ThreadsPerChild    10
    MinSpareThreads     1
    MaxSpareThreads   160
    MaxRequestWorkers 160
</IfModule>
END

sub start {
    my($class, @lines) = @_;
    my $option = ref $lines[0] ? shift @lines : {};
    my $dir  = File::Temp::tempdir('/tmp/server-XXXXXX', CLEANUP => 1);
    my $self = bless { name => 'an httpd of its own', dir => $dir, log => "$dir/error_log",
                       port => SessionTest::Recipe::free_port() }, $class;
    my($apxs, $httpd) = (setting('apxs'), setting('httpd'));
    chomp(my $lib = `$apxs -q LIBEXECDIR`);
    my $built_in = `$httpd -l`;
    my @modules = map { "LoadModule ${_}_module $lib/mod_$_.so\n" }
        grep { $built_in !~ /\bmod_$_\.c\b|^\s*\Q$_\E\.c$/m } 'mpm_' . setting('mpm'), qw(authz_core session),
        @{ $option->{modules} || [] };

    open my $out, '>', "$dir/all.conf" or die "$dir/all.conf: $!";
    print $out @modules, map({ "$_\n" } 'LoadModule session_dynamodb_module ' . ($option->{module} || setting('module')),
        'LoadModule test_session_module ' . setting('helper'), "ServerRoot $dir", 'ServerName 127.0.0.1',
        "Listen 127.0.0.1:$self->{port}", "DefaultRuntimeDir $dir", "PidFile $dir/pid", "ErrorLog $self->{log}",
        'SessionDynamoDBEndpointURL http://127.0.0.1:' . setting('table'), 'SessionDynamoDBRegion us-east-1',
        'SessionDynamoDBTimeout ' . setting('table_timeout') . 's', 'SessionDynamoDB On', 'Session On',
        'SessionDynamoDBCheckTable Off', map { "SessionDynamoDB${_}Limit Off" } qw(Guess Create)), $HOW_MANY,
        map({ "$_\n" } @lines), <<'END';
<Location /test/>
    SetHandler test-session
</Location>
<Location /touch/>
    SetHandler test-session
    SessionDynamoDBTouchInterval 0
</Location>
END
    close $out;
    $self->launch;
    push @SessionTest::Recipe::RUNNING, $self;
    return $self;
}

sub pid { return $_[0]{pid} }

# Wait until the parent has ended by itself.
sub gone {
    my $self = shift;
    return 1 unless $self->{pid};
    eventually(sub { waitpid($self->{pid}, POSIX::WNOHANG()) != 0 }, 20) or return 0;
    delete $self->{pid};
    return 1;
}

1;
