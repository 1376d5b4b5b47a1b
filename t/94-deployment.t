# The recipes about where httpd runs: behind a balancer (alb.md), with credentials of each kind (credentials.md), and
# with the strictest settings introduced step by step (hardened.md), as the pages print them.

use strict;
use warnings;
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Log ();
use SessionTest::Machine;
use SessionTest::Recipe;
use SessionTest::Server;

same_under_every_mpm();

my $DIR = File::Temp::tempdir('/tmp/deployment-XXXXXX', CLEANUP => 1);
my $METADATA_SECRET = 'metadata-secret-of-this-test';

sub slurp { return SessionTest::Log::slurp($_[0]) }
sub file {
    my($name, $text, $mode) = @_;
    open my $out, '>', "$DIR/$name" or die "$DIR/$name: $!";
    print $out $text;
    close $out;
    chmod $mode // 0600, "$DIR/$name";
    return "$DIR/$name";
}
# A page's fenced blocks by what follows their language: name => text.
sub blocks { my $page = slurp(SessionTest::Recipe::page($_[0])); return { $page =~ /^```\w+ ([\w-]+)\n(.*?)^```$/msg } }

note 'alb.md';
{
    my $app = SessionTest::Recipe->start('alb', modules => ['mime'], change => sub {
        # The balancer of this test is on this machine, and its clients are those of X-Forwarded-For.
        s{10\.0\.0\.0/16}{127.0.0.0/8}g == 2 or die "alb.md: the balancer's network is not there twice\n";
    });
    my $from = sub {
        my($path, $client, @more) = @_;
        return get($path, port => $app->port, headers => ['X-Forwarded-For', $client, 'X-Forwarded-Proto', 'https',
            'X-Forwarded-Port', 443, 'User-Agent', 'test'], @more);
    };
    calls_are { $from->('/app/visits.pl', '192.0.2.1') } ['PutItem'], 'a visitor begins a session';
    is res()->body, "visits: 1, from 192.0.2.1\n", '... with an address of their own';
    my($id) = map { /^__Host-id=([^;]+); Path=\/; Secure; HttpOnly; SameSite=Strict$/ } res()->set_cookies;
    ok $id, '... and a cookie for TLS';
    note_secret($id);
    $from->('/app/visits.pl', '198.51.100.7, 192.0.2.1', cookies => ["__Host-id=$id"]);
    is res()->body, "visits: 2, from 192.0.2.1\n", 'what a client wrote in front of its address is not believed';
    for my $case (['no header', []], ['http', ['X-Forwarded-Proto', 'http']], ['two', ['X-Forwarded-Proto', 'https', 'X-Forwarded-Proto', 'http']]) {
        calls_are { get('/app/visits.pl', port => $app->port, headers => $case->[1], cookies => ["__Host-id=$id"]) } [],
            "$case->[0]: costs no call";
        is res()->status, 403, '... and is refused';
    }
    calls_are { get('/health', port => $app->port, headers => ['User-Agent', 'ELB-HealthChecker/2.0']) for 1 .. 3 } [],
        'health checks cost no call';
    is_deeply [res()->status, res()->body, res()->set_cookies], [200, "fine\n"], '... and begin no session';
    fault(kind => '500', op => 'any', count => 0);
    is get('/health', port => $app->port)->status, 200, '... and do not mind an outage of the table';
    clear_faults();
    my $head = `curl -si -H 'Connection: keep-alive' http://127.0.0.1:@{[$app->port]}/health`;
    like $head, qr/^Keep-Alive: timeout=75\b/mi, 'connections are kept for longer than the balancer keeps them';
    $app->stop(qr/refused a request for \S+ that did not come over TLS/);
    # With the network as it is printed, this machine is no balancer.
    $app = SessionTest::Recipe->start('alb', modules => ['mime']);
    is $from->('/app/visits.pl', '192.0.2.1')->status, 403, 'a header from elsewhere is not believed';
    $app->stop(qr/refused a request for \S+ that did not come over TLS/);
}

note 'credentials.md: instance, task and pod';
my $page = blocks('credentials');
my $metadata = SessionTest::Machine::metadata();
my $sts = SessionTest::Machine::sts();
# What the platforms' link-local addresses lead to: a connect in front of libc's.
my $redirect = file('redirect.c', <<'C');
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/socket.h>
int connect(int s, const struct sockaddr *a, socklen_t l)
{
    int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    struct sockaddr_in to = *(const struct sockaddr_in *)a;

    if (a->sa_family == AF_INET && (ntohl(to.sin_addr.s_addr) >> 16) == 0xa9fe) {
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(atoi(getenv("LINK_LOCAL_PORT")));
        return real(s, (struct sockaddr *)&to, sizeof(to));
    }
    return real(s, a, l);
}
C
is system("cc -shared -fPIC -o $DIR/redirect.so $redirect -ldl"), 0, 'link-local addresses lead here';
chmod 0755, $DIR, "$DIR/redirect.so";
my %LINK_LOCAL = (LD_PRELOAD => "$DIR/redirect.so", LINK_LOCAL_PORT => $metadata->('url') =~ s/.*://r);

# The variables of a block; paths are those of this test.
sub variables {
    my %is = $page->{ $_[0] } =~ /^(?:export )?(\w+)=(.*)$/mg;
    s{^/var/run/secrets/.*}{$DIR/token} for values %is;
    return %is;
}
sub asked { return join ' ', map { $_->{kind} } @{ $metadata->(GET => 'requests') } }
sub works {
    my($httpd, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    get('/?set=a:1', port => $httpd->port);
    is res()->status, 200, "$sentence: a session is stored";
    my $id = res()->cookie('id');
    ok $id && row(key_of($id)), '... in the table';
    $httpd->stop;
    return;
}
sub metadata_gives {
    my(%more) = @_;
    $metadata->(POST => 'reset');
    $metadata->(POST => 'set', { id => 'ASIAMETADATA', secret => $METADATA_SECRET, token => 'metadata-token-of-this-test', %more });
    mode(keys => { ASIAMETADATA => { secret => $METADATA_SECRET, token => 'metadata-token-of-this-test' } });
}
metadata_gives();
works(SessionTest::Machine->start(%LINK_LOCAL), 'an instance\'s role');
is asked(), 'token roles document', '... by version 2';
metadata_gives();
works(SessionTest::Machine->start(%LINK_LOCAL, variables('ecs')), 'a task\'s role');
is asked(), 'container', '... and the instance is not asked';
file('token', "pod-token\n");
metadata_gives(authorization => 'pod-token');
works(SessionTest::Machine->start(%LINK_LOCAL, variables('pod-identity')), 'Pod Identity');
is asked(), 'container', '... by its token';
my @STS = (AWS_ENDPOINT_URL_STS => $sts->('url'), AWS_ENDPOINT_URL_SSO => $sts->('url'), AWS_EC2_METADATA_DISABLED => 'true');
$sts->(POST => 'reset');
mode(keys => {});
file('token', 'web-identity-token');
works(SessionTest::Machine->start(@STS, variables('irsa')), 'IRSA');
is $sts->(GET => 'requests')->[0]{form}{RoleArn}, 'arn:aws:iam::123456789012:role/sessions', '... with the role of the page';

note 'credentials.md: files';
# An httpd that has the lines about files.
@SessionTest::WithFiles::ISA = ('SessionTest::Machine');
sub SessionTest::WithFiles::configuration {
    return SessionTest::Machine::configuration(@_) . $page->{files} =~ s{/etc/apache2/aws}{$DIR/aws}gr;
}
mkdir "$DIR/aws";
file('aws/credentials', $page->{keys} =~ s/AKIDEXAMPLE/AKIDSOURCE/r =~ s/secret-of-the-example/source-secret/r);
my $program = file('print-credentials', "#!/bin/sh\necho '" . JSON::PP::encode_json({ Version => 1, AccessKeyId => setting('key_id'),
    SecretAccessKey => setting('secret') }) . "'\n", 0700);
# The tests are not root, and have their own group to give files to.
my $group = getgrgid($) + 0);
my $mode = file('mode.sh', $page->{mode} =~ s{/etc/apache2/aws}{$DIR/aws}gr =~ s/www-data/$group/r);
for my $kind (qw(role process sso)) {
    $sts->(POST => 'reset');
    mode(keys => $kind eq 'process' ? { setting('key_id') => { secret => setting('secret') } } : {});
    file('aws/config', $page->{$kind} =~ s{/usr/local/bin/print-credentials}{$program}r);
    is system("sh -e $mode"), 0, "$kind: the modes of the page";
    is sprintf('%04o', (stat "$DIR/aws/config")[2] & 07777), '0640', '... are httpd\'s';
    mkdir "$DIR/home";
    if ($kind eq 'sso') {
        require File::Path;
        File::Path::make_path("$DIR/home/.aws/sso/cache");
        file('home/' . SessionTest::Machine::sso_token_file(), '{"accessToken": "sso-token", "expiresAt": "2099-01-01T00:00:00Z"}');
    }
    works(SessionTest::WithFiles->start(@STS, HOME => "$DIR/home"), $kind);
}
file('aws/config', "[default]\nregion = us-east-1\n");
{
    my %env = variables('envvars');
    s{^/etc/apache2/aws}{$DIR/aws} for values %env;
    is_deeply [sort keys %env], [qw(AWS_CONFIG_FILE AWS_REGION AWS_SHARED_CREDENTIALS_FILE)], 'the variables of envvars';
    file('aws/credentials', "[default]\naws_access_key_id = @{[setting('key_id')]}\naws_secret_access_key = @{[setting('secret')]}\n");
    mode(keys => { setting('key_id') => { secret => setting('secret') } });
    works(SessionTest::Machine->start(%env, AWS_EC2_METADATA_DISABLED => 'true'), 'files that the environment names');
}

note 'credentials.md: Debian\'s apache2ctl';
SKIP: {
    my($ctl, $envvars) = ($ENV{APACHE2CTL} // '/usr/sbin/apache2ctl', $ENV{APACHE2_ENVVARS} // '/etc/apache2/envvars');
    skip 'no apache2ctl of Debian\'s (package apache2; or name APACHE2CTL and APACHE2_ENVVARS)', 1
        if !-x $ctl || !-e $envvars;
    my $httpd = SessionTest::Machine->start(AWS_EC2_METADATA_DISABLED => 'true', AWS_ACCESS_KEY_ID => setting('key_id'),
        AWS_SECRET_ACCESS_KEY => setting('secret'));
    my $conf = slurp("$httpd->{dir}/all.conf") =~ s/^ServerRoot .*\n//mr =~ s/^SessionDynamoDBRegion .*\n//mr;
    $httpd->stop;
    mkdir "$DIR/etc";
    mkdir "$DIR/run";
    file('etc/envvars', slurp($envvars) =~ s{/var/(?:run|lock|log)/}{$DIR/run/}gr . $page->{envvars} =~ s{/etc/apache2/aws}{$DIR/aws}gr);
    file('etc/apache2.conf', "ServerRoot $DIR/etc\n$conf");
    my $do = sub { return system("env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin APACHE_CONFDIR=$DIR/etc APACHE_ULIMIT_MAX_FILES=true "
        . "AWS_EC2_METADATA_DISABLED=true APACHE_ARGUMENTS='-f $DIR/etc/apache2.conf' sh $ctl $_[0] >$DIR/said 2>&1") };
    is $do->('configtest'), 0, 'apache2ctl configtest has the region of envvars' or diag slurp("$DIR/said");
    is $do->('start'), 0, '... and starts' or diag slurp("$DIR/said");
    ok eventually(sub { -s "$httpd->{dir}/pid" && eval { get('/?set=a:1', port => $httpd->port)->status == 200 } }, 10),
        '... with the credentials of the files that envvars names' or diag slurp($httpd->{log});
    $do->('stop');
    ok eventually(sub { !-e "$httpd->{dir}/pid" }, 10), '... and stops';
}
forget();

note 'hardened.md';
{
    my $steps = blocks('hardened');
    my @steps = sort { $a <=> $b } grep { /^\d+$/ } keys %$steps;
    is "@steps", '1 2 3 4 5 6 7 8 9 10', 'ten steps';
    file("$_.key", $_ x 20 . "-key-of-the-steps\n") for qw(session seal event);
    # Directives: a later step's line takes the place of an earlier one's.
    my $lines_of = sub {
        my %is;
        for (map { /^(\w+) +(.*)$/mg ? [ /^\s*(\w+)\s+(.*?)\s*$/ ] : () } map { split /\n/ } @_) { $is{ $_->[0] } = $_->[1] }
        return \%is;
    };
    my $shipped = $lines_of->(grep { !/^\s*#/ } split /\n/, slurp(setting('src') . '/conf/session-dynamodb-hardened.conf'));
    is_deeply $lines_of->(map { $steps->{$_} } @steps), $shipped, 'together they are the file that is shipped';

    my @page = (headers => ['X-Forwarded-Proto', 'https', 'User-Agent', 'browser']);
    my($id, %session);
    for my $step (0 .. 10) {
        my $is = $lines_of->(map { $steps->{$_} } grep { $_ <= $step } @steps);
        s{file:(\w+\.key)}{file:$DIR/$1} for values %$is;
        my $server = SessionTest::Server->start(@SessionTest::Server::ONE_CHILD,
            # The test's httpd serves all places with sessions, and asks for TLS by a header.
            map({ "$_ $is->{$_}" } sort keys %$is), $step >= 2 ? q(SessionDynamoDBTLSWhen "%{HTTP:X-Forwarded-Proto} == 'https'") : (),
            split /\n/, $steps->{place});
        my @here = (port => $server->port, @page, cookie_name => $step >= 8 ? '__Host-id' : 'id');
        if (defined $id) {
            # Those of the step before, of which one was changed at each step.
            my $stays = $step != 8;
            my $found = get('/app/?get=user', @here, cookie => $id)->line('get user');
            is $found, $stays ? 'alice' : '(none)', "step $step: live sessions " . ($stays ? 'stay' : 'end, once');
            get('/app/?set=n:' . $step, @here, cookie => $id) if $stays;
        }
        if (!defined $id || $step == 8) {
            my($new) = map { /^(?:__Host-)?id=([^;]+)/ } get('/app/?set=user:alice', @here)->set_cookies;
            note_secret($id = $new);
        }
        is row(key_of($id))->{encoding}{S} // 'clear', $step >= 5 ? 'sealed' : 'clear', '... and are written ' . ($step >= 5 ? 'sealed' : 'in the clear');
        is get('/app/?get=user', port => $server->port, cookie => $id, cookie_name => $here[-1])->status, $step >= 2 ? 403 : 200,
            '... without TLS: ' . ($step >= 2 ? 'refused' : 'served');
        http(method => 'POST', path => '/app/', body => '', port => $server->port, cookie => $id, cookie_name => $here[-1],
            headers => [@{ $page[1] }, 'Sec-Fetch-Site', 'cross-site']);
        is res()->status, $step >= 6 ? 403 : 200, '... a form of another site: ' . ($step >= 6 ? 'refused' : 'served');
        if ($step == 0 || $step == 6 || $step == 7) {
            my @guesses = map { get('/app/?get=user', @here, cookie => ('A' x 42) . chr(65 + $_))->status } 1 .. 22;
            is $guesses[-1], $step == 7 ? 429 : 200, '... guesses: ' . ($step == 7 ? 'refused' : 'served');
        }
        is !!get('/app/?set=user:bob', @here)->header('Secure-Session-Registration'), $step == 10, '... new ones: ' . ($step == 10 ? 'can be bound' : 'as before');
        if ($step == 9) {
            my $sealed = row(key_of($id));
            change_row($id, sub { delete $_->{encoding}; $_->{data} = { B => MIME::Base64::encode_base64('user=root', '') } });
            is get('/app/?get=user', @here, cookie => $id)->line('get user'), '(none)', '... and a row that somebody wrote is no session';
            put_row($sealed);
        }
        # What the step refused, and no more.
        my @told = grep { $server->log_lines($_) } qr/that did not come over TLS/, qr/because another site's page may have sent it/,
            qr/unknown session IDs|guess/i, qr/is not sealed/, qr/refuses clients by their address, and \S+ at \S+ suggests a balancer/;
        $server->stop(@told);
    }
}

done;
