# docs/troubleshooting.md: each mistake is made on a real httpd, the log line that the page prints is looked for, the
# command that makes sure is run, and the remedy applied, all as printed.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Log ();
use SessionTest::Machine ();
use SessionTest::Table ();
use SessionTest::Trouble;

same_under_every_mpm();

my $TABLE = SessionTest::Table->new({ map { $_ => setting($_) } qw(dynalite control) });
my $OURS  = join '', map { "$_\n" } '<Location "/app/">', 'Session On', 'SessionEnv On', 'SessionHeader X-Replace-Session',
    'SessionDynamoDB On', 'SessionDynamoDBUserKey None', '</Location>';
my %NO_KEYS = map { $_ => undef } qw(AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN);
my %CASE;
my $E;   # the entry

sub loads {
    my($sentence, $path) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $id = $E->session($path);
    ok $id, "$sentence: a session is stored" or return;
    note_secret($id);
    $E->ask('/app/show', cookies => [map { /^([^;]+)/ } res()->set_cookies]);
    is $E->shown, 'a=1', '... and comes back';
    return $id;
}
sub denied { fault(kind => 'error', op => $_, type => 'AccessDeniedException', count => 0, message =>
    "User: arn:aws:sts::123456789012:assumed-role/web/i-0abc is not authorized to perform: dynamodb:$_") for @_ }
sub fails {
    my($sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is $E->ask('/app/show?replace=a%3D1')->status, 503, $sentence;
}
sub hash_of { require Digest::SHA; return Digest::SHA::sha512_hex($_[0]) }

# What configtest tells, with the wrong lines and the right ones.
sub configtest {
    my(%option) = @_;
    $E->configure($E->wrong, %option);
    $E->configtest;
    $E->logged;
    $E->sure(qr/SessionDynamoDB/);
    $E->configure($E->{right} || $OURS, %option);
    unlike $E->configtest, qr/\Q@{[substr $E->{lines}[0] =~ s{ FILE.*}{}sr, 0, 40]}\E/, '... and no more with the remedy';
    return;
}

# --- a new session with each request ----------------------------------------------------------------------------------

$CASE{'A Secure cookie without TLS'} = sub {
    $E->begin('');
    $E->sure(qr/^Set-Cookie: id=.*; Secure/i);
    $E->logged;
    my $jar = "$E->{dir}/jar";
    my $twice = sub { my($scheme) = @_; $E->_run("curl -s -b $jar -c $jar $scheme://www.example.com/app/show?replace=a%3D1; "
        . "curl -s -b $jar -c $jar $scheme://www.example.com/app/show") =~ /\A.*HTTP_SESSION=.*HTTP_SESSION=(\S*)/s; $1 };
    is $twice->('http'), '', '... and a client that goes by the rules has no session';
    $E->begin($E->right);
    is_deeply [$E->ask('/app/show')->status, res()->header('Location')], [301, 'https://www.example.com/app/show'],
        'the remedy leads to TLS';
    is $twice->('https'), 'a=1', '... where there is one';
};
$CASE{'The cookie\'s path'} = sub { configtest(); $E->begin($E->right); loads('a path that covers') };
$CASE{'Session is Off'}     = sub { configtest(); $E->begin($E->right); loads('with Session On') };
$CASE{'Session is On and no store'} = sub {
    $E->begin($E->wrong);
    $E->ask('/app/show');
    $E->sure(qr/^0$/);
    $E->logged;
    $E->begin($E->right);
    loads('with a store');
};
$CASE{'Another store'} = sub { configtest() };
$CASE{'SameSite=None without Secure'} = sub {
    configtest();
    $E->begin($E->right);
    $E->session;
    like +(res()->set_cookies)[0], qr/; Secure; HttpOnly; SameSite=None$/, 'the remedy is a cookie that browsers take';
};
$CASE{'Two cookies of one name'} = sub {
    $E->begin('');
    my @ids = map { $E->session } 1 .. 2;
    $E->ask('/app/show', cookies => ["id=$ids[0]; id=$ids[1]"]);
    is $E->shown, '', 'two sessions are none';
    $E->logged;
    $E->sure(qr/^ *1 ignored the cookies named id \(2\)$/);
    $E->begin($E->right);
    my $new = $E->session;
    $E->ask('/app/show', cookies => ["id=$ids[0]; id=$ids[1]; __Host-id=$new"]);
    is $E->shown, 'a=1', 'with another name the old ones do not matter';
};
$CASE{'The application\'s own cookie'} = sub {
    $E->begin('');
    my $own = '/app/show?replace=a%3D1&header=Set-Cookie:id%3Dmine';
    is_deeply [grep { /mine/ } $E->ask($own)->set_cookies], [], 'the cookie of the application is dropped';
    $E->logged;
    $E->sure(qr/dropped id, which/);
    $E->begin($E->right);
    is_deeply [map { /^([^=]+)/ } $E->ask($own)->set_cookies], ['id', '__Host-httpd-session'], 'both are there with names of their own';
};

# --- programs and the session -----------------------------------------------------------------------------------------

$CASE{'No HTTP_SESSION'} = sub {
    $E->begin($E->wrong);
    $E->configtest;
    $E->logged;
    $E->sure(qr/^HTTP_SESSION=\(none\)$/m);
    my $id = $E->session;
    $E->ask('/app/show', cookie => $id);
    is $E->shown, '(none)', 'a program does not see its session';
    $E->begin($E->right);
    loads('with SessionEnv');
};
$CASE{'Changes are not stored'} = sub {
    $E->begin($E->wrong);
    $E->configtest;
    $E->logged;
    $E->sure(qr/^X-Replace-Session: a=1/mi);
    $E->begin($E->right);
    loads('with SessionHeader');
    is res()->header('X-Replace-Session'), undef, '... and the header stays inside';
};
$CASE{'A backend\'s changes are ignored'} = sub {
    # The backend is this httpd, in a place without sessions.
    my $cart = '/api/show?replace=cart%3D3';
    $E->begin($E->wrong);
    calls_are { $E->ask($cart) } [], 'a backend sets an entry: nothing is stored';
    $E->logged;
    $E->sure(qr/may not change the entry/);
    $E->begin($E->right);
    calls_are { $E->ask($cart) } ['PutItem'], 'an entry that it may change: it is';
};
$CASE{'HTTP_SESSION is empty in Require and RewriteRule'} = sub {
    my $place = $E->right =~ s/^ *Require.*\n//mr;
    $E->begin($place);
    my $id = $E->session('/app/show?replace=role%3Deditor');
    $E->begin($E->wrong);
    $E->sure(qr/^403$/);
    is $E->ask('/app/show', cookie => $id)->status, 403, 'an editor is refused';
    $E->begin($E->right);
    is $E->ask('/app/show', cookie => $id)->status, 200, '... and not with SessionDynamoDBEnv';
    is $E->ask('/app/show')->status, 403, '... unlike others';
};
$CASE{'REDIRECT_HTTP_SESSION'} = sub {
    my $error = qq(ErrorDocument 404 "/error/show"\n);
    $E->begin($error);
    my $id = $E->session;
    $E->sure(qr/^REDIRECT_HTTP_SESSION=a=1$/m, id => $id);
    $E->begin($error . $E->right);
    calls_are { $E->ask('/app/missing', cookie => $id) } ['GetItem'], 'as a part of the place it costs one read';
    is_deeply [res()->status, $E->shown], [404, 'a=1'], '... and has the session by its name';
};

$CASE{'A page breaks off after a form'} = sub {
    $E->begin("KeepAlive Off\n");
    # mod_cgi, which prefork has, talks by pipes.
    my $by_socket = setting('mpm') ne 'prefork';
    $E->sure($by_socket ? qr/^(?:18|52)$/ : qr/^0$/);
    $by_socket ? $E->logged : ($E->{met}{0} = 1);
    my $show = SessionTest::Log::slurp($E->here('/srv/app/show'));
    $E->file('/srv/app/show', 0755, $show =~ s/^use warnings;\n\K/$E->{code}/mr);
    $E->sure(qr/^0$/);
};

# --- logged out -------------------------------------------------------------------------------------------------------

$CASE{'Logged out after a visit to another site'} = sub {
    # What browsers do is in t/96-samesite.t; here, the cookie that did not come.
    $E->begin('');
    $E->sure(qr/^SameSite=Strict$/i);
    $E->ask('/app/show');
    $E->logged;
    $E->begin($E->right);
    $E->sure(qr/^SameSite=Lax$/i);
};
$CASE{'Logged out too early'} = sub {
    $E->begin($E->wrong);
    my $id = $E->session;
    age($id, 2);
    $E->ask('/app/show', cookie => $id);
    is $E->shown, '', 'the session is over';
    $E->logged;
    $E->sure(qr/^idle timeout\b.*\b1\b/mi, hash => hash_of($id));
    $E->begin($E->right);
    $id = loads('a longer one');
    age($id, 7000);
    $E->ask('/app/show', cookie => $id);
    is $E->shown, 'a=1', '... is alive after almost two hours';
};
$CASE{'Two servers, two sessions'} = sub {
    $E->file('/etc/apache2/session.key', 0600, 'x' x 40 . "\n");
    my $server = sub { $E->file('/etc/apache2/site.conf', 0644, $_[0]); $E->begin($_[0]) };
    $server->('');
    my $id = $E->session;
    $E->sure(qr/^$/);
    $server->("SessionDynamoDBTableName other_session\n");
    $E->ask('/app/show', cookie => $id);
    $E->logged(1);
    $E->sure(qr/^SessionDynamoDBTableName other_session$/);
    $server->("SessionDynamoDBSidKeys file:/etc/apache2/session.key\n");
    $E->ask('/app/show', cookie => $id);
    $E->logged(0);
    $E->sure(qr/^SessionDynamoDBSidKeys file:/);
    $server->('');
    $E->sure(qr/^$/);
    $E->ask('/app/show', cookie => $id);
    is $E->shown, 'a=1', 'with the same settings the session is there';
};
$CASE{'Lost after a restart'} = sub {
    my $seals = "SessionDynamoDBSealKeys file:/etc/apache2/seal.key\n";
    $E->file('/etc/apache2/seal.key', 0600, 'a' x 40 . "\n");
    $E->begin($seals);
    my $id = $E->session;
    $E->begin($seals);
    $E->ask('/app/show', cookie => $id);
    is $E->shown, 'a=1', 'a restart loses no session';
    $E->file('/etc/apache2/seal.key', 0600, 'b' x 40 . "\n");
    $E->begin($seals);
    $E->ask('/app/show', cookie => $id);
    is $E->shown, '', 'another key does';
    $E->logged(0);
    $E->sure(qr/no key opens it here/);
    $E->file('/etc/apache2/seal.key', 0600, 'a' x 40 . "\n");
    $E->apply;
    $E->begin($seals);
    $E->ask('/app/show', cookie => $id);
    is $E->shown, 'a=1', 'one at the end does not';
    $E->begin("SessionCryptoPassphrase first-passphrase\n");
    $id = $E->session;
    $E->begin("SessionCryptoPassphrase second-passphrase\n");
    $E->ask('/app/show', cookie => $id);
    $E->logged(1);
    $E->sure(qr/encrypted with another passphrase/);
};
$CASE{'The login form again and again'} = sub {
    my $recipe = (SessionTest::Recipe::files(SessionTest::Recipe::page('auth-form')))[0];
    $E->file('/srv/app/users', 0644, $recipe->{'/srv/app/users'});
    mkdir $E->here("/srv/app/$_") for 'members';
    $E->file('/srv/app/members/page.txt', 0644, 'for members');
    my $login = qq(<Location "/members/login">\nSetHandler form-login-handler\n)
        . qq(AuthFormLoginSuccessLocation "/members/page.txt"\n</Location>\n);
    my $enter = sub {
        $E->ask('/members/login', method => 'POST', headers => ['Content-Type', 'application/x-www-form-urlencoded'],
            body => 'httpd_username=alice&httpd_password=secret-of-alice');
        my($cookie) = map { /^(id=[^;]+)/ } res()->set_cookies;
        return $E->ask('/members/page.txt', cookies => [$cookie // 'id=none'])->status;
    };
    $E->begin($E->wrong . $login);
    $E->sure(qr/SessionDynamoDBMask members-pw/);
    $E->logged;
    is $enter->(), 302, 'after a login the page asks for another';
    $E->begin($E->right . $login);
    unlike $E->configtest, qr/SessionDynamoDBMask/, 'configtest has nothing to say of the remedy';
    is $enter->(), 200, '... which opens the page';
};

# --- 503 --------------------------------------------------------------------------------------------------------------

$CASE{'AccessDeniedException'} = sub {
    denied('PutItem');
    $E->begin('', check => 1);
    fails('a role without permission');
    $E->logged;
    $E->sure(qr/dynamodb:PutItem is not allowed/);
    like $E->apply, qr/"dynamodb:PutItem".*"arn:aws:dynamodb:us-east-1:123456789012:table\/app_session"/s, '... has the permission';
    clear_faults();
    loads('with permission');
};
$CASE{'No such table'} = sub {
    my $missing = "SessionDynamoDBTableName gone_session\n";
    my $as_here = sub { s/\bapp_session\b/gone_session/g for @{ $E->{lines} }, @{ $E->{commands} }, @{ $E->{remedy} } };
    $as_here->();
    $E->begin($missing, check => 1);
    fails('a table that is not there');
    $E->logged;
    $E->sure(qr/there is no table gone_session/);
    $E->apply;
    ok eventually(sub { $E->ask('/app/show?replace=a%3D1')->status == 200 }, 10), 'with the table sessions are stored';
    $TABLE->delete_table('gone_session');
};
$CASE{'The table is being created'} = sub {
    fault(kind => 'wrong_type', op => 'DescribeTable', count => 0, body => { Table => { TableStatus => 'CREATING',
        KeySchema => [{ AttributeName => 'id', KeyType => 'HASH' }],
        AttributeDefinitions => [{ AttributeName => 'id', AttributeType => 'S' }] } });
    $E->begin('', check => 1);
    $E->logged;
    $E->sure(qr/app_session is being created/);
    clear_faults();
    like $E->_run($E->{commands}[0]), qr/the table app_session is there/, 'then it is there';
};
$CASE{'A table with another key'} = sub {
    $TABLE->create_table('key_session', 'sid');
    s/\bapp_session\b/key_session/g for @{ $E->{lines} }, @{ $E->{commands} };
    $E->begin("SessionDynamoDBTableName key_session\n", check => 1);
    $E->logged;
    fails('a table of another program');
    $E->sure(qr/the key of the table is sid/);
    $E->apply;
    $E->begin($E->right);
    is $E->ask('/app/show?replace=a%3D1')->status, 200, 'the other table takes sessions';
    $TABLE->delete_table($_) for 'key_session', 'web_session';
};
$CASE{'No credentials'} = sub {
    my %without = (%NO_KEYS, AWS_EC2_METADATA_DISABLED => 'true', HOME => '/nonexistent');
    $E->begin('', environment => \%without);
    fails('without credentials');
    $E->logged;
    $E->sure(qr/no credentials found/);
    $E->file('/etc/apache2/aws-credentials', 0640, "[default]\naws_access_key_id = @{[setting('key_id')]}\n"
        . "aws_secret_access_key = @{[setting('secret')]}\n");
    $E->begin($E->right, environment => \%without);
    loads('a file');
};
$CASE{'A credentials file that httpd may not read'} = sub {
    my %without = (%NO_KEYS, AWS_EC2_METADATA_DISABLED => 'true');
    $E->file('/etc/apache2/aws-credentials', 0, "[default]\naws_access_key_id = @{[setting('key_id')]}\n"
        . "aws_secret_access_key = @{[setting('secret')]}\n");
    my $conf = qq(SessionDynamoDBCredentialsFile "/etc/apache2/aws-credentials"\n);
    $E->begin($conf, environment => \%without);
    fails('a file of somebody else');
    $E->logged;
    $E->sure(qr/Permission denied/);
    # The tests are not root, and have their own group to give it to.
    s/www-data/getgrgid($) + 0)/e for @{ $E->{remedy} };
    $E->apply;
    ok eventually(sub { $E->ask('/app/show?replace=a%3D1')->status == 200 }, 15), 'with the mode of the remedy it is read';
};
$CASE{'Keys that are refused'} = sub {
    fault(kind => 'error', op => 'PutItem', count => 0, type => 'UnrecognizedClientException',
        message => 'The security token included in the request is invalid.');
    $E->begin('');
    fails('a key that AWS does not know');
    $E->logged(0);
    clear_faults();
    $E->begin('', environment => { AWS_SECRET_ACCESS_KEY => 'another-secret-than-that-of-the-key' });
    fails('a secret of another key');
    $E->logged(1);
    $E->sure(qr/the signature was refused/, AWS_SECRET_ACCESS_KEY => 'another-secret-than-that-of-the-key');
    $E->begin('');
    loads('the right ones');
};
$CASE{'In a container on EC2'} = sub {
    my $metadata = SessionTest::Machine::metadata();
    $E->{metadata} = $metadata->('url');
    $metadata->(POST => 'fault', { on => 'token', do => 'hang', count => 0 });
    my @machine = (environment => { %NO_KEYS, HOME => '/nonexistent', AWS_EC2_METADATA_DISABLED => undef,
        AWS_EC2_METADATA_SERVICE_ENDPOINT => $metadata->('url') });
    $E->begin('', @machine);
    $E->logged;
    $E->sure(qr/^000$/);
    $metadata->(POST => 'reset');
    $metadata->(POST => 'set', { id => setting('key_id'), secret => setting('secret') });
    mode(keys => { setting('key_id') => { secret => setting('secret'), token => 'metadata-token' } });
    $E->sure(qr/^200$/);
    $E->begin('', @machine);
    loads('where the answer arrives');
    forget();
};
$CASE{'The clock'} = sub {
    $E->begin('');
    mode(clock_offset => 1200);
    loads('a clock that is wrong');
    $E->logged;
    $E->sure(qr/clock is \d+ s behind/);
    mode(clock_offset => 0);
    my($told) = SessionTest::Trouble::page() =~ /the log says `(this machine's clock is correct again)`/;
    ok eventually(sub { $E->session; $E->log_lines(qr/\Q$told\E/) }), '... and then right, as the page says';
};
$CASE{'The endpoint cannot be reached'} = sub {
    # Longer than a name may be, so that nobody is asked for it.
    $E->begin('', endpoint => 'http://' . 'x' x 64 . '.example');
    fails('a name that does not exist');
    $E->logged(0);
    my $nobody = 'http://127.0.0.1:' . SessionTest::Recipe::free_port();
    $E->begin('', endpoint => $nobody);
    fails('nobody there');
    $E->logged(1);
    local $E->{url} = $nobody;
    $E->sure(qr/^000$/m);
    $E->{url} = 'http://127.0.0.1:' . setting('table');
    fault(kind => 'hang', op => 'PutItem', count => 0);
    $E->begin("SessionDynamoDBTimeout 300ms\n");
    fails('no answer');
    $E->logged(2);
    clear_faults();
    $E->begin($E->right);
    loads('the URL of an endpoint');
};
$CASE{'A proxy in between'} = sub {
    my $page = "<html><h1>Forbidden</h1></html>";
    fault(kind => 'html', op => 'any', status => 403, count => 0);
    $E->begin('');
    fails('the page of a proxy');
    $E->logged;
    $E->sure(qr/and the body is not a DynamoDB error/);
    clear_faults();
    # A proxy that alone knows where dynamodb.example is.
    my $proxy = "<VirtualHost *:$E->{store}>\nServerName dynamodb.example\nProxyPreserveHost On\nProxyPass / $E->{url}/\n</VirtualHost>";
    $E->begin($E->right, store => $proxy, endpoint => 'http://dynamodb.example',
        environment => { HTTP_PROXY => 'http://127.0.0.1:1', HTTPS_PROXY => 'http://127.0.0.1:1', http_proxy => 'http://127.0.0.1:1' });
    loads('by the proxy');
};
$CASE{'SELinux'} = sub {
    $E->file("$E->{dir}/deny.c", 0600, <<'C');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
int connect(int s, const struct sockaddr *a, socklen_t l)
{
    int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");

    if (a->sa_family == AF_INET && ntohs(((const struct sockaddr_in *)a)->sin_port) == atoi(getenv("DENIED_PORT"))) {
        errno = EACCES;
        return -1;
    }
    return real(s, a, l);
}
C
    is system("cc -shared -fPIC -o $E->{dir}/deny.so $E->{dir}/deny.c -ldl"), 0, 'a connect that is denied';
    chmod 0755, "$E->{dir}/deny.so";
    $E->begin('', environment => { LD_PRELOAD => "$E->{dir}/deny.so", DENIED_PORT => setting('table') });
    fails('where the system denies it');
    $E->logged;
    $E->begin('');
    loads('where it does not');
};
$CASE{'Certificates'} = sub {
    my $tls = "<VirtualHost *:$E->{store}>\nSSLEngine On\nSSLCertificateFile $SessionTest::T/conf/tls.crt\n"
        . "SSLCertificateKeyFile $SessionTest::T/conf/tls.key\nProxyPreserveHost On\nProxyPass / $E->{url}/\n</VirtualHost>";
    my @endpoint = (store => $tls, endpoint => "https://127.0.0.1:$E->{store}");
    $E->begin('', @endpoint);
    fails('a certificate of an unknown authority');
    $E->logged;
    local $E->{url} = $endpoint[3];
    $E->file("$E->{dir}/bin/curl", 0755, "#!/bin/sh\nexec /usr/bin/curl \"\$@\"\n");
    $E->sure(qr/certificate/);
    $E->begin($E->right, @endpoint);
    loads('of a known one');
};
$CASE{'Throttling'} = sub {
    $E->begin('');
    fault(kind => 'throttle', op => 'any', count => 0);
    fails('a table that throttles');
    $E->logged;
    $E->sure(qr/^SessionDynamoDBThrottled: [1-9]/m);
    clear_faults();
    loads('a table that does not');
};
$CASE{'The circuit breaker'} = sub {
    $E->begin("SessionDynamoDBMaxAttempts 1\n");
    fault(kind => '500', op => 'any', count => 0);
    ok eventually(sub { $E->ask('/app/show?replace=a%3D1'); $E->log_lines(qr/not sent: circuit breaker/) }, 10), 'calls are given up';
    $E->logged;
    $E->sure(qr/could not be/);
    clear_faults();
    ok eventually(sub { $E->ask('/app/show?replace=a%3D1')->status == 200 }, 10), '... and sent again when there are answers';
};
$CASE{'The session is too large'} = sub {
    $E->begin($E->wrong);
    my $id = $E->session;
    is $E->ask('/app/show?replace=a%3D' . 'x' x 3000, cookie => $id)->status, 503, 'a session that grows too large';
    $E->logged;
    $E->sure(qr/^data \(bytes\): 3$/m, hash => hash_of($id));
    $E->begin($E->right);
    is $E->ask('/app/show?replace=a%3D' . 'x' x 3000, cookie => $id)->status, 200, '... and a compressed one';
};
$CASE{'Too many entries'} = sub {
    my $twelve = '/app/show?replace=' . join '%26', map { "e$_%3D1" } 1 .. 12;
    $E->begin($E->wrong);
    is $E->ask($twelve)->status, 503, 'too many entries';
    $E->logged;
    $E->sure(qr/^1$/);
    $E->begin($E->right);
    is $E->ask($twelve)->status, 200, '... are not too many';
};
$CASE{'503 just after a login'} = sub {
    $E->begin($OURS =~ s/UserKey None/UserKey user/r);
    my $old = $E->session;
    my($new) = map { /^id=([^;]+)/ } $E->ask('/app/show?replace=user%3Dalice', cookie => $old)->set_cookies;
    is $E->ask('/app/show?replace=a%3D2', cookie => $old)->status, 503, 'a change with the ID from before the login';
    ok res()->header('Retry-After'), '... is asked to come again';
    $E->logged;
    $E->sure(qr/^1$/);
    is $E->ask('/app/show?replace=a%3D2', cookie => $new)->status, 200, '... and does with the new one';
};

# --- 403, 429 and 500 -------------------------------------------------------------------------------------------------

$CASE{'Refused behind a balancer'} = sub {
    my @as_https = (headers => ['X-Forwarded-Proto', 'https']);
    $E->begin($E->wrong);
    $E->sure(qr/^403$/);
    $E->logged;
    $E->begin($E->right);
    $E->sure(qr/^200$/);
    is $E->ask('/app/show')->status, 403, '... and what came in clear stays out';
};
$CASE{'A form is refused'} = sub {
    $E->begin($E->wrong);
    my $id = $E->session;
    $E->sure(qr/^403$/, id => $id);
    $E->logged;
    $E->begin($E->right);
    $E->sure(qr/^200$/, id => $id);
};
$CASE{'All clients share one address'} = sub {
    my $from = sub { my($address) = @_; $E->ask('/app/show?replace=a%3D1', headers => ['X-Forwarded-For', $address])->status };
    $E->begin($E->wrong);
    is join(' ', map { $from->("192.0.2.$_") } 1 .. 3), '200 200 429', 'three clients, one limit';
    $E->logged;
    $E->sure(qr/^1$/);
    $E->begin($E->right);
    is join(' ', map { $from->("192.0.2.$_") } 1 .. 3), '200 200 200', '... and a limit for each';
    is join(' ', map { $from->('192.0.2.9') } 1 .. 3), '200 200 429', '... which counts';
};
$CASE{'In .htaccess'} = sub {
    mkdir $E->here("/srv/app/$_") for 'htdocs', 'htdocs/folder';
    $E->file('/srv/app/htdocs/folder/page.txt', 0644, 'a page');
    $E->file('/srv/app/htdocs/folder/.htaccess', 0644, "SessionDynamoDBCookieName folder\n");
    my $allow = qq(Alias "/files/" "/srv/app/htdocs/"\n<Directory "/srv/app/htdocs">\nAllowOverride AuthConfig\n</Directory>\n);
    $E->begin($allow);
    is $E->ask('/files/folder/page.txt')->status, 500, 'a directive that may not stand there';
    $E->logged;
    $E->sure(qr/^SessionDynamoDBCookieName not allowed here$/);
    unlink $E->here('/srv/app/htdocs/folder/.htaccess');
    $E->begin($allow . $E->right);
    is $E->ask('/files/folder/page.txt')->status, 200, '... may stand in the server\'s configuration';
};
$CASE{'A program called nph-'} = sub {
    $E->begin('');
    $E->sure(qr/^403$/);
    $E->logged;
    $E->apply;
    is $E->ask('/app/show2')->status, 200, 'under another name it is run';
};

# --- httpd does not start ---------------------------------------------------------------------------------------------

$CASE{'undefined symbol: session_module'} = sub {
    $E->configure("# no session\nSession On\n" =~ s/^Session On\n//mr, without => { session => 1, auth_form => 1,
        session_cookie => 1, session_crypto => 1 });
    $E->configtest;
    $E->logged;
    mkdir "$E->{dir}/etc/mods-enabled";
    $E->file('/etc/apache2/mods-enabled/session.load', 0644, 'LoadModule session_module mod_session.so');
    $E->sure(qr/session_module/);
    $E->configure('');
    like $E->configtest, qr/Syntax OK/, 'with mod_session it starts';
};
$CASE{'Invalid command \'SessionDynamoDB\''} = sub {
    $E->configure("<Location \"/app/\">\nSessionDynamoDB On\n</Location>\n", without => { session_dynamodb => 1 });
    $E->configtest;
    $E->logged;
    $E->configure("# nothing\n<Location \"/app/\">\nSession On\n</Location>\n", without => { session_dynamodb => 1 });
    $E->sure(qr/^0$/);
    $E->begin('');
    $E->sure(qr/^1$/);
};
$CASE{'No region'} = sub {
    $E->configure('', region => '');
    $E->sure(qr/no region is set/);
    $E->logged;
    $E->configure($E->right, region => '');
    like $E->configtest, qr/Syntax OK/, 'with a region it starts';
};
$CASE{'A key file that others can read'} = sub {
    $E->file('/etc/apache2/session.key', 0644, 'k' x 40 . "\n");
    $E->configure($E->wrong);
    $E->configtest;
    $E->logged;
    $E->sure(qr/^-rw-r--r--/);
    $E->apply;
    like $E->configtest, qr/Syntax OK/, 'with the mode of the remedy it starts';
};

# --- the table --------------------------------------------------------------------------------------------------------

$CASE{'Rows stay'} = sub {
    $E->begin('', check => 1);
    # dynalite has no time to live, and says so by other words.
    fault(kind => 'wrong_type', op => 'DescribeTimeToLive', count => 0, body => { TimeToLiveDescription => { TimeToLiveStatus => 'DISABLED' } });
    $E->begin('', check => 1);
    $E->logged;
    $E->sure(qr/time to live is off/);
    clear_faults();
    my $id = $E->session;
    my $living = $E->session;
    change_row($id, sub { $_[0]{expires}{N} = time() - 1000 });
    $E->apply;
    is row(key_of($id)), undef, 'the row of an ended session goes';
    ok row(key_of($living)), '... and no other';
};

my %only = map { $_ => 1 } split /;/, $ENV{ENTRIES} // '';
my @titles = SessionTest::Trouble::titles();
is_deeply [sort @titles], [sort keys %CASE], 'each entry of the page is run, and no other';
my %anchor = map { (SessionTest::Trouble::anchor($_) => 0) } @titles;
my @strange;
for my $row (SessionTest::Trouble::table_rows()) {
    my($looked_for, $leads_to) = @$row;
    $anchor{$_}++ for @$leads_to;
    my $text = join '', map { SessionTest::Trouble->entry($_)->{text} } grep { my $at = SessionTest::Trouble::anchor($_);
        grep { $_ eq $at } @$leads_to } @titles;
    push @strange, grep { index(lc $text, lc) < 0 } $looked_for =~ /`([^`]+)`/g;
}
is join('; ', @strange), '', 'what the table has to look for is in the entry that it leads to';
is_deeply [grep { !$anchor{$_} } keys %anchor], [], 'each entry is in the table';
is scalar(keys %anchor), @titles, '... which leads to nothing else';
for my $title (@titles) {
    next if %only && !$only{$title};
    note $title;
    $E = SessionTest::Trouble->entry($title);
    eval { $CASE{$title}->(); 1 } or fail "$title: $@";
    $E->close;
    clear_faults();
}

done;
