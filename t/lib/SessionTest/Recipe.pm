package SessionTest::Recipe;

# A page of docs/recipes, run as it is printed. A paragraph `NAME`: before an indented block is a file; NAME httpd.conf is
# configuration. Paths below /srv/app become others, the files of languages/ are taken from the source, and "Modules:"
# says what is loaded; nothing else is changed.
#
#   my $app = SessionTest::Recipe->start('perl-cgi');     # an httpd of its own, the table of the tests
#   get('/app/visits.pl', port => $app->port);
#   $app->stop;                                           # and what its log held that expect_log did not announce

use strict;
use warnings;

use File::Basename ();
use File::Path ();
use File::Temp ();
use IO::Socket::INET ();
use POSIX ();

use SessionTest qw(setting eventually is);
use SessionTest::Log ();

our @RUNNING;
our $REST = 0.3;   # seconds between the last answer and the end
END { my $status = $?; $_->end for @RUNNING; $? = $status }

# The files of a page, name -> text; "modules" of it.
sub files {
    my($page) = @_;
    my $text = SessionTest::Log::slurp($page) or die "$page: $!";
    my %file;
    while ($text =~ /^`([^`\n]+)`:\n\n((?: {4}.*\n|\n+(?= {4}))+)/mg) {
        my($name, $block) = ($1, $2);
        $file{$name} = $block =~ s/^ {4}//gmr;
    }
    my($line) = $text =~ /^Modules: (.*?)\.\n/ms;
    $line =~ s/\(with[^)]*\)//g if defined $line;
    return (\%file, [ ($line // '') =~ /`(\w+)`/g ]);
}

sub page { return setting('src') . "/docs/recipes/$_[0].md" }

sub start {
    my($class, $name, %option) = @_;
    my $dir = File::Temp::tempdir('/tmp/recipe-XXXXXX', CLEANUP => 1);
    my($files, $modules) = files(page($name));
    my $self = bless { name => $name, dir => $dir, log => "$dir/error_log", port => free_port() }, $class;

    defined $files->{'httpd.conf'} or die "recipe $name has no httpd.conf\n";
    # For what a page says of a changed configuration: change => sub { s/// }, more => lines, modules => [names]; and files
    # that it does not print: also => { path => text }.
    $option{change}->() for $option{change} ? $files->{'httpd.conf'} : ();
    mkdir "$dir/$_" for qw(app app/run);
    %$files = (%$files, %{ $option{also} || {} });
    $self->write($_, $files->{$_}) for sort keys %$files;
    my $head = $self->head(@$modules, @{ $option{modules} || [] });
    open my $out, '>', "$dir/all.conf" or die "$dir/all.conf: $!";
    print $out $head, $self->here($files->{'httpd.conf'} . ($option{more} // ''));
    close $out;
    $self->launch;
    return $self->running;
}

# It ends with the test, whatever becomes of that.
sub running { my $self = shift; push @RUNNING, $self; return $self }

sub port { return $_[0]{port} }
sub dir  { return "$_[0]{dir}/app" }

sub here {
    my($self, $text) = @_;
    my $app = $self->dir;
    my $languages = setting('src') . '/languages';
    return $text =~ s{/srv/app\b}{$app}gr =~ s{/usr/local/share/mod_session_dynamodb\b}{$languages}gr;
}

sub write {
    my($self, $name, $text) = @_;
    return if $name !~ m{^/srv/app/};
    my $path = $self->here($name);
    File::Path::make_path(File::Basename::dirname($path));
    open my $out, '>:raw', $path or die "$path: $!";
    print $out $self->here($text);
    close $out;
    chmod $text =~ /^#!/ ? 0755 : $name =~ /\.keys$/ ? 0600 : 0644, $path;
}

# What a page takes for granted: an MPM, where to listen, the modules that it names.
sub head {
    my($self, @modules) = @_;
    my($mpm, $apxs, $dir) = (setting('mpm'), setting('apxs'), $self->{dir});
    my $own = grep { $_ eq 'cgid' } @modules;
    my $plain = SessionTest::Log::slurp(page($self->{name})) =~ /`cgid` \(with the prefork MPM `cgi`\)/;
    @modules = map { $_ eq 'cgid' && $plain && $mpm eq 'prefork' ? 'cgi' : $_ } @modules;
    chomp(my $lib = `$apxs -q LIBEXECDIR`);
    my $built_in = do { my $httpd = setting('httpd'); `$httpd -l` };
    @modules = grep { $built_in !~ /\bmod_$_\.c\b/ } @modules;
    return join '', map({ "LoadModule ${_}_module $lib/mod_$_.so\n" } "mpm_$mpm", 'authz_core', @modules),
        'LoadModule session_dynamodb_module ', setting('module'), "\n", <<END, $own && $plain ? <<SOCKET : '', <<MIME;
ServerRoot $dir
ServerName 127.0.0.1
Listen 127.0.0.1:$self->{port}
DefaultRuntimeDir $dir
PidFile $dir/pid
ErrorLog $self->{log}
LogLevel info
SessionDynamoDBEndpointURL http://127.0.0.1:@{[setting('table')]}
SessionDynamoDBCheckTable Off
SessionDynamoDBGuessLimit Off
SessionDynamoDBCreateLimit Off
END
<IfModule cgid_module>
ScriptSock $dir/cgid.sock
</IfModule>
SOCKET
<IfModule mime_module>
TypesConfig /dev/null
</IfModule>
MIME
}

sub launch {
    my $self = shift;
    $self->{pid} = fork // die "fork: $!";
    if (!$self->{pid}) {
        # A prefork httpd that ends does so with its whole process group, which is not to be ours.
        setpgrp;
        # Only what a page says may make a difference.
        delete @ENV{ grep { /^(?:AWS_REGION|AWS_DEFAULT_REGION)$/ } keys %ENV };
        open STDOUT, '>>', "$self->{dir}/said";
        open STDERR, '>&', \*STDOUT;
        { exec setting('httpd'), '-DFOREGROUND', '-f', "$self->{dir}/all.conf" }
        POSIX::_exit(127);
    }
    return if eventually(sub {
        waitpid($self->{pid}, POSIX::WNOHANG()) != 0
            || -s "$self->{dir}/pid" && IO::Socket::INET->new("127.0.0.1:$self->{port}");
    }, 20) && -s "$self->{dir}/pid";
    die "recipe $self->{name}: httpd does not start:\n", map { SessionTest::Log::slurp("$self->{dir}/$_") } qw(said error_log);
}

sub log_lines {
    my($self, $pattern) = @_;
    return grep { /$pattern/ } split /\n/, SessionTest::Log::slurp($self->{log});
}

# Ends httpd, and fails for lines in its log that none of the expressions meets, and for expressions that no line met.
sub stop {
    my($self, @expected) = @_;
    $self->end;
    my @lines = split /\n/, SessionTest::Log::slurp($self->{log});
    my @bad   = grep { my $line = $_; !grep { $line =~ $_ } @expected } SessionTest::Log::noteworthy(@lines);
    my @unmet = grep { my $pattern = $_; !grep { /$pattern/ } @lines } @expected;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is join("\n", @bad, @unmet), '', "$self->{name}: the log holds what was expected";
}

sub end {
    my $self = shift;
    my $pid = delete $self->{pid} or return;
    # httpd's threaded MPMs close the sockets of their workers when they are told to stop at once, also one that its
    # worker is just giving back, and die of it: the workers get time to be done.
    select undef, undef, undef, $REST;
    kill TERM => $pid;
    waitpid $pid, 0;
    @RUNNING = grep { $_ != $self } @RUNNING;
}

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "no free port: $!";
    return $socket->sockport;
}

1;
