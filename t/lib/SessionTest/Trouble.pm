package SessionTest::Trouble;

# docs/troubleshooting.md, entry by entry: what it prints is made, looked for in the log, run and applied on an httpd of
# its own, called www.example.com, with TLS on another port.
#
#   my $entry = SessionTest::Trouble->entry('Session is Off');
#   $entry->begin($entry->wrong);        # an httpd with these lines; the page's place around /app/, unless they have one
#   $entry->logged;                      # each line that the entry prints is in the log, or configtest says it
#   $entry->sure(qr/what its command prints/);
#   $entry->begin($entry->right);
#
# Only these are replaced: /srv/app, /etc/apache2, /var/log/apache2/error.log, ports, and the addresses of AWS.

use strict;
use warnings;

use File::Temp ();

use SessionTest qw(setting eventually ok is like get diag);
use SessionTest::Log ();
use SessionTest::Recipe ();

our @ISA = ('SessionTest::Recipe');

my $BASE = File::Temp::tempdir('/tmp/trouble-XXXXXX', CLEANUP => 1);
my $PAGE = SessionTest::Log::slurp(setting('src') . '/docs/troubleshooting.md');
my($PLACE) = $PAGE =~ /^```apache\n(<Location "\/app\/">\n.*?)^```$/ms or die "the page has no place\n";
# What the tests set, and readers have not.
my @PATHS = qw(AWS_SHARED_CREDENTIALS_FILE AWS_CONFIG_FILE AWS_REGION AWS_DEFAULT_REGION AWS_ENDPOINT_URL_DYNAMODB AWS_ENDPOINT_URL);
my $FOR_A_VALUE = qr/\b(?:FILE:LINE|LINE|N|HOST)\b/;

sub page { return $PAGE }
sub titles { return $PAGE =~ /^### (.*)$/mg }

# The rows of the table: [what is looked for, [anchors]].
sub table_rows {
    my($table) = $PAGE =~ /^\| --- \| --- \|\n(.*?)\n\n/ms;
    return map { [ $_->[1], [ $_->[2] =~ /\(#([^)]+)\)/g ] ] } grep { ($_->[2] // '') =~ /\S/ }
        map { [ split /\s*\|\s*/ ] } split /\n/, $table;
}

# As GitHub makes it of a heading.
sub anchor { my $title = lc $_[0]; $title =~ s/[^\w -]//g; return $title =~ tr/ /-/r }

# --- an entry ---------------------------------------------------------------------------------------------------------

sub entry {
    my($class, $title) = @_;
    my($text) = $PAGE =~ /^### \Q$title\E\n(.*?)(?=^##|\z)/ms or die "the page has no entry '$title'\n";
    my($before, $after) = split /\bRemedy\b|\bas remedy\b/, $text, 2;
    defined $after or die "the entry '$title' has no remedy\n";
    my $own  = _fenced($before);
    my $self = bless { name => $title, text => $text, dir => "$BASE/" . anchor($title), begun => 0, met => {}, log_text => '', said => '' }, $class;
    $self->{lines}    = $own->{log} || [];
    $self->{wrong}    = join '', @{ $own->{apache} || [] };
    $self->{commands} = $own->{sh} || [];
    my $remedy = _fenced($after);
    $self->{right}  = join '', @{ $remedy->{apache} || [] };
    $self->{remedy} = $remedy->{sh} || [];
    $self->{code}   = join '', @{ $remedy->{perl} || [] };
    mkdir $self->{dir};
    mkdir "$self->{dir}/$_" for qw(app etc bin);
    $self->{port}  = SessionTest::Recipe::free_port();
    $self->{tls}   = SessionTest::Recipe::free_port();
    $self->{store} = SessionTest::Recipe::free_port();   # the table, with TLS, or by a proxy
    $self->{url}   = 'http://127.0.0.1:' . setting('table');
    $self->_programs;
    return $self;
}

sub _fenced {
    my %found;
    my $text = shift;
    push @{ $found{$1} }, $2 while $text =~ /^```(\w+)\n(.*?)^```$/msg;
    return \%found;
}

sub wrong { return $_[0]{wrong} || die "$_[0]{name}: nothing wrong\n" }
sub right { return $_[0]{right} || die "$_[0]{name}: nothing right\n" }

sub here {
    my($self, $text) = @_;
    my %ours = ('/srv/app' => "$self->{dir}/app", '/etc/apache2' => "$self->{dir}/etc",
        '/var/log/apache2/error.log' => $self->log, '*:80>' => "*:$self->{port}>",
        'http://127.0.0.1:8000' => "http://127.0.0.1:$self->{port}", 'http://proxy.example:3128' => "http://127.0.0.1:$self->{store}",
        'https://vpce-0abc-1def.dynamodb.us-east-1.vpce.amazonaws.com' => $self->{url},
        'https://dynamodb.us-east-1.amazonaws.com' => $self->{url}, 'http://169.254.169.254' => $self->{metadata} || '',
        '/etc/ssl/certs/company-ca.pem' => "$SessionTest::T/conf/tls.crt");
    my $any = join '|', map { quotemeta } sort { length $b <=> length $a } keys %ours;
    return $text =~ s/($any)/$ours{$1}/gr;
}

sub file {
    my($self, $name, $mode, $text) = @_;
    my $path = $self->here($name);
    open my $out, '>', $path or die "$path: $!";
    print $out $text;
    close $out;
    chmod $mode, $path;
    return $path;
}

# The program of the page, and the commands that its readers have, told where things are here.
sub _programs {
    my $self = shift;
    my $show = SessionTest::Log::slurp("$SessionTest::T/cgi-bin/session.pl");
    $self->file("/srv/app/$_", 0755, $show) for qw(show nph-show);
    $self->file("$self->{dir}/bin/apachectl", 0755, <<"END");
#!/bin/sh
[ "\$1" = configtest ] && shift && set -- -t "\$@"
exec @{[setting('httpd')]} -f $self->{dir}/all.conf "\$@"
END
    $self->file("$self->{dir}/bin/curl", 0755, <<"END");
#!/bin/sh
exec /usr/bin/curl -k --connect-to www.example.com:80:127.0.0.1:$self->{port} \\
    --connect-to www.example.com:443:127.0.0.1:$self->{tls} "\$@"
END
    $self->file("$self->{dir}/bin/session-dynamodb", 0755, <<"END");
#!/bin/sh
AWS_EC2_METADATA_DISABLED=true AWS_ENDPOINT_URL_DYNAMODB=$self->{url}
export AWS_EC2_METADATA_DISABLED AWS_ENDPOINT_URL_DYNAMODB
exec @{[setting('build')]}/session-dynamodb "\$@"
END
}

# --- its httpd --------------------------------------------------------------------------------------------------------

my @MODULES = qw(authz_core session alias cgid authn_core authn_file authz_host authz_user auth_form request ssl remoteip
    rewrite headers proxy proxy_http session_cookie session_crypto status dir env);

# Write the configuration; option: check (the table at the start), region => '' for none, endpoint => URL.
sub configure {
    my($self, $lines, %option) = @_;
    my($mpm, $apxs, $httpd, $dir, $t) = ((map { setting($_) } qw(mpm apxs httpd)), $self->{dir}, $SessionTest::T);
    chomp(my $lib = `$apxs -q LIBEXECDIR`);
    my $built_in = `$httpd -l`;
    my @load = map { my $name = $_ eq 'cgid' && $mpm eq 'prefork' ? 'cgi' : $_; "LoadModule ${name}_module $lib/mod_$name.so\n" }
        grep { $built_in !~ /\bmod_$_\.c\b/ } "mpm_$mpm", grep { !$option{without}{$_} } @MODULES;
    push @load, 'LoadModule session_dynamodb_module ' . setting('module') . "\n" if !$option{without}{session_dynamodb};
    $lines = $PLACE . $lines if $lines !~ /^\s*Session(?:DynamoDB)? On$/m;
    $self->{log} = "$dir/error_log" . ++$self->{begun};
    unlink "$dir/pid";
    my $region = $option{region} // 'SessionDynamoDBRegion us-east-1';
    my $endpoint = $option{endpoint} // $self->{url};
    my $defaults = $option{without}{session_dynamodb} || $option{without}{session} ? '' : <<"END";
$region
@{[$lines =~ /^SessionDynamoDBEndpointURL/m ? '' : "SessionDynamoDBEndpointURL $endpoint"]}
SessionDynamoDBTimeout @{[setting('table_timeout')]}s
SessionDynamoDBCheckTable @{[$option{check} ? 'On' : 'Off']}
END
    $self->file("$dir/all.conf", 0644, join '', @load, <<"END", $defaults, $self->here($lines));
ServerRoot $dir
ServerName www.example.com
Listen 127.0.0.1:$self->{port}
Listen 127.0.0.1:$self->{tls}
Listen 127.0.0.1:$self->{store}
DefaultRuntimeDir $dir
PidFile $dir/pid
ErrorLog $self->{log}
LogLevel info @{[$option{without}{session_dynamodb} || $option{without}{session} ? '' : 'session_dynamodb:debug']}
TraceEnable Off
<IfModule cgid_module>
    ScriptSock $dir/cgid.sock
</IfModule>
<IfModule !mpm_prefork_module>
    StartServers 1
    ServerLimit 1
    ThreadsPerChild 8
    MinSpareThreads 1
    MaxSpareThreads 8
    MaxRequestWorkers 8
</IfModule>
DocumentRoot "$dir/app"
ScriptAlias "/app/" "$dir/app/"
ScriptAlias "/error/" "$dir/app/"
<VirtualHost *:$self->{tls}>
    ServerName www.example.com
    SSLEngine On
    SSLCertificateFile $t/conf/tls.crt
    SSLCertificateKeyFile $t/conf/tls.key
</VirtualHost>
@{[$option{store} // '']}
<Location "/server-status">
    SetHandler server-status
</Location>
END
    return $self;
}

sub begin {
    my($self, $lines, %option) = @_;
    $self->end if $self->{pid};
    $self->configure($lines, %option);
    # Only what a page says, or a test of it, may make a difference.
    local %ENV = (%ENV, HOME => '/nonexistent', %{ $option{environment} || {} });
    delete @ENV{ @PATHS, grep { !defined $ENV{$_} } keys %ENV };
    $self->launch;
    push @SessionTest::Recipe::RUNNING, $self;
    return $self;
}

sub log { return $_[0]{log} // '/nowhere' }

sub end {
    my $self = shift;
    # Nobody minds how it ends, and there are many.
    local $SessionTest::Recipe::REST = 0.05;
    $self->SUPER::end;
    $self->{log_text} .= SessionTest::Log::slurp($self->{log}) if defined $self->{log};
    return;
}

# A request to /app/, in clear unless told: answers as SessionTest::get's.
sub ask {
    my($self, $path, %more) = @_;
    return get($path, port => $self->port, host => 'www.example.com', %more);
}

# A stored session of this server's.
sub session {
    my($self, $path) = @_;
    my $answer = $self->ask($path // '/app/show?replace=a%3D1');
    my($id) = map { /^[^=]+=([^;]+)/ ? $1 : () } $answer->set_cookies;
    return $id;
}

# What the program of the last answer found in its session.
sub shown { return SessionTest::res()->line('HTTP_SESSION') }

# --- what the page prints ---------------------------------------------------------------------------------------------

sub configtest { my $self = shift; return $self->{said} = $self->_run('apachectl configtest') }

# A command of the page, with what the test gives it in the environment.
sub _run {
    my($self, $command, %environment) = @_;
    local %ENV = (%ENV, HOME => '/nonexistent', AWS_EC2_METADATA_DISABLED => 'true', PATH => "$self->{dir}/bin:$ENV{PATH}",
        %environment);
    delete @ENV{ @PATHS, grep { !defined $ENV{$_} } keys %ENV };
    $self->file("$self->{dir}/command", 0644, $self->here($command));
    my $said = `sh $self->{dir}/command 2>&1`;
    $self->{exit} = $? >> 8;
    return $said;
}

# Each line that the entry prints (or those with these numbers) was logged, or said by configtest.
sub logged {
    my($self, @numbers) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    for my $n (@numbers ? @numbers : 0 .. $#{ $self->{lines} }) {
        chomp(my $line = $self->here($self->{lines}[$n] // die "$self->{name}: no log line $n\n"));
        my $pattern = join '', map { /^$FOR_A_VALUE\z/ ? '\S+' : quotemeta } split /($FOR_A_VALUE)/, $line;
        $self->{met}{$n} = ok eventually(sub {
            ($self->{said} . $self->{log_text} . SessionTest::Log::slurp($self->log)) =~ /$pattern/;
        }), "$self->{name}: the line is as printed: " . substr $line, 0, 60
            or diag($self->{said}, SessionTest::Log::slurp($self->log));
    }
    return;
}

# The command that makes sure prints this.
sub sure {
    my($self, $expected, %environment) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    @{ $self->{commands} } or die "$self->{name}: no command\n";
    for my $command (@{ $self->{commands} }) {
        my $said = $self->_run($command, %environment);
        $self->{said} = $said if $command =~ /^apachectl configtest$/;
        like $said, $expected, "... and the command tells it";
    }
    return;
}

# The commands of the remedy, which have to succeed: what they print.
sub apply {
    my($self, %environment) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return join '', map {
        my $said = $self->_run($_, %environment);
        is $self->{exit}, 0, '... the remedy is applied' or diag $said;
        $said;
    } @{ $self->{remedy} };
}

# No line of it went without a look.
sub close {
    my $self = shift;
    $self->end if $self->{pid};
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is join(' ', grep { !$self->{met}{$_} } 0 .. $#{ $self->{lines} }), '', '... and all lines of the entry were seen';
    return;
}

1;
