package SessionTestRun;

# A run of the tests, in two processes.
#
# The outer one is what t/TEST is called as. It copies t/ into the working directory, builds the helper module, hands
# all of it to an ordinary user if it is root, starts the table (table_proxy.py, which starts dynalite or leads to a
# DynamoDB that runs) on free ports, then runs the inner one and judges what is left: cores, and the error log.
#
# The inner one is Apache::TestRun (SessionTestRun::Inner): it writes the configuration, starts httpd, runs the tests and
# stops it.

use strict;
use warnings;

use Cwd ();
use Fcntl qw(:flock);
use File::Basename qw(dirname);
use File::Copy ();
use File::Find ();
use File::Path ();
use FindBin;
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();

use SessionTest::Log ();
use SessionTest::Tally ();
use SessionTest::BackendRecipe ();

my $ORDINARY_USER = 'www-data';
my @TABLES        = qw(app_session other_session);
my %KEY           = (id => 'AKIDHTTPDTEST', secret => 'httpd-test-secret-key');
my @PORTS         = qw(port h2c_port tls_port other_port bulk_port recipe_port app_port fpm_port uwsgi_port);

sub main {
    my($class, @argv) = @_;

    return SessionTestRun::Inner->main(@argv) if $ENV{MSD_TEST_INNER};
    my $self = $class->settings(@argv);
    chdir $self->{build} or die "t/TEST: $self->{build}: $!\n";
    return $self->status if $self->{only}{'-status'};
    return $self->finish_kept_run if $self->{only}{'-stop-httpd'} && !$self->{only}{'-start-httpd'};
    return $self->run_tests_again if $self->{only}{'-run-tests'} && !$self->{only}{'-start-httpd'};
    return $self->fresh_run;
}

# --- what is to be done -----------------------------------------------------------------------------------------------

sub settings {
    my($class, @argv) = @_;
    my $src   = Cwd::realpath("$FindBin::Bin/..");
    my $build = Cwd::realpath('.');
    my $self  = bless { src => $src, build => $build, argv => [], only => {} }, $class;

    while (@argv) {
        my $arg = shift @argv;
        if ($arg =~ /^--?module(?:=(.*))?$/) {
            $self->{module} = defined $1 ? $1 : shift @argv;
        }
        else {
            $self->{only}{$arg} = 1 if $arg =~ /^-(?:start-httpd|stop-httpd|run-tests|status)$/;
            push @{ $self->{argv} }, $arg;
        }
    }
    $self->{work}   = Cwd::abs_path($ENV{MSD_TEST_DIR} || "$build/_test") || "$build/_test";
    $self->{module} ||= $ENV{MOD_SESSION_DYNAMODB_SO} || "$build/.libs/mod_session_dynamodb.so";
    $self->{module} = Cwd::abs_path($self->{module}) || $self->{module};
    $self->{mpm}    = $ENV{MPM} || 'event';
    $self->{apxs}   = $ENV{APXS} || 'apxs';
    $self->{httpd}  = $ENV{HTTPD} || $class->httpd_of($self->{apxs});
    $self->{state}  = "$self->{work}/state.json";
    $self->{results} = "$self->{work}/results/$self->{mpm}";   # what each test file said, for build/owasp
    $self->{endpoint} = $ENV{DYNAMODB_ENDPOINT};
    # Under a sanitizer, say: all takes so many times as long. Tests that press time and machine go by it.
    $self->{slow}   = $ENV{MSD_TEST_SLOW} || 1;
    $self->{table_timeout} = 2 * $self->{slow} < 8 ? 2 * $self->{slow} : 8;   # seconds; 8 is the most there is
    return $self;
}

sub httpd_of {
    my($class, $apxs) = @_;
    chomp(my @found = map { scalar `$apxs -q $_` } qw(SBINDIR PROGNAME));
    return join '/', @found if @found == 2 && -x join '/', @found;
    return '/usr/sbin/apache2';
}

# A name that is given is the only one: whoever names a program that is not there means to have none.
sub find_dynalite {
    my $self = shift;
    my $named = $ENV{DYNALITE} // '';
    for (length $named ? $named : map { "$_/node_modules/.bin/dynalite" } @$self{qw(src build)}) {
        return Cwd::abs_path($_) if -e;
    }
    return if $self->{endpoint};
    die "t/TEST: DYNALITE: there is no $named\n" if length $named;
    die "t/TEST: dynalite is missing: run npm ci in $self->{src}, name the program in DYNALITE, or the URL of a DynamoDB"
        . " in DYNAMODB_ENDPOINT\n";
}

# --- a whole run ------------------------------------------------------------------------------------------------------

sub fresh_run {
    my $self = shift;

    $self->{dynalite} = $self->find_dynalite;
    -e $self->{module} or die "t/TEST: no module $self->{module}: run make, or name it with --module\n";
    $self->{mpm} =~ /^(?:event|worker|prefork)$/ or die "t/TEST: MPM=$self->{mpm}: must be event, worker or prefork\n";
    File::Path::make_path($self->{work});
    $self->lock;
    File::Path::remove_tree($self->{results});
    File::Path::make_path($self->{results});
    $self->stage;
    $self->build_helper_module;
    $self->hand_over if $> == 0;
    $self->{ports} = { free_ports(@PORTS) };
    $self->start_table;
    my $failed = $self->inner;
    return $failed if $self->{only}{'-start-httpd'} && !$self->{only}{'-stop-httpd'};
    $self->stop_table;
    return $self->judge($failed);
}

# Another run in the same directory would pull the ground from under this one.
sub lock {
    my $self = shift;
    open $self->{lock}, '>>', "$self->{work}/lock" or die "t/TEST: $self->{work}/lock: $!\n";
    flock $self->{lock}, LOCK_EX | LOCK_NB
        or die "t/TEST: another run uses $self->{work}: wait for it, or name another directory in MSD_TEST_DIR\n";
    if (my $state = $self->load_state) {
        die "t/TEST: httpd of an earlier -start-httpd still runs: perl t/TEST -stop-httpd\n" if $self->httpd_pid;
        kill TERM => $state->{pid} if $state->{stay} && is_ours($state->{pid}, 'table_proxy');
        unlink $self->{state};
    }
}

# The sources stay clean: tests run on a copy.
sub stage {
    my $self = shift;
    my $to   = "$self->{work}/t";

    File::Path::remove_tree($to);
    File::Find::find({ no_chdir => 1, wanted => sub {
        my $name = substr $_, length "$self->{src}/t";
        return $File::Find::prune = 1 if $name eq '/soak' && !$ENV{MSD_TEST_SOAK};
        return $File::Find::prune = 1 if $name =~ m{^/(?:unit|fuzz|bench|sanitize)$|/(?:\.libs|\.deps|__pycache__)$};
        return File::Path::make_path($to . $name) if -d;
        return if $name =~ /\.(?:o|lo|la|slo|log|trs)$/;
        copy_file($_, $to . $name);
    } }, "$self->{src}/t");
    File::Path::make_path("$to/logs", "$to/state", "$to/conf");
    $self->write_recipes($to);
    write_file("$to/conf/more.conf", 0644, map { "$_\n" } split /;\s*/, $ENV{MSD_TEST_CONFIG} || '');
    $self->write_keys("$to/conf");
    $self->write_certificate("$to/conf");
    unlink glob "$self->{work}/core*";
}

sub copy_file {
    my($from, $to) = @_;
    my($mode, $accessed, $modified) = (stat $from)[2, 8, 9];
    File::Path::make_path(dirname $to);
    File::Copy::copy($from, $to) or die "t/TEST: can't copy $from to $to: $!\n";
    chmod $mode & 0777 | 0600, $to;
    utime $accessed, $modified, $to;
}

# Signing keys of the signed areas, oldest first. They count as secrets: no log may show them.
sub write_keys {
    my($self, $dir) = @_;
    my @keys = ('first-signing-key-of-the-httpd-tests-0123456789', 'second-signing-key-of-the-httpd-tests-987654321');
    my @forward = map { "$_-forward-key-of-the-httpd-tests-0123456789ab" } qw(old new);
    write_file("$dir/sid.keys",     0600, map { "$_\n" } @keys);
    write_file("$dir/sid.key.old",  0600, "$keys[0]\n");
    write_file("$dir/sid.key.other", 0600, "an-unknown-signing-key-of-the-httpd-tests-55555\n");
    write_file("$dir/forward.keys",     0600, map { "$_\n" } @forward);
    write_file("$dir/forward.key.old",  0600, "$forward[0]\n");
    my @seal = map { "$_-seal-key-of-the-httpd-tests-0123456789abcdefgh" } qw(first second);
    copy_file("$self->{src}/conf/session-dynamodb-hardened.conf", "$dir/hardened.conf");
    write_file("$dir/../$_.key", 0600, "$_-key-of-the-strictest-settings-of-the-httpd-tests\n") for qw(session seal event);
    write_file("$dir/seal.key.first",  0600, "$seal[0]\n");
    write_file("$dir/seal.key.second", 0600, "$seal[1]\n");
    my @user = map { "$_-key-of-the-lists-of-the-httpd-tests-0123456789abcdefgh" } qw(first second);
    write_file("$dir/user.key.first",  0600, "$user[0]\n");
    write_file("$dir/user.key.second", 0600, "$user[0]\n$user[1]\n");
    write_file("$self->{work}/t/logs/secrets", 0644, map { "$_\n" } @keys, @forward, @seal, @user,
        map({ "$_-key-of-the-strictest-settings-of-the-httpd-tests" } qw(session seal event)), $KEY{secret});
}

# The configurations that the recipes in docs/recipes/ print, as conf/recipe-NAME.conf; extra.conf.in includes them.
sub write_recipes {
    my($self, $t) = @_;
    for my $page (map { /(\w[\w-]*)\.md$/ } glob "$self->{src}/docs/recipes/*.md") {
        copy_file("$self->{src}/docs/recipes/$page.md", "$t/recipes/$page.md");
        my @conf = SessionTest::BackendRecipe::blocks("$t/recipes/$page.md", 'apache');
        write_file("$t/conf/recipe-$page.conf.in", 0644, @conf) if @conf;
    }
}

sub write_certificate {
    my($self, $dir) = @_;
    my $quiet = "$self->{work}/openssl.log";
    system("openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
           . " -keyout '$dir/tls.key' -out '$dir/tls.crt' >'$quiet' 2>&1") == 0
        or die "t/TEST: openssl can't make a certificate; see $quiet\n";
}

# t/modules/mod_test_session.c, outside of the copy: it need not be built for every run.
sub build_helper_module {
    my $self = shift;
    my $dir  = "$self->{work}/modules";
    my $so   = "$dir/.libs/mod_test_session.so";
    my @from = ("$self->{src}/t/modules/mod_test_session.c", "$self->{src}/mod_session_dynamodb.h");

    $self->{helper} = $so;
    return if -e $so && !grep { (stat $_)[9] > (stat $so)[9] } @from;
    File::Path::make_path($dir);
    copy_file($from[0], "$dir/mod_test_session.c");
    my $log = "$dir/build.log";
    system("cd '$dir' && '$self->{apxs}' -Wc,-Wall -Wc,-Wextra -I'$self->{src}' -c mod_test_session.c >'$log' 2>&1") == 0
        or die "t/TEST: building t/modules/mod_test_session.c failed:\n", slurp($log);
}

# httpd's parent must not be root here (Apache::Test does not want it, and a test module should not have such power).
sub hand_over {
    my $self = shift;
    my(undef, undef, $uid, $gid) = getpwnam $ORDINARY_USER
        or die "t/TEST: root can't run the tests, and there is no user $ORDINARY_USER: run them as another user\n";
    @$self{qw(uid gid)} = ($uid, $gid);
    system('chown', '-R', "$uid:$gid", $self->{work}) == 0 or die "t/TEST: can't give $self->{work} to $ORDINARY_USER\n";
    for my $path (@$self{qw(work module helper dynalite httpd)}, "$self->{work}/t/lib/table_proxy.py") {
        next if !defined $path;
        my $barrier = $self->barrier($path) or next;
        die "t/TEST: tests started by root run as $ORDINARY_USER, who can't get past $barrier on the way to $path.\n"
            . "Either chmod o+x $barrier, or build elsewhere, or run the tests as an ordinary user.\n";
    }
}

# The first directory on the way to path, or path itself, that the ordinary user can't pass.
sub barrier {
    my($self, $path) = @_;
    my $sofar = '';
    for my $part (grep { length } split m{/}, $path) {
        $sofar .= "/$part";
        my $test = -d $sofar ? '-x' : '-r';
        $self->{passed}{$sofar} //= system($self->as_user('test', $test, $sofar)) == 0;
        return $sofar if !$self->{passed}{$sofar};
    }
    return;
}

sub as_user {
    my($self, @command) = @_;
    return @command unless defined $self->{uid};
    return ('setpriv', "--reuid=$self->{uid}", "--regid=$self->{gid}", '--clear-groups', '--', @command);
}

# --- the table --------------------------------------------------------------------------------------------------------

sub start_table {
    my $self  = shift;
    my $stay  = $self->{only}{'-start-httpd'} && !$self->{only}{'-stop-httpd'};
    my $logs  = "$self->{work}/t/logs";
    my $ready = "$self->{work}/t/state/table.json";
    my @command = $self->as_user(
        "$self->{work}/t/lib/table_proxy.py", '--dynalite-log', "$logs/dynalite_log",
        $self->{endpoint} ? ('--upstream', $self->{endpoint}) : ('--dynalite', $self->{dynalite}),
        '--key', "$KEY{id}:$KEY{secret}", '--state', $ready, (map { ('--table', $_) } @TABLES), $stay ? '--stay' : (),
        split ' ', $ENV{TABLE_PROXY_OPTIONS} || '');

    pipe my $theirs, my $ours or die "t/TEST: pipe: $!\n";
    my $pid = fork;
    defined $pid or die "t/TEST: fork: $!\n";
    if (!$pid) {
        open STDIN,  '<&', $theirs;
        open STDOUT, '>>', "$logs/table_proxy_log";
        open STDERR, '>&', \*STDOUT;
        POSIX::setsid() if $stay;
        { exec @command }
        POSIX::_exit(127);
    }
    close $theirs;
    @$self{qw(table_pid leash)} = ($pid, $ours);   # the table ends when the last writer of its standard input is gone
    # Tables of AWS take their time.
    wait_for($self->{endpoint} ? 300 : 30, sub { -e $ready || waitpid($pid, POSIX::WNOHANG()) != 0 });
    -e $ready or die "t/TEST: the table does not start:\n", slurp("$logs/table_proxy_log"), slurp("$logs/dynalite_log");
    $self->{table} = JSON::PP::decode_json(slurp($ready));
    $self->save_state({ %{ $self->{table} }, stay => $stay ? 1 : 0 });
}

sub stop_table {
    my $self = shift;
    close delete $self->{leash} if $self->{leash};
    waitpid $self->{table_pid}, 0 if $self->{table_pid};
    unlink $self->{state};
}

# What tests, and a later t/TEST, have to know.
sub save_state {
    my($self, $table) = @_;
    my %state = (
        %$table, %{ $self->{ports} }, table => $table->{port}, port => $self->{ports}{port}, mpm => $self->{mpm},
        key_id => $KEY{id}, secret => $KEY{secret}, module => $self->{module}, helper => $self->{helper},
        httpd => $self->{httpd}, apxs => $self->{apxs}, src => $self->{src}, build => $self->{build},
        slow => $self->{slow}, not_first => $ENV{MSD_TEST_NOT_FIRST} ? 1 : 0, table_timeout => $self->{table_timeout},
        dynalite_program => $self->{dynalite}, endpoint => $self->{endpoint});
    write_file($self->{state}, 0644, JSON::PP->new->canonical->pretty->encode(\%state));
}

sub load_state {
    my $self = shift;
    return -e $self->{state} ? JSON::PP::decode_json(slurp($self->{state})) : undef;
}

# --- the inner process ------------------------------------------------------------------------------------------------

sub inner {
    my $self = shift;
    local %ENV = %ENV;

    delete @ENV{ grep { /^(?:AWS|APACHE_TEST|SESSION|HTTP)_/ } keys %ENV };
    @ENV{qw(AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION)} = ($KEY{id}, $KEY{secret}, 'us-east-1');
    @ENV{qw(AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE)} = ('/nonexistent/config', '/nonexistent/credentials');
    @ENV{qw(AWS_EC2_METADATA_DISABLED MSD_TEST_INNER MSD_TEST_STATE)} = ('true', 1, $self->{state});
    $ENV{HOME} = $self->{work};
    $ENV{PERL_TEST_HARNESS_DUMP_TAP} = $self->{results};
    # Apache::TestRun would raise the limit for cores itself, in a shell between it and us.
    $ENV{APACHE_TEST_ULIMIT_SET} = 1;
    my @command = $self->as_user('/bin/sh', '-c', 'ulimit -c unlimited; exec "$@"', 'sh', $^X, "$self->{work}/t/TEST",
                                 @{ $self->{argv} });
    my $pid = fork;
    defined $pid or die "t/TEST: fork: $!\n";
    if (!$pid) {
        { exec @command }
        POSIX::_exit(127);
    }
    # From the keyboard the inner process gets SIGINT as well; it stops httpd then, and we have to outlive it.
    local $SIG{INT} = sub { };
    local @SIG{qw(TERM HUP)} = (sub { kill INT => $pid }) x 2;
    until (waitpid($pid, 0) == $pid) { }
    return $? == 0 ? 0 : ($? >> 8) || 1;
}

sub run_tests_again {
    my $self  = shift;
    my $state = $self->load_state or die "t/TEST: no server is running: perl t/TEST -start-httpd\n";
    $self->identify;
    return $self->inner;
}

sub finish_kept_run {
    my $self   = shift;
    my $state  = $self->load_state or die "t/TEST: no server is running\n";
    $self->identify;
    my $failed = $self->inner;
    kill TERM => $state->{pid} if is_ours($state->{pid}, 'table_proxy');
    wait_for(10, sub { !is_ours($state->{pid}, 'table_proxy') });
    unlink $self->{state};
    $self->{kept} = 1;
    return $self->judge($failed);
}

sub identify {
    my $self = shift;
    (undef, undef, @$self{qw(uid gid)}) = getpwnam $ORDINARY_USER if $> == 0;
}

sub status {
    my $self  = shift;
    my $state = $self->load_state;
    print $state ? slurp($self->{state}) : "no server is running\n";
    return $state ? 0 : 1;
}

# --- what is left -----------------------------------------------------------------------------------------------------

# The verdict: 0 when tests ran, all of them passed, and nothing bad was left behind.
sub judge {
    my($self, $failed) = @_;
    my $t    = "$self->{work}/t";
    my @bad;

    push @bad, "httpd was still running and had to be stopped" if $self->stop_httpd;
    push @bad, "no test ran" unless $failed || $self->{kept} || -s "$t/logs/ran";
    push @bad, map { "core file: $_" } grep { m{/core(?:\.\d+)?$} } glob "$t/core* $t/logs/core* $self->{work}/core*";
    push @bad, SessionTest::Log::verdict($t);
    my $sum = SessionTest::Tally::sums($t, $self->{build});
    push @bad, "$sum->{sessions_lost} sessions lost" if $sum->{sessions_lost};
    print SessionTest::Tally::table($sum);
    print STDERR "t/TEST: $_\n" for @bad;
    print STDERR "t/TEST: see $t/logs/error_log\n" if @bad || $failed;
    return $failed || (@bad ? 1 : 0);
}

sub httpd_pid {
    my $self = shift;
    my $file = "$self->{work}/t/logs/httpd.pid";
    my($pid) = (-e $file ? slurp($file) : '') =~ /(\d+)/ or return 0;
    return is_ours($pid, $self->{work}) ? $pid : 0;
}

sub stop_httpd {
    my $self = shift;
    my $pid  = $self->httpd_pid or return 0;
    kill TERM => $pid;
    wait_for(20, sub { !$self->httpd_pid }) or kill KILL => $pid;
    return 1;
}

# --- small things -----------------------------------------------------------------------------------------------------

# A process number from a file may have been given to another program since.
sub is_ours {
    my($pid, $word) = @_;
    return 0 unless $pid && -r "/proc/$pid/cmdline";
    return index(slurp("/proc/$pid/cmdline"), $word) >= 0;
}

# Below the range from which systems give ports to connections: one of these could have it before httpd does.
sub free_ports {
    my @held;
    for (1 .. 100 * @_) {
        last if @held == @_;
        my $port = 20_000 + int rand 12_000;
        my $held = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 1, Proto => 'tcp') or next;
        push @held, $held;
    }
    @held == @_ or die "t/TEST: no free ports from 20000 to 31999\n";
    return map { $_ => (shift @held)->sockport } @_;
}

sub wait_for {
    my($seconds, $condition) = @_;
    for (1 .. $seconds * 20) {
        return 1 if $condition->();
        select undef, undef, undef, 0.05;
    }
    return 0;
}

sub slurp {
    my $file = shift;
    open my $in, '<:raw', $file or return '';
    local $/;
    my $text = <$in>;
    return defined $text ? $text : '';
}

sub write_file {
    my($file, $mode, @lines) = @_;
    open my $out, '>', "$file.new" or die "t/TEST: $file: $!\n";
    print $out @lines;
    close $out or die "t/TEST: $file: $!\n";
    chmod $mode, "$file.new";
    rename "$file.new", $file or die "t/TEST: $file: $!\n";
}

# ----------------------------------------------------------------------------------------------------------------------

package SessionTestRun::Inner;

our @ISA;

# Those of Debian's modules that the tests use; all others stay out.
my @MODULES = qw(authn_core authn_file authz_core authz_host authz_user auth_basic request session session_cookie
                 session_crypto session_dbd auth_form dbd alias dir env headers include log_config mime negotiation
                 rewrite setenvif actions deflate proxy proxy_http proxy_wstunnel proxy_fcgi proxy_uwsgi proxy_balancer
                 slotmem_shm lbmethod_byrequests socache_shmcb ssl status info
                 cache cache_disk remoteip);

sub main {
    my($class, @argv) = @_;
    my $state = JSON::PP::decode_json(SessionTestRun::slurp($ENV{MSD_TEST_STATE}));

    require Apache::TestRun;
    @ISA = ('Apache::TestRun');
    %Apache::TestConfig::Argv = (
        httpd => $state->{httpd}, apxs => $state->{apxs}, servername => '127.0.0.1', port => $state->{port},
        httpd_conf => Cwd::realpath(File::Basename::dirname($0)) . '/conf/base.conf',
        map { $_ => $state->{$_} } qw(h2c_port tls_port other_port bulk_port recipe_port app_port fpm_port uwsgi_port
                                        table table_timeout));
    $class->new(state => $state)->run(@argv);
    return 0;
}

# Nothing of the machine's own httpd configuration is read: these are all the modules there are.
sub pre_configure {
    my $self  = shift;
    my $state = $self->{state};
    my $file  = $Apache::TestConfig::Argv{httpd_conf};
    return if -e $file;
    chomp(my $dir = `$state->{apxs} -q LIBEXECDIR`);
    # mod_http2 warns that it does not work right under prefork.
    my @lines = ("mpm_$state->{mpm}", @MODULES, $state->{mpm} eq 'prefork' ? 'cgi' : qw(cgid http2));
    @lines = map { my $so = "$dir/mod_$_.so"; -e $so ? "LoadModule ${_}_module $so\n" : "# no mod_$_ here\n" } @lines;
    push @lines, "LoadModule session_dynamodb_module $state->{module}\n",
                 "LoadModule test_session_module $state->{helper}\n";
    SessionTestRun::write_file($file, 0644, @lines);
}

1;
