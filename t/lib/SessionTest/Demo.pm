package SessionTest::Demo;

# The demo, run as build/quickstart runs it, by demo/run: a table of its own, two httpd, a balancer.
#
#   my $demo = SessionTest::Demo->start;
#   get('/', port => $demo->port, host => $demo->host);
#   $demo->run('stop');
#
# Whatever becomes of the test, nothing is left running.

use strict;
use warnings;

use File::Temp ();
use SessionTest qw(setting);
use SessionTest::Log ();
use SessionTest::Recipe ();

my @STARTED;
END { my $status = $?; $_->run('stop') for @STARTED; $? = $status }

# Why there can be none here.
sub missing {
    return 'the demo needs a dynalite of its own' if !setting('dynalite_program');
    my $httpd = setting('httpd');
    my $apxs  = setting('apxs');
    chomp(my $modules = `$apxs -q LIBEXECDIR`);
    my @none = grep { !-e "$modules/mod_$_.so" } qw(mpm_event proxy_balancer lbmethod_byrequests slotmem_shm remoteip);
    return @none ? "this httpd has no @none as modules" : undef;
}

sub new {
    my $class = shift;
    # httpd's sockets are in there, and their paths may have 107 characters.
    my $dir  = File::Temp::tempdir('/tmp/demo-XXXXXX', CLEANUP => 1);
    my $self = bless { dir => "$dir/run", home => $dir, port => SessionTest::Recipe::free_port() }, $class;
    mkdir $self->{dir};
    push @STARTED, $self;
    return $self;
}

sub start {
    my $self = shift->new;
    $self->run('start') == 0 or die "the demo does not start:\n$self->{said}";
    return $self;
}

sub port { return $_[0]{port} }
sub host { return "localhost:$_[0]{port}" }
sub dir  { return $_[0]{dir} }
sub said { return $_[0]{said} }

# The exit status of demo/run COMMAND; what it says is in said.
sub run {
    my($self, $command, %env) = @_;
    my $said = "$self->{home}/said";
    my $status = do {
        local %ENV = (%ENV, $self->environment, %env);
        system "'" . setting('src') . "/demo/run' $command >'$said' 2>&1 </dev/null";
    };
    $self->{said} = SessionTest::Log::slurp($said);
    return $status;
}

sub environment {
    my $self = shift;
    return (BUILD => setting('build'), HTTPD => setting('httpd'), RUN => $self->{dir}, PORT => $self->{port},
            NODE_PATH => setting('dynalite_program') =~ s{/(?:\.bin|dynalite)/[^/]+$}{}r);
}

# The processes, by name: those that run and are the demo's.
sub processes {
    my $self = shift;
    my %found;
    for my $file (glob "$self->{dir}/*.pid") {
        my($pid) = SessionTest::Log::slurp($file) =~ /(\d+)/ or next;
        $found{ $file =~ m{([^/]+)\.pid$} ? $1 : '' } = $pid if _is_of($pid, $self->{dir});
    }
    return %found;
}

# All of them, children and whatever else has the directory in its command line.
sub all_processes {
    my $self = shift;
    return grep { _is_of($_, $self->{dir}) } map { m{(\d+)$} } glob '/proc/[0-9]*';
}

# The IPv4 addresses on which they listen, one for each port; IPv6 ones as /proc shows them.
sub addresses {
    my $self = shift;
    my %own  = map { ($_ => 1) } map { (readlink($_) // '') =~ /^socket:\[(\d+)\]$/ ? $1 : () }
        map { glob "/proc/$_/fd/*" } $self->all_processes;
    my %found;
    for my $line (map { split /\n/, SessionTest::Log::slurp("/proc/net/$_") } qw(tcp tcp6)) {
        # Number, address and port, the other side's, the state (0A: it listens), five more, the inode.
        my($address, $port, $inode) = $line =~ /^ *\d+: (\w+):(\w+) \w+:\w+ 0A (?:\S+ +){5}(\d+) / or next;
        next if !$own{$inode};
        $found{$port} = length $address == 8 ? join('.', reverse map { hex } $address =~ /../g) : $address;
    }
    return values %found;
}

sub _is_of { return index(SessionTest::Log::slurp("/proc/$_[0]/cmdline"), "$_[1]/") >= 0 }

1;
