# What configtest refuses, and what it says: file, line and remedy. And what settings mean once sections are merged.

use strict;
use warnings;
use File::Temp ();
use FindBin;
use POSIX ();
use lib "$FindBin::Bin/lib";
use SessionTest;

same_under_every_mpm();

my $DIR = File::Temp->newdir;
chomp(my $MODULES = do { my $apxs = setting('apxs'); `$apxs -q LIBEXECDIR` });

sub file {
    my($name, $mode, $text) = @_;
    open my $out, '>', "$DIR/$name" or die "$name: $!";
    print $out $text;
    close $out;
    chmod $mode, "$DIR/$name" or die "$name: $!";
    return "$DIR/$name";
}

# Exit status and messages of configtest with these lines, the first of them in line 10 of httpd.conf.
my %ENVIRONMENT = (AWS_REGION => 'us-east-1');
my %NOT_ON_EC2 = (AWS_EC2_METADATA_DISABLED => 'true');
our $MPM = setting('mpm');
sub configtest {
    my @lines = @_;
    my @load = map { "LoadModule ${_}_module $MODULES/mod_$_.so" } "mpm_$MPM", qw(authz_core session);
    my @head = ('# httpd.conf', @load, "LoadModule session_dynamodb_module " . setting('module'), "ServerRoot $DIR",
        'ServerName localhost', 'Listen 127.0.0.1:1', 'ErrorLog error_log');
    my $conf = file('httpd.conf', 0644, join '', map { "$_\n" } @head[0 .. 8], @lines);
    my $pid = open my $in, '-|';
    defined $pid or die "fork: $!";
    if (!$pid) {
        delete @ENV{grep { /^AWS_/ } keys %ENV};
        @ENV{keys %NOT_ON_EC2, keys %ENVIRONMENT} = (values %NOT_ON_EC2, values %ENVIRONMENT);
        open STDERR, '>&', \*STDOUT;
        exec setting('httpd'), '-t', '-f', $conf or die "httpd: $!";
    }
    local $/;
    my $said = <$in>;
    close $in;
    return ($? >> 8, $said);
}

sub accepted {
    my($name, @lines) = @_;
    my($status, $said) = configtest(@lines);
    is $status, 0, $name or diag $said;
    return $said;
}

# Refused, with a message that names the place and matches what is expected.
sub refused {
    my($name, $line, $expected, @lines) = @_;
    my($status, $said) = configtest(@lines);
    isnt $status, 0, "$name is refused";
    like $said, qr/httpd\.conf:$line\b|line $line of \Q$DIR\E\/httpd\.conf/, '... naming file and line';
    like $said, $expected, '... and what to do';
    return $said;
}

note 'Values';
accepted 'no directive of ours at all';
for my $case (
    ['SessionDynamoDBSidByteLength 15',        qr/16 to 128/],
    ['SessionDynamoDBSidByteLength 129',       qr/16 to 128/],
    ['SessionDynamoDBSidByteLength 32x',       qr/16 to 128/],
    ['SessionDynamoDBSidByteLength -32',       qr/16 to 128/],
    ['SessionDynamoDBSidByteLength 32 15',     qr/'15' is not a valid length.*16 to 128/],
    ['SessionDynamoDBSidByteLength',           qr/random bytes in new session IDs, and optionally/],
    ['SessionDynamoDBAudience "a b"',          qr/'a b' is not a label: use up to 64 letters/],
    ['SessionDynamoDBAudience ' . 'x' x 65,    qr/is not a label/],
    ['SessionDynamoDBIdleTimeout 0',           qr/whole seconds from 1/],
    ['SessionDynamoDBIdleTimeout -1',          qr/whole seconds from 1/],
    ['SessionDynamoDBIdleTimeout 500ms',       qr/whole seconds from 1/],
    ['SessionDynamoDBIdleTimeout soon',        qr/such as 1800, 30min or 2h/],
    ['SessionDynamoDBIdleTimeout 99999999999', qr/ten years/],
    ['SessionDynamoDBAbsoluteTimeout 0',       qr/whole seconds from 1/],
    ['SessionDynamoDBTouchInterval -1',        qr/whole seconds from 0/],
    ['SessionDynamoDBRenewInterval -1',        qr/whole seconds from 0/],
    ['SessionDynamoDBRenewGrace 500ms',        qr/whole seconds from 0/],
    ['SessionDynamoDBTimeout 50ms',            qr/from 100ms to 8s/],
    ['SessionDynamoDBTimeout 9s',              qr/from 100ms to 8s/],
    ['SessionDynamoDBConnectTimeout never',    qr/from 100ms to 8s/],
    ['SessionDynamoDBMaxAttempts 0',           qr/from 1 to 10/],
    ['SessionDynamoDBMaxAttempts 3.5',         qr/from 1 to 10/],
    ['SessionDynamoDBCAFile /nowhere/ca.pem',  qr/there is no file/],
    ['SessionDynamoDBProxy proxy:3128',        qr{use http:// or https://}],
    ['SessionDynamoDBProxy http://u:p@h:3128', qr/without user or path/],
    ['SessionDynamoDBProxy http://h/path',     qr/without user or path/],
    ['SessionDynamoDBWarmConnections -1',      qr/from 0 to 64/],
    ['SessionDynamoDBWarmConnections 65',      qr/from 0 to 64/],
    ['SessionDynamoDBBreaker 0',               qr/from 1 to 1000 nor Off/],
    ['SessionDynamoDBBreaker 1001',            qr/from 1 to 1000 nor Off/],
    ['SessionDynamoDBBreaker On',              qr/from 1 to 1000 nor Off/],
    ['SessionDynamoDBCache 0',                 qr/seconds from 1 to 30 nor Off alone/],
    ['SessionDynamoDBCache 31',                qr/seconds from 1 to 30 nor Off alone/],
    ['SessionDynamoDBCache 5s',                qr/seconds from 1 to 30 nor Off alone/],
    ['SessionDynamoDBCache Off shmcb',         qr/seconds from 1 to 30 nor Off alone/],
    ['SessionDynamoDBCache 5',                 qr/load mod_socache_shmcb, or name another/],
    ['SessionDynamoDBCache 5 memcache:localhost:11211', qr/no cache provider 'memcache': load mod_socache_memcache/],
    (map { my $limit = "SessionDynamoDB${_}Limit"; map { ["$limit $_", qr/: '\Q$_\E' is neither a number from 1 to 10000, a slash.*such as 20\/60 log, nor Off alone/] }
        '0/60 log', '20/0 log', '20/3601 log', '10001/60 log', '20/60', '20/60 block', '20 log', '20/60s log', '-1/60 log',
        '20/ log', '20//60 log', '+20/60 log', 'Off log', 'On', '99999999999999999999/60 deny' } qw(Guess Create)),
    ['SessionDynamoDBGuessLimit',              qr/takes 1-2 arguments/],
    ['SessionDynamoDBEventLog',                qr/takes one argument.*\|PROGRAM/],
    ['SessionDynamoDBEventLog "|"',            qr/'\|' is neither a file in a directory that exists nor "\|PROGRAM", error or None/],
    ['SessionDynamoDBEventLog "| "',           qr/is neither a file/],
    ['SessionDynamoDBEventLog nowhere/events', qr/'nowhere\/events' is neither a file in a directory that exists/],
    ['SessionDynamoDBEventLog /tmp',           qr/'\/tmp' is neither a file/],
    ['SessionDynamoDBEventLog a b',            qr/takes one argument/],
    ['SessionDynamoDBEventKeys',               qr/file:PATH/],
    ['SessionDynamoDBEventKeys secret-key',    qr/does not begin with file:/],
    ['SessionDynamoDBShareReads 5',            qr/On or Off/],
    ['SessionDynamoDBTableName ab',            qr/3 to 255/],
    ['SessionDynamoDBTableName my/table',      qr/3 to 255/],
    ['SessionDynamoDBRegion "EU West"',        qr/region/i],
    ['SessionDynamoDBRegion nowhere',          qr/region/i],
    ['SessionDynamoDBEndpointURL ftp://host',  qr/http/],
    ['SessionDynamoDBEndpointURL http://host/path', qr/path/],
    ['SessionDynamoDBEndpointURL http://user:pw@host', qr/user/],
    ['SessionDynamoDBCookieName "a b"',        qr/use letters, digits/],
    ['SessionDynamoDBCookieName "a=b"',        qr/use letters, digits/],
    ['SessionDynamoDBHeaderName "x:y"',        qr/use letters, digits/],
    (map { ["SessionDynamoDBHeaderName $_", qr/\Q$_\E is reserved.*choose another name/s] }
        qw(Content-Length Transfer-Encoding content_length Host Cookie Set-Cookie Location Status Connection Upgrade
           Authorization Accept If-Match Vary Range Date ETag Server TE Trailer Via Expect Session X-Session-Signature
           X-Replace-Session Proxy Sec-WebSocket-Key Depth X-Forwarded-For)),
    (map { ["SessionDynamoDBEnv a=$_", qr/\b$_ is reserved/] }
        qw(LD_PRELOAD LD_LIBRARY_PATH PATH REMOTE_USER PHP_VALUE PHPRC QUERY_STRING PERL5LIB PYTHONPATH BASH_ENV ENV IFS
           http_proxy no_proxy SCRIPT_FILENAME SERVER_NAME SSL_CLIENT_VERIFY HTTPS AWS_PROFILE HOME PATH_INFO
           REDIRECT_STATUS nokeepalive)),
    ['SessionDynamoDBCookiePath app',          qr/begin with '\/'/],
    ['SessionDynamoDBCookiePath "/a;b"',       qr/contain no/],
    ['SessionDynamoDBCookieDomain "a;b"',      qr/host name/],
    (map { ["SessionDynamoDBCookieName $_->[0]", qr/'\Q$_->[0]\E' begins with a prefix .*: write \Q$_->[1]\E$/m] }
        ['__HOST-id', '__Host-id'], ['__host-id', '__Host-id'], ['__secure-x', '__Secure-x'], ['__HTTP-id', '__Http-id'],
        ['__Host-http-id', '__Host-Http-id'], ['__host-HTTP-id', '__Host-Http-id']),
    ['SessionDynamoDBCookieName ' . 'x' x 3882, qr/x{70}\.\.\.' is too long: use up to 3881/],
    ['SessionDynamoDBCookiePath /' . 'x' x 1024, qr/is too long: browsers ignore more than 1024/],
    ['SessionDynamoDBCookieDomain ' . 'x' x 1025, qr/is too long: browsers ignore more than 1024/],
    ['SessionDynamoDBCookieSameSite Sometimes', qr/Strict, Lax or None/],
    ['SessionDynamoDBSidDigest MD5',           qr/SHA1 or SHA256/],
    ['SessionDynamoDBOnError ignore',          qr/deny or anonymous/],
    ['SessionDynamoDBNoStore always',          qr/loaded or changed/],
    ['SessionDynamoDBEnv',                     qr/KEY, KEY=NAME, or None/],
    ['SessionDynamoDBEnv role=HTTP_ROLE',      qr/HTTP_ROLE is reserved.*write KEY=NAME/],
    ['SessionDynamoDBEnv role=SESSION_DYNAMODB_NEW', qr/SESSION_DYNAMODB_NEW is reserved/],
    ['SessionDynamoDBEnv role=1ROLE',          qr/letters, digits and _/],
    ['SessionDynamoDBEnv role=',               qr/not KEY or KEY=NAME/],
    ['SessionDynamoDBEnv =ROLE',               qr/not KEY or KEY=NAME/],
    ['SessionDynamoDBEnv good expiry',         qr/'expiry' is not KEY/],
    ['SessionDynamoDBMask',                    qr/names of entries/],
    ['SessionDynamoDBFormat xml',              qr/use form or json/],
    ['SessionDynamoDBCompress On',             qr/neither Off nor a size from 1 to 400K/],
    ['SessionDynamoDBCompress 0',              qr/neither Off nor a size/],
    ['SessionDynamoDBCompress -1',             qr/neither Off nor a size/],
    ['SessionDynamoDBCompress 401K',           qr/neither Off nor a size/],
    ['SessionDynamoDBCompress 1.5K',           qr/neither Off nor a size/],
    ['SessionDynamoDBCompress 1KK',            qr/or K for KiB/],
    ['SessionDynamoDBMaxSize 1023',            qr/from 1K to 400K/],
    ['SessionDynamoDBMaxSize 409601',          qr/from 1K to 400K, the limit of DynamoDB/],
    ['SessionDynamoDBMaxSize 401K',            qr/from 1K to 400K/],
    ['SessionDynamoDBMaxSize 1M',              qr/bytes, or K for KiB/],
    ['SessionDynamoDBMaxSize 400KB',           qr/bytes, or K for KiB/],
    ['SessionDynamoDBMaxSize -400K',           qr/bytes, or K for KiB/],
    ['SessionDynamoDBMaxSize K',               qr/bytes, or K for KiB/],
    ['SessionDynamoDBMaxSize 0',               qr/from 1K/],
    ['SessionDynamoDBMaxSize 99999999999999999999', qr/to 400K/],
    ['SessionDynamoDBMaxSize 18014398509481985K', qr/to 400K/],
    ['SessionDynamoDBMaxEntries 0',            qr/not a number from 1 to 100000/],
    ['SessionDynamoDBMaxEntries 100001',       qr/not a number from 1/],
    ['SessionDynamoDBMaxEntries -1',           qr/not a number from 1/],
    ['SessionDynamoDBMaxEntries 1K',           qr/not a number from 1/],
    ['SessionDynamoDBMaxEntries None',         qr/not a number from 1/],
    ['SessionDynamoDBMaxEntries 99999999999999999999', qr/not a number from 1/],
    ['SessionDynamoDB Maybe',                  qr/On or Off/],
    ['SessionDynamoDBForward',                 qr/KEY or KEY=Header, or None/],
    ['SessionDynamoDBForward a.b',             qr/write KEY=Header with letters/],
    ['SessionDynamoDBForward "a b"',           qr/write KEY=Header with letters/],
    ['SessionDynamoDBForward user=X_User',     qr/letters,\s+digits and '-'/],
    ['SessionDynamoDBForward user=',           qr/does not give a valid header name/],
    ['SessionDynamoDBForward =X-User',         qr/does not give a valid header name/],
    ['SessionDynamoDBForward user=cookie',     qr/ is reserved, because/],
    ['SessionDynamoDBForward user=Host',       qr/ is reserved, because/],
    ['SessionDynamoDBForward user=Session',    qr/ is reserved, because/],
    (map { ["SessionDynamoDBForward a=$_", qr/\Q$_\E is reserved/] } qw(Authorization Content-Encoding
        content-type If-None-Match Transfer-Encoding X-Forwarded-For X-Replace-Session)),
    ['SessionDynamoDBForward signature',       qr/X-Session-signature is reserved/],
    ['SessionDynamoDBForward a_b a-b',         qr/X-Session-a-b is used twice/],
    ['SessionDynamoDBForward a=X-A b=x-a',     qr/x-a is used twice/],
    ['SessionDynamoDBForwardKeys',             qr/file:PATH/],
    ['SessionDynamoDBForwardKeys file:none',   qr/none/],
    ['SessionDynamoDBForwardAudience "a b"',   qr/'a b' is not a label: use up to 64 letters/],
    ['SessionDynamoDBForwardAudience a;b',     qr/is not a label/],
    ['SessionDynamoDBForwardAudience ' . 'x' x 65, qr/is not a label/],
    ['SessionDynamoDBForwardVersion 0',        qr/'0' is unknown: use 1 or 2/],
    ['SessionDynamoDBForwardVersion 3',        qr/use 1 or 2/],
    ['SessionDynamoDBForwardVersion v2',       qr/use 1 or 2/],
    ['SessionDynamoDBAccept',                  qr/names of entries, or \*, or None/],
    ['SessionDynamoDBUserKey',                 qr/needs the names of the entries that name the user, or None/],
    ['SessionDynamoDBUserKey *',               qr/'\*' is not the name of an entry/],
    ['SessionDynamoDBLogin forget',            qr/keep or drop/],
    ['SessionDynamoDBLogout drop',             qr/end or keep/],
    ['SessionDynamoDBProtectKeys',             qr/needs the names of entries, or None/],
    ['SessionDynamoDBSidKeys',                 qr/file:PATH/],
    ['SessionDynamoDBCredentialsFile missing', qr/there is no file/],
    ['SessionDynamoDBRequireTLS Sometimes',    qr/must be On or Off/],
    ['SessionDynamoDBBind',                    qr/takes 1-2 arguments, properties of the client .*: user-agent, address/],
    ['SessionDynamoDBBind user-agent',         qr/needs what to bind to and log, renew or deny; or None/],
    ['SessionDynamoDBBind agent log',          qr/'agent' is unknown: use user-agent, address/],
    ['SessionDynamoDBBind user-agent stop',    qr/'stop' is unknown: use log, renew or deny/],
    ['SessionDynamoDBBind user-agent/1,2 log', qr/'user-agent\/1,2' is unknown/],
    ['SessionDynamoDBBind address/24 log',     qr/'address\/24' is unknown/],
    ['SessionDynamoDBBind address/24,56x log', qr/'address\/24,56x' is unknown/],
    ['SessionDynamoDBBind address/7,56 log',   qr/such as address\/24,56/],
    ['SessionDynamoDBBind address/24,129 log', qr/8 to 32, 16 to 128/],
    ['SessionDynamoDBFetchMetadata yes',       qr/'yes' is unknown: use Off, On or strict/],
    ['SessionDynamoDBTLSWhen',                 qr/takes one argument, expression, in quotes/],
    ['SessionDynamoDBTLSWhen %{HTTPS} == 1',   qr/takes one argument, expression, in quotes/],
    ['SessionDynamoDBTLSWhen "%{HTTPS} ="',    qr/'%\{HTTPS\} =' is not a valid expression: syntax error/],
    ['SessionDynamoDBTLSWhen "%{NO_SUCH_VARIABLE} == 1"', qr/is not a valid expression: .*NO_SUCH_VARIABLE/],
    ['SessionDynamoDBTLSWhen "-R 10.0.0.0/8"', qr/is not a valid expression/],
    [q(SessionDynamoDBTLSWhen "-R 'nowhere'"), qr/is not a valid expression/],
    ['SessionDynamoDBConfigFile missing',      qr/there is no file/],
) {
    my($line, $expected) = @$case;
    refused $line, 10, $expected, $line;
}
for my $line ('SessionDynamoDBSidByteLength 16', 'SessionDynamoDBSidByteLength 64 32 16', 'SessionDynamoDBSidByteLength 128', 'SessionDynamoDBIdleTimeout 1',
              'SessionDynamoDBIdleTimeout 30min', 'SessionDynamoDBIdleTimeout 1h',
              'SessionDynamoDBTouchInterval 0', 'SessionDynamoDBTimeout 500ms', 'SessionDynamoDBRegion eu-central-1',
              'SessionDynamoDBRegion us-gov-west-1', 'SessionDynamoDBRegion local', 'SessionDynamoDBCookieDomain None',
              'SessionDynamoDBEndpointURL http://127.0.0.1:8000', 'SessionDynamoDBEndpointURL https://[::1]/',
              'SessionDynamoDBEnv role name=USER_NAME x-y', 'SessionDynamoDBEnv None', 'SessionDynamoDBMask a b',
              'SessionDynamoDBMask None',
              'SessionDynamoDBForward user user_id role=X-Role a.b=Y', 'SessionDynamoDBForward None',
              'SessionDynamoDBForwardAudience http://app.example:8000', 'SessionDynamoDBForwardAudience none',
              'SessionDynamoDBForwardAudience ' . 'x' x 64, 'SessionDynamoDBForwardVersion 1',
              'SessionDynamoDBForwardVersion 2',
              'SessionDynamoDBForward "two words=X-Two"', 'SessionDynamoDBAccept cart *', 'SessionDynamoDBAccept None', 'SessionDynamoDBUserKey user "two words"', 'SessionDynamoDBUserKey None',
              'SessionDynamoDBLogin drop', 'SessionDynamoDBLogout Keep', 'SessionDynamoDBProtectKeys role "two words"',
              'SessionDynamoDBCompress 1', 'SessionDynamoDBCompress 1K', 'SessionDynamoDBCompress 400k',
              'SessionDynamoDBCompress off', 'SessionDynamoDBMaxSize 1024', 'SessionDynamoDBMaxSize 1k', 'SessionDynamoDBMaxSize 400K',
              'SessionDynamoDBMaxSize 409600', 'SessionDynamoDBFormat form', 'SessionDynamoDBFormat JSON', 'SessionDynamoDBCookieName __Host-id',
              'SessionDynamoDBCookieName __Http-id', 'SessionDynamoDBCookieName __Host-Http-id',
              'SessionDynamoDBCookieName __Hostid', 'SessionDynamoDBCookieName ' . 'x' x 3881,
              'SessionDynamoDBCookiePath /' . 'x' x 1023, 'SessionDynamoDBCookieDomain ' . 'x' x 1024,
              'SessionDynamoDBSidDigest sha256') {
    accepted "$line is accepted", $line;
}

note 'Lists on several lines';
accepted 'what sessions are bound to', 'SessionDynamoDBBind user-agent log', 'SessionDynamoDBBind Address/8,128 Renew',
    'SessionDynamoDBBind tls-certificate deny', '<Location /app>', 'SessionDynamoDBBind None', '</Location>';
refused 'Bind None before others', 11, qr/one of them is None: remove that line/, 'SessionDynamoDBBind None',
    'SessionDynamoDBBind address log';
refused 'Bind None behind others', 11, qr/one of them is None: remove that line/, 'SessionDynamoDBBind address log',
    'SessionDynamoDBBind None';
refused 'Bind address twice', 11, qr/address stands twice in this section: remove one/, 'SessionDynamoDBBind address log',
    'SessionDynamoDBBind address/8,16 deny';
refused 'json, and new IDs for new clients', 11, qr/Bind can't renew IDs where SessionDynamoDBFormat is json.*log or deny/,
    'SessionDynamoDBFormat json', 'SessionDynamoDBBind user-agent renew';
for my $list (['Forward', 'a', 'b'], ['Accept', 'a', '*'], ['ProtectKeys', 'a', 'b'], ['UserKey', 'a', 'b'], ['Env', 'a', 'b'], ['Mask', 'a', 'b']) {
    my($directive, $one, $other) = ("SessionDynamoDB$list->[0]", @$list[1, 2]);
    accepted "$directive on two lines", "$directive $one", "$directive $other";
    refused "$directive None beside names", 10, qr/None must be the only argument/, "$directive $one None";
    refused "$directive None behind names", 11, qr/is None: remove that line/, "$directive $one", "$directive None";
    refused "$directive None before names", 11, qr/is None: remove that line/, "$directive None", "$directive $one";
    accepted "$directive None in an inner section", "$directive $one", '<Location /app>', "$directive None",
        '</Location>';
}
refused 'a variable for two entries', 10, qr/SESSION_ENTRY_x_y is used twice/, 'SessionDynamoDBEnv x.y x-y';
refused '... on two lines', 11, qr/NAME is used twice/, 'SessionDynamoDBEnv a=NAME', 'SessionDynamoDBEnv b=NAME';
refused 'a header on two lines', 11, qr/x-a is used twice/, 'SessionDynamoDBForward a=X-A',
    'SessionDynamoDBForward b=x-a';
for my $header (qw(X-Forwarded-User X-Remote-User Remote-User X-Accepts Contents)) {
    accepted "the header $header", "SessionDynamoDBForward user=$header", "SessionDynamoDBHeaderName x-$header";
}

note 'Settings that do not fit each other';
refused 'SameSite None without Secure', 11, qr/CookieSecure On, or SessionDynamoDBCookieSameSite/,
    'SessionDynamoDBCookieSecure Off', 'SessionDynamoDBCookieSameSite None';
refused '__Host- with a Domain', 11, qr/remove\s+SessionDynamoDBCookieDomain/,
    'SessionDynamoDBCookieName __Host-id', 'SessionDynamoDBCookieDomain example.com';
refused '__Host- with another path', 11, qr/CookiePath \//,
    'SessionDynamoDBCookieName __Host-id', 'SessionDynamoDBCookiePath /app';
refused '__Host- without Secure', 11, qr/CookieSecure On/,
    'SessionDynamoDBCookieName __Host-id', 'SessionDynamoDBCookieSecure Off';
refused '__Secure- without Secure', 11, qr/CookieSecure On/,
    'SessionDynamoDBCookieName __Secure-id', 'SessionDynamoDBCookieSecure Off';
for my $name ('__Http-id', '__Host-Http-id') {
    refused "$name without HttpOnly", 11, qr/CookieHttpOnly On/, "SessionDynamoDBCookieName $name",
        'SessionDynamoDBCookieHttpOnly Off';
    refused "$name without Secure", 11, qr/CookieSecure On/, "SessionDynamoDBCookieName $name",
        'SessionDynamoDBCookieSecure Off';
}
refused '__Host-Http- with a Domain', 11, qr/remove\s+SessionDynamoDBCookieDomain/,
    'SessionDynamoDBCookieName __Host-Http-id', 'SessionDynamoDBCookieDomain example.com';
accepted '__Http- with a Domain and a path', 'SessionDynamoDBCookieName __Http-id',
    'SessionDynamoDBCookieDomain example.com', 'SessionDynamoDBCookiePath /app';
{
    my $alone = qr/CookieName __Secure-id at $DIR\/httpd\.conf:10: .*Use __Host-/;
    like accepted('__Secure- without a Domain', 'SessionDynamoDBCookieName __Secure-id'), $alone, '... is told';
    unlike accepted('... with one', 'SessionDynamoDBCookieName __Secure-id', 'SessionDynamoDBCookieDomain example.com'),
        qr/__Secure-/, '... is not';
}
my($persistent, @days) = ('SessionDynamoDBCookiePersistent On', map { "SessionDynamoDBAbsoluteTimeout $_" } 34560000, 34560001);
accepted 'a cookie of 400 days', $persistent, $days[0];
refused 'a longer one', 10, qr/400 days at most.*shorten it, or set SessionDynamoDBCookiePersistent Off/, $persistent,
    $days[1];
accepted 'a longer session without one', $days[1], '<Location /app>', 'SessionDynamoDBUseHeader On', $persistent,
    '</Location>';
# Of the two the nearer end counts, as in dynamodb-session-flask: an absolute timeout alone needs no other setting.
accepted 'an absolute timeout below the idle one\'s default', 'SessionDynamoDBAbsoluteTimeout 3600';
accepted 'idle longer than absolute', 'SessionDynamoDBIdleTimeout 100', 'SessionDynamoDBAbsoluteTimeout 99';
refused 'a section that contradicts the server', 12, qr/CookieSecure On/,
    'SessionDynamoDBCookieSecure Off', '<Location /app>', '  SessionDynamoDBCookieSameSite None', '</Location>';
refused 'a virtual host that contradicts the server', 12, qr/remove\s+SessionDynamoDBCookieDomain/,
    'SessionDynamoDBCookieName __Host-id', '<VirtualHost *:1>', '  SessionDynamoDBCookieDomain example.com',
    '</VirtualHost>';
refused 'a forwarded header that carries the ID', 12, qr/use another name there or in SessionDynamoDBHeaderName/,
    'SessionDynamoDBUseHeader On', 'SessionDynamoDBHeaderName X-Token', 'SessionDynamoDBForward a=x-token';
refused 'json that is compressed', 11, qr/json can't be compressed.*SessionDynamoDBCompress Off/,
    'SessionDynamoDBCompress 1K', 'SessionDynamoDBFormat json';
accepted 'IDs that age', 'SessionDynamoDBRenewInterval 61', '<Location /app>', 'SessionDynamoDBRenewInterval 1h',
    'SessionDynamoDBRenewGrace 59min', '</Location>';
accepted 'IDs that do not age, with any grace', 'SessionDynamoDBRenewInterval 0', 'SessionDynamoDBRenewGrace 1h';
refused 'an interval as short as the grace', 10, qr/RenewInterval must be longer than SessionDynamoDBRenewGrace/,
    'SessionDynamoDBRenewInterval 60';
refused 'an interval in a section, a longer grace around it', 12, qr/RenewInterval must be longer/,
    'SessionDynamoDBRenewGrace 1h', '<Location /app>', 'SessionDynamoDBRenewInterval 30min', '</Location>';
refused 'json whose IDs age', 11, qr/RenewInterval can't be combined with SessionDynamoDBFormat json.*RenewInterval 0/,
    'SessionDynamoDBRenewInterval 1h', 'SessionDynamoDBFormat json';
refused 'json in a section, IDs that age around it', 12, qr/RenewInterval can't be combined.*RenewInterval 0/,
    'SessionDynamoDBRenewInterval 1h', '<Location /app>', 'SessionDynamoDBFormat json', '</Location>';
accepted 'json in a section whose IDs do not age', 'SessionDynamoDBRenewInterval 1h', '<Location /app>',
    'SessionDynamoDBFormat json', 'SessionDynamoDBRenewInterval 0', '</Location>';
refused 'json in a section, compression around it', 12, qr/json can't be compressed.*SessionDynamoDBCompress Off/,
    'SessionDynamoDBCompress 1K', '<Location /app>', 'SessionDynamoDBFormat json', '</Location>';
accepted 'json in a section that says Off', 'SessionDynamoDBCompress 1K', '<Location /app>', 'SessionDynamoDBFormat json',
    'SessionDynamoDBCompress Off', '</Location>';
refused 'an audience of IDs that are keys', 11, qr/needs SessionDynamoDBHashSid On/,
    'SessionDynamoDBHashSid Off', 'SessionDynamoDBAudience shop';
refused '... in a section', 12, qr/SessionDynamoDBAudience None/,
    'SessionDynamoDBAudience shop', '<Location /app>', 'SessionDynamoDBHashSid Off', '</Location>';
accepted '... where none is set', 'SessionDynamoDBAudience shop', '<Location /app>', 'SessionDynamoDBHashSid Off',
    'SessionDynamoDBAudience None', '</Location>';
accepted 'cookie settings do not matter to a header', 'SessionDynamoDBUseHeader On', 'SessionDynamoDBCookieSecure Off',
    'SessionDynamoDBCookieSameSite None';
accepted 'a section that mends what the server left open', 'SessionDynamoDBCookieDomain example.com',
    '<Location /app>', 'SessionDynamoDBCookieName __Host-id', 'SessionDynamoDBCookieDomain None', '</Location>';

note 'A cache';
{
    my $shmcb = "LoadModule socache_shmcb_module $MODULES/mod_socache_shmcb.so";
    accepted 'a cache', $shmcb, 'SessionDynamoDBCache 30';
    accepted '... with arguments', $shmcb, 'SessionDynamoDBCache 1 shmcb:sessions(1048576)';
    accepted '... and a mutex of its own', $shmcb, 'Mutex file:. session-dynamodb-cache', 'SessionDynamoDBCache 1';
    refused 'a size that the provider refuses', 11, qr/SessionDynamoDBCache: \w.*size/, $shmcb,
        'SessionDynamoDBCache 5 shmcb:sessions(1)';
    accepted 'none', 'SessionDynamoDBCache Off';
    like accepted('a cache and eventually consistent reads', $shmcb, 'SessionDynamoDBCache 5', '<Location /app>',
        'SessionDynamoDBConsistentRead Off', '</Location>'),
        qr/ConsistentRead Off at \S+httpd\.conf:13 has no effect with SessionDynamoDBCache/, '... which are none';
    for (['event', 0, 'which its threads share'], ['prefork', 1, 'where a process serves one request at a time']) {
        my($mpm, $warnings, $why) = @$_;
        local $MPM = $mpm;
        my $said = accepted "shared reads under $mpm", 'SessionDynamoDBShareReads On';
        is scalar(() = $said =~ /ShareReads On at \S+httpd\.conf:10 has no effect with this MPM/), $warnings, "... $why";
    }
}

note 'What can not be encrypted';
{
    my $crypto = "LoadModule session_crypto_module $MODULES/mod_session_crypto.so";
    my($json, $secret) = ('SessionDynamoDBFormat json', 'SessionCryptoPassphrase secret-passphrase');
    for my $case (['beside', 12, $crypto, '<Location /app>', $json, $secret, '</Location>'],
                  ['before', 13, $crypto, '<Location /app>', $secret, $json, '</Location>'],
                  ['around', 13, $crypto, $secret, '<Location /app>', $json, '</Location>'],
                  ['in the virtual host', 14, $crypto, '<VirtualHost *:1>', $secret, '<Location /app>', $json,
                   '</Location>', '</VirtualHost>'],
                  ['in the server, before a virtual host', 13, $crypto, $secret, '<VirtualHost *:1>', $json,
                   '</VirtualHost>']) {
        my($where, $at, @lines) = @$case;
        unlike refused("json with a passphrase $where", $at, qr/json can't be combined.*remove one of them/s, @lines),
            qr/secret-passphrase/, '... and the message does not repeat it';
    }
    accepted 'json in one place and a passphrase in another', $crypto, '<Location /app>', $json, '</Location>',
        '<Location /crypto>', $secret, '</Location>', '<VirtualHost *:1>', $secret, '</VirtualHost>';
    accepted 'form with a passphrase', $crypto, $secret, 'SessionDynamoDBFormat form';
}

note 'Another store in the same place';
{
    my $cookie = "LoadModule session_cookie_module $MODULES/mod_session_cookie.so";
    my($on, $off, $other) = ('SessionDynamoDB On', 'SessionDynamoDB Off', 'SessionCookieName old path=/');
    my $warned = qr/SessionCookieName\ \(at\ \S+httpd\.conf:(\d+)\)\ names\ another\ session\ store\ where
        \ SessionDynamoDB\ is\ On\ \(at\ \S+httpd\.conf:(\d+)\)/x;
    for my $case (['around', 11, 13, $other, '<Location /app>', $on, '</Location>'],
                  ['beside', 13, 12, '<Location /app>', $on, $other, '</Location>'],
                  ['within', 13, 11, $on, '<Location /app>', $other, '</Location>'],
                  ['in the same place, written twice', 15, 12, '<Location /app>', $on, '</Location>',
                   '<Location /app>', $other, '</Location>'],
                  ['in the server, for a virtual host', 11, 13, $other, '<VirtualHost *:1>', $on, '</VirtualHost>']) {
        my($where, $at, $on_at, @lines) = @$case;
        my $said = accepted("another store $where", $cookie, @lines);
        is_deeply [$said =~ $warned], [$at, $on_at], '... is warned of, with both places' or diag $said;
    }
    for my $case (['in another place', '<Location /app>', $on, '</Location>', '<Location /old>', $other, '</Location>'],
                  ['where we are off', $on, '<Location /old>', $off, $other, '</Location>'],
                  ['in another host', '<VirtualHost *:1>', $on, '</VirtualHost>', '<VirtualHost *:1>', 'ServerName b',
                   '<Location /old>', $other, '</Location>', '</VirtualHost>'],
                  ['without ours', $other, $off]) {
        my($where, @lines) = @$case;
        unlike accepted("another store $where", $cookie, @lines), qr/names another session store/,
            '... is nobody\'s business';
    }
}

note 'Devices';
{
    my $bound = 'SessionDynamoDBDeviceBound On';
    refused $_->[0], 10, $_->[1], $_->[0] for (
        ['SessionDynamoDBDeviceBound yes',         qr/'yes' is unknown: use Off, On or Require/],
        (map { ["SessionDynamoDBDevicePath $_",    qr{'\Q$_\E' is not a folder of this site: use letters.*such as /\.device-session/}] }
            qw(/ device/ /device http://a/ //a/ /a//b/ /a/../ /a/./b/ /a?b/ /a%20b/ /../a/)),
        (map { ["SessionDynamoDBDeviceLifetime $_", qr/'$_' is not a valid time: use whole seconds from 300 to 3600\. Browsers renew the proof six times/] }
            qw(299 3601 -1 500500ms soon)),
        (map { ["SessionDynamoDBDeviceWindow $_",  qr/'$_' is not a valid time: use whole seconds from 10 to 600/] } qw(9 601 -1 soon)),
    );
    accepted $_, $_ for map { "SessionDynamoDBDevice$_" } 'Bound require', 'Path /a.b/c-d_e~f/',
        'Lifetime 300', 'Lifetime 1h', 'Window 10', 'Window 10min';
    refused $_->[0], 11, $_->[1], $_->[0], $bound for (
        ['SessionDynamoDBUseHeader On',            qr/DeviceBound needs a cookie.*set SessionDynamoDBUseHeader Off here, or DeviceBound Off/],
        ['SessionDynamoDBCookieSecure Off',        qr/DeviceBound needs SessionDynamoDBCookieSecure On.*set it here, or DeviceBound Off/],
        ['SessionDynamoDBCookieDomain example.com', qr/DeviceBound can't be combined with SessionDynamoDBCookieDomain.*remove the Domain/],
        ['SessionDynamoDBHashSid Off',             qr/DeviceBound needs SessionDynamoDBHashSid On.*set it here/],
        ['SessionDynamoDBConsistentRead Off',      qr/DeviceBound needs SessionDynamoDBConsistentRead On.*set it here/],
        ['SessionDynamoDBFormat json',             qr/DeviceBound can't be combined with SessionDynamoDBFormat json.*or Format form/],
        ['SessionDynamoDBCookiePath /app',         qr{with the path /app to SessionDynamoDBDevicePath /\.device-session/: .*below /app, such as /app/\.device-session/}],
    );
    refused 'a folder beside the path of the cookie', 12, qr{with the path /app to SessionDynamoDBDevicePath /apple/: }, 'SessionDynamoDBCookiePath /app',
        'SessionDynamoDBDevicePath /apple/', $bound;
    accepted 'one below it', 'SessionDynamoDBCookiePath /app', 'SessionDynamoDBDevicePath /app/device/', $bound;
    refused 'a section that contradicts the server', 12, qr/CookieSecure On/, 'SessionDynamoDBCookieSecure Off', '<Location /app>', $bound, '</Location>';
    accepted 'a place that binds nothing, with any settings', 'SessionDynamoDBCookieSecure Off', '<Location /app>', 'SessionDynamoDBDeviceBound Off', '</Location>';

    my @on = ('Session On', 'SessionDynamoDB On', 'SessionDynamoDBUserKey None', 'SessionEnv On', 'SessionHeader X-Replace-Session');
    my $unanswered = qr{DeviceBound at \S+:(\d+) has no effect for (/\S*), because nothing answers browsers at SessionDynamoDBDevicePath (/\S+): .*such as \2/\.device-session/};
    my $told = sub { my($what, $expected, @lines) = @_; my @found = accepted($what, @lines) =~ /$unanswered/g; is_deeply \@found, $expected, $expected->[0] ? '... is told' : '... is not told' };
    $told->('a folder where there are no sessions', [10, '/app', '/.device-session/'], $bound, '<Location /app>', @on, '</Location>');
    $told->('a folder where nothing is bound', [16, '/app', '/.device-session/'], @on, '<Location /app>', $bound, '</Location>');
    $told->('both in one section', [16, '/app', '/x/'], '<Location /app>', @on, $bound, 'SessionDynamoDBDevicePath /x/', '</Location>');
    $told->('a folder of the section', [], $bound, '<Location /app>', @on, 'SessionDynamoDBDevicePath /app/device/', '</Location>');
    $told->('a folder of another section that binds', [], $bound, '<Location /app>', @on, '</Location>', '<Location /.device-session>', @on, '</Location>');
    $told->('sessions for all', [], $bound, @on);
    $told->('Off', [], 'SessionDynamoDBDeviceBound Off', '<Location /app>', @on, '</Location>');
}

note 'Imports';
{
    my @crypto = ("LoadModule session_crypto_module $MODULES/mod_session_crypto.so");
    my @dbd = ("LoadModule dbd_module $MODULES/mod_dbd.so");
    my $passphrase = 'SessionCryptoPassphrase x';
    my $on = sub { return POSIX::strftime($_[1] || '%Y-%m-%d', gmtime(time + 86400 * $_[0])) };
    my($soon, $far, $past) = ($on->(30), $on->(93), $on->(-2));
    refused "SessionDynamoDBImport $_->[0]", 11, $_->[1], @crypto, "SessionDynamoDBImport $_->[0]", $passphrase for (
        ['',                                 qr/needs cookie or dbd, the name of the old cookie, and until=DATE/],
        ['cookie',                           qr/needs cookie or dbd, the name of the old cookie, and until=DATE/],
        ['cookie session',                   qr/needs until=DATE/],
        ['file session until=2027-01-15',    qr/'file' is unknown: use cookie for sessions of mod_session_cookie, or dbd/],
        ['cookie "a b" until=2027-01-15',    qr/'a b' is not the name of a cookie: use that of SessionCookieName/],
        ['dbd "a=b" until=2027-01-15',       qr/'a=b' is not the name of a cookie: use that of SessionDBDCookieName/],
        ['cookie session 2027-01-15',        qr/'2027-01-15' is unknown: use until=DATE, path=PATH, domain=DOMAIN\b/],
        ['dbd session x=y',                  qr/'x=y' is unknown: .*, select=LABEL or delete=LABEL/],
        (map { ["cookie session until=$_", qr/until=\Q$_\E is not a date: use one such as 2027-03-01/] }
            'tomorrow', '2027-02-30', '2027-1-15', '15.01.2027', '2027-01-15T18:00', '2027-01-15T18:00:00', '20270115'),
        ['cookie session until=2027-01-15 path=app',      qr/path=app is not the path of a cookie/],
        ['cookie session until=2027-01-15 "path=/;a=b"',  qr/is not the path of a cookie/],
        ['cookie session until=2027-01-15 domain=a_b',    qr/domain=a_b is not a domain/],
        ['cookie session until=2027-01-15 select=a',      qr/select= and delete= are the labels of dbd's statements/],
    );
    refused 'one in a section that has one', 12, qr/stands twice in this section/, @crypto,
        ("SessionDynamoDBImport cookie session until=$soon") x 2;
    for my $until ($soon, $on->(30, '%Y-%m-%dT%H:%M:%SZ'), $on->(30, '%Y-%m-%dT%H:%M:%S+01:00')) {
        unlike accepted("until=$until", @crypto, $passphrase, "SessionDynamoDBImport cookie session until=$until path=/app domain=example.com"),
            qr/session_dynamodb/, '... without a warning';
    }
    accepted 'None', 'SessionDynamoDBImport None';
    like accepted('a date in the past', @crypto, $passphrase, "SessionDynamoDBImport cookie session until=$past"),
        qr/SessionDynamoDBImport at \S+httpd\.conf:12 has ended at ${past}T00:00:00Z.*: remove it/, '... is told';
    like accepted('one in three months', @crypto, $passphrase, "SessionDynamoDBImport cookie session until=$far"),
        qr/SessionDynamoDBImport at \S+httpd\.conf:12 lasts until ${far}T00:00:00Z, for more than 90 days/, '... is told';

    my @section = ('<Location /app>', "SessionDynamoDBImport cookie session until=$soon", '</Location>');
    refused 'a cookie without a passphrase', 11, qr/there is no SessionCryptoPassphrase: anybody could write such a cookie/, @section;
    refused '... or with one elsewhere', 12, qr/there is no SessionCryptoPassphrase/, @crypto, @section, '<Location /other>',
        $passphrase, '</Location>';
    accepted '... with one around', @crypto, $passphrase, @section;
    accepted '... in another section of the same place', @crypto, @section, '<Location /app/>', $passphrase, '</Location>';
    accepted '... in a section that may be of the same place', @crypto, @section, '<Directory />', $passphrase, '</Directory>';
    $section[1] = "SessionDynamoDBImport dbd session until=$soon select=a delete=b";
    refused 'a database without mod_dbd', 11, qr/which mod_dbd has to reach: load mod_dbd/, @section;
    accepted '... with it', @dbd, @section;
    refused 'the cookie that carries our IDs', 14, qr/names the cookie session, which carries the new session ID.*choose another SessionDynamoDBCookieName/,
        @dbd, '<Location /app>', $section[1], 'SessionDynamoDB On', 'SessionDynamoDBCookieName session', '</Location>';
    accepted '... but where they are in a header', @dbd, '<Location /app>', $section[1], 'SessionDynamoDBUseHeader On',
        'SessionDynamoDBCookieName session', '</Location>';
    refused 'json', 13, qr/SessionDynamoDBImport \(at \S+:12\) can't be combined with SessionDynamoDBFormat json/, @dbd,
        '<Location /app>', $section[1], 'SessionDynamoDBFormat json', '</Location>';
}

note 'TRACE';
like accepted('TRACE that is answered', 'SessionDynamoDB On'), qr/httpd answers TRACE.*set TraceEnable Off/,
    '... is told';
for my $lines (['SessionDynamoDB On', 'TraceEnable Off'], ['SessionDynamoDB Off'], ['TraceEnable Off',
               '<VirtualHost *:1>', 'SessionDynamoDB On', '</VirtualHost>']) {
    unlike accepted("@$lines", @$lines), qr/TRACE/, '... is none of it';
}
like accepted('TRACE in one virtual host', 'TraceEnable Off', '<VirtualHost *:1>', 'SessionDynamoDB On', 'TraceEnable On',
              '</VirtualHost>'), qr/set TraceEnable Off/, '... is told';

note 'Limits by the address of clients';
{
    my @on = ('<Location /app>', 'Session On', 'SessionDynamoDB On', '</Location>');
    my $warned = qr/SessionDynamoDB\w+Limit at $DIR\/httpd\.conf:\d+ refuses clients by their address, and (.*?) suggests a balancer .*mod_remoteip/;
    accepted $_, $_ for map { ("SessionDynamoDB$_ 1/1 LOG", "SessionDynamoDB$_ 10000/3600 Deny", "SessionDynamoDB$_ off") }
        'GuessLimit', 'CreateLimit';
    for my $sign ('ServerName https://www.example.org', 'SetEnvIf X-Forwarded-For "^10\." inside',
                  q(SessionDynamoDBTLSWhen "%{HTTP:X-Forwarded-Proto} == 'https'")) {
        my @module = $sign =~ /^SetEnvIf/ ? ("LoadModule setenvif_module $MODULES/mod_setenvif.so") : ();
        like accepted('a balancer', @module, 'SessionDynamoDBGuessLimit 20/60 deny', @on, $sign), $warned, "$sign is a sign";
        like accepted('... for both', @module, 'SessionDynamoDBCreateLimit 20/60 deny', @on, $sign), $warned, '... also there';
        unlike accepted('... not where it is only logged', @module, @on, $sign), $warned, '... which is left alone';
        unlike accepted('... nor with mod_remoteip', @module, "LoadModule remoteip_module $MODULES/mod_remoteip.so",
            'RemoteIPHeader X-Forwarded-For', 'SessionDynamoDBGuessLimit 20/60 deny', @on, $sign), $warned, '... which knows them';
    }
    my @host = ('<VirtualHost *:1>', 'SessionDynamoDBGuessLimit 20/60 deny', 'ServerName www.example.org', '</VirtualHost>');
    my @other = ('<VirtualHost *:1>', 'ServerName https://www.example.com', '</VirtualHost>');
    unlike accepted('a balancer in front of another host', @on, @host, @other), $warned, 'no warning';
    like accepted('... or of the same', @on, map({ s/ServerName /ServerName https:\/\//r } @host), @other), $warned, 'a warning';
    like accepted('... or of one that has the limit', @on, 'SessionDynamoDBCreateLimit 9/9 deny', @other), $warned, 'also there';
    unlike accepted('no sign', 'SessionDynamoDBGuessLimit 20/60 deny', @on), $warned, 'no warning';
    unlike accepted('no session', 'SessionDynamoDBGuessLimit 20/60 deny', 'ServerName https://www.example.org'), $warned,
        'nor without sessions';
}

note 'TLS required';
{
    my $when = q(SessionDynamoDBTLSWhen "%{HTTP:X-Forwarded-Proto} == 'https' && -R '10.0.0.0/8'");
    my $idle = qr/TLSWhen at $DIR\/httpd\.conf:(\d+) has no effect without SessionDynamoDBRequireTLS On: add it/;
    accepted 'TLS required', 'SessionDynamoDBRequireTLS On';
    for my $case ([10, $when], [11, 'SessionDynamoDBRequireTLS Off', $when], [11, '<Location /app>', $when, '</Location>',
                   '<Location /other>', 'SessionDynamoDBRequireTLS On', '</Location>']) {
        my($at, @lines) = @$case;
        is +(accepted('an expression alone', @lines) =~ $idle)[0], $at, '... is told to have no effect';
    }
    for my $lines ([$when, 'SessionDynamoDBRequireTLS On'], ['SessionDynamoDBRequireTLS On', '<VirtualHost *:1>', $when,
                   '</VirtualHost>'], [$when, '<Location /app>', 'SessionDynamoDBRequireTLS On', '</Location>']) {
        unlike accepted('an expression and what it is for', @$lines), $idle, '... without a word';
    }
}

note 'Places';
for my $directive ('Proxy http://proxy:3128', "CAFile $DIR/httpd.conf", 'Cache Off') {
    accepted "SessionDynamoDB$directive in the server", "SessionDynamoDB$directive";
    refused "SessionDynamoDB$directive in a virtual host", 11, qr/cannot occur within <VirtualHost>/,
        '<VirtualHost *:1>', "SessionDynamoDB$directive", '</VirtualHost>';
}
for my $directive ('TableName my_table', 'EndpointURL http://localhost', 'Region eu-west-1', 'Profile p', 'Timeout 1s',
                   'ConnectTimeout 1s', 'MaxAttempts 2', 'Breaker 3', 'ShareReads On', 'GuessLimit Off', 'CreateLimit 1/1 deny') {
    refused "SessionDynamoDB$directive in a section", 11, qr/not allowed (?:here|in <Location>)/, '<Location /app>',
        "SessionDynamoDB$directive", '</Location>';
    accepted "SessionDynamoDB$directive in a virtual host", '<VirtualHost *:1>', "SessionDynamoDB$directive",
        '</VirtualHost>';
}

for my $directive ('Forward user', 'Accept *') {
    accepted "SessionDynamoDB$directive in a section", '<Location /app>', "SessionDynamoDB$directive", '</Location>';
}

note 'What is allowed and not meant';
my $REMARK = qr/but Session is Off|programs can't|does not cover|without TLS|belongs to httpd's|the virtual hosts/;
sub remarked {
    my($name, $expected, @lines) = @_;
    my $said = accepted($name, @lines);
    like $said, $expected, '... and told, with file and line';
    is scalar(() = $said =~ /$REMARK/g), 1, '... once' or diag $said;
    return $said;
}
sub unremarked { my($name, @lines) = @_; unlike accepted($name, @lines), $REMARK, '... without a word' }
my @programs = ('SessionEnv On', 'SessionHeader X-Replace-Session');
my $on = 'SessionDynamoDB On';
my $on_path = 'SessionDynamoDBCookiePath /app';
sub place { my($section, @lines) = @_; return ("<$section>", @lines, '</' . $section =~ s/ .*//r . '>') }
{
    my $no_session = sub { qr/On at $DIR\/httpd\.conf:$_[0], but Session is Off.*add Session On/ };
    remarked 'no Session On', $no_session->(10), $on;
    remarked 'Session Off', $no_session->(11), 'Session Off', $on;
    remarked 'Session On elsewhere', $no_session->(11), place('Location /app', $on),
        place('Location /application', 'Session On', @programs);
    remarked 'Session On in another virtual host', $no_session->(11), place('VirtualHost *:1', $on),
        place('VirtualHost *:2', 'Session On');
    remarked 'Session On in another folder', $no_session->(11), place('Directory /srv/a', $on),
        place('Directory /srv/b', 'Session On');
    unremarked "Session On in $_", place($_, 'Session On'), place('Location "/app"', $on, @programs)
        for 'Location /app/', 'Location /', 'Location /app/inside', 'LocationMatch "^/ap"', 'Directory /srv',
            'Location ~ "/other"', 'If "true"', 'Location /ap*';
    unremarked 'Session On around', 'Session On', @programs, place('VirtualHost *:1', place('Location /app', $on));
    unremarked 'Off without Session On', 'SessionDynamoDB Off';
}
{
    my @session = ('Session On', $on);
    my $auth = "LoadModule authn_core_module $MODULES/mod_authn_core.so";
    like accepted('neither SessionEnv nor SessionHeader', @session),
        qr/On at $DIR\/httpd\.conf:11, but programs can't read the session there without SessionEnv On.*Header X/,
        '... and told in one line';
    remarked 'no SessionHeader', qr/httpd\.conf:11, but programs can't change the session there without SessionHeader/,
        @session, 'SessionEnv On';
    remarked 'no SessionEnv', qr/httpd\.conf:11, but programs can't read the session there without SessionEnv On/,
        @session, 'SessionHeader X-Replace-Session';
    unremarked "instead of it $_", @session, "SessionDynamoDB$_ role", 'SessionHeader X-Replace-Session'
        for 'Env', 'Forward';
    unremarked 'mod_auth_form\'s place', $auth, place('Location /app', @session, 'AuthType form');
}
{
    my @session = ('Session On', @programs);
    remarked 'a cookie of another place', qr/CookiePath \/app at $DIR\/httpd\.conf:15 does not cover \/other,.*conf:14\)/,
        @session, place('Location /other', $on, $on_path);
    remarked 'a cookie of a part', qr/\/app at $DIR\/httpd\.conf:14 does not cover \/, where.*httpd\.conf:13\)/, @session,
        $on, $on_path;
    remarked 'a path of the server', qr/\/app at $DIR\/httpd\.conf:13 does not cover \/apple/, @session, $on_path,
        place('Location /apple', $on);
    remarked 'the virtual host\'s before the server\'s', qr/CookiePath \/else at $DIR\/httpd\.conf:14 does not cover/,
        @session, place('VirtualHost *:1', 'SessionDynamoDBCookiePath /else', place('Location /app', $on)), $on_path;
    unremarked "a path that covers $_", @session, $on_path, place($_, $on) for 'Location /app', 'Location /app/',
        'Location /app/inside', 'LocationMatch "^/"', 'Directory /srv/other';
    unremarked 'a path with a slash', @session, place('Location /app', $on, "$on_path/");
    unremarked 'a section\'s own', @session, $on_path, place('Location /', $on, 'SessionDynamoDBCookiePath /');
    unremarked 'no cookie at all', @session, $on_path, place('Location /', $on, 'SessionDynamoDBUseHeader On');
}
{
    my @used = ('Session On', @programs, $on);
    remarked 'an endpoint in clear', qr/db\.example:8000 \(SessionDynamoDBEndpointURL at $DIR\/httpd\.conf:14\).*Use https/,
        @used, 'SessionDynamoDBEndpointURL http://db.example:8000';
    unremarked $_, @used, "SessionDynamoDBEndpointURL $_"
        for 'http://127.0.0.1:8000', 'http://localhost', 'http://[::1]:8000', 'https://db.example';
    unremarked 'one that nobody uses', 'SessionDynamoDBEndpointURL http://db.example';
    local $ENVIRONMENT{AWS_ENDPOINT_URL} = 'http://db.example';
    remarked 'one of the environment', qr/AWS_ENDPOINT_URL/, @used;
}

note 'A login form without its password';
{
    my @auth = ("LoadModule authn_core_module $MODULES/mod_authn_core.so", "LoadModule auth_form_module $MODULES/mod_auth_form.so");
    my @form = ('AuthType form', 'AuthName members');
    my($mask, $phrase) = ('SessionDynamoDBMask a members-pw', 'AuthFormSitePassphrase phrase-of-the-site');
    my $warned = qr/SessionDynamoDBMask members-pw at \S+:(\d+) replaces the password that mod_auth_form \(\S+:(\d+)\) compares.*add AuthForm/;
    for my $case (['beside', 15, 13, place('Location /m', @form, $mask)], ['around', 12, 14, $mask, place('Location /m', @form)],
                  ['within', 17, 13, place('Location /m', @form), place('Location /m/in', $mask)]) {
        my($where, $at, $form_at, @lines) = @$case;
        my $said = accepted("a masked password, $where", @auth, @lines);
        is_deeply [$said =~ $warned], [$at, $form_at], '... is told, with both places' or diag $said;
        unlike $said, qr/phrase-of/, '... and no passphrase';
    }
    for my $case (['with the passphrase', place('Location /m', @form, $mask, $phrase)], ['with that around', place('Location /', $phrase),
                   place('Location /m', @form, $mask)], ['elsewhere', place('Location /m', @form), place('Location /n', $mask)],
                  ['of other names', place('Location /m', @form, 'SessionDynamoDBMask pw members-user')],
                  ['without a form', place('Location /m', 'AuthType Basic', $mask)]) {
        my($where, @lines) = @$case;
        unlike accepted("a mask $where", @auth, @lines), qr/SessionDynamoDBMask/, '... is left alone';
    }
}

note 'Virtual hosts that share sessions';
file("$_.keys", 0600, "$_" x 40 . "\n") for 'a', 'b';
sub host { my($name, @lines) = @_; return place('VirtualHost *:1', "ServerName $name.test", 'Session On', @programs, @lines) }
{
    my $shared = sub { my($table, $what) = @_;
        qr/a\.test \($DIR\/httpd\.conf:10\) and b\.test \($DIR\/httpd\.conf:\d+\) share the table $table and $what/ };
    remarked 'two with defaults', $shared->('app_session', 'do not sign session IDs'), host('a', $on), host('b', $on);
    remarked 'two with a key in common', $shared->('app_session', 'a key for session IDs'),
        host('a', $on, 'SessionDynamoDBSidKeys file:b.keys', 'SessionDynamoDBSidKeys file:a.keys'),
        host('b', $on, 'SessionDynamoDBSidKeys file:b.keys');
    remarked 'two in a table of theirs', $shared->('ours_alone', 'do not sign session IDs'),
        map { host($_, $on, 'SessionDynamoDBTableName ours_alone') } 'a', 'b';
    remarked 'four', qr/a\.test .* and b\.test .*, and 2 more, share the table app_session/,
        map { host($_, $on) } 'a' .. 'd';
    my @many = map { host("h$_", $on, "SessionDynamoDBTableName table_$_") } 1 .. 200;
    remarked 'two among many', qr/a\.test .* and b\.test .* share the table app_session/, host('a', $on), @many, host('b', $on);
    unremarked 'many', @many;
    remarked 'what another host has', qr/without SessionHeader/, place('VirtualHost *:1', 'ServerName a.test', $on,
        'Session On', 'SessionEnv On'), @many;
    remarked 'the server\'s On', qr/a\.test.* and b\.test/, @programs, 'Session On', $on, host('a'), host('b');
    unremarked 'one of two', host('a', $on), host('b');
    unremarked 'the server\'s On, and a host\'s Off', @programs, 'Session On', $on, host('a'), host('b', 'SessionDynamoDB Off');
    unremarked 'one on two ports', host('a', $on), map { s/:1/:2/r } host('a', $on);
    unremarked 'keys of their own', map { host($_, $on, "SessionDynamoDBSidKeys file:$_.keys") } 'a', 'b';
    unremarked 'keys of their own, in sections', map { host($_, place('Location /app', $on),
        place('Location /', "SessionDynamoDBSidKeys file:$_.keys")) } 'a', 'b';
    unremarked 'tables of their own', map { host($_, $on, "SessionDynamoDBTableName table_$_") } 'a', 'b';
    ok scalar(grep { /\[session_dynamodb:notice\] .*the virtual hosts other\.test \(.*\) and .* share the table other_session/ }
        SessionTest::Log::lines($SessionTest::T, 0)), 'what is remarked stands in the error log of a start';
    unremarked 'audiences of their own', map { host($_, $on, "SessionDynamoDBAudience $_") } 'a', 'b';
    unremarked 'an audience of one', host('a', $on, 'SessionDynamoDBAudience a'), host('b', $on);
    remarked 'two with an audience in common', $shared->('app_session', 'do not sign session IDs'),
        map { host($_, $on, 'SessionDynamoDBAudience ab') } 'a', 'b';
    unremarked 'regions of their own', host('a', $on), host('b', $on, 'SessionDynamoDBRegion eu-west-1');
}

note 'Keys';
my $key = 'k' x 8 . 'a literal key of the tests 0123456789';
my $good = file('good.keys', 0600, "$key\n");
accepted 'a file of keys', "SessionDynamoDBSidKeys file:$good";
accepted 'keys for what is forwarded', "SessionDynamoDBForwardKeys file:$good";
unlike refused('a literal key there', 10, qr/put them into a file/, "SessionDynamoDBForwardKeys \"$key\""),
    qr/a literal key of/, '... and the message does not repeat it';
accepted 'where events go', "SessionDynamoDBEventLog $_" for 'events', "$DIR/events", '"|/bin/cat"', '"||/bin/cat -u"', 'error', 'None';
ok !-e "$DIR/events", '... and configtest makes no file';
unlike accepted('a key of events', "SessionDynamoDBEventKeys file:$good"), qr/EventKeys/, '... of good length';
like accepted('a short one', "SessionDynamoDBEventKeys file:" . file('short.event', 0600, "short\n")),
    qr/SessionDynamoDBEventKeys at main server: key 1 is shorter than 32 characters/, '... is reported';
accepted 'several sources', "SessionDynamoDBSidKeys file:$good file:good.keys";
accepted 'several lines', "SessionDynamoDBSidKeys file:$good", 'SessionDynamoDBSidKeys file:good.keys';
file('many.keys', 0600, "$key\n" x 9);
refused 'too many keys on several lines', 11, qr/more than 16 keys/, 'SessionDynamoDBSidKeys file:many.keys',
    'SessionDynamoDBSidKeys file:many.keys';
unlike refused('a literal key', 10, qr/put them into a file/, "SessionDynamoDBSidKeys \"$key\""), qr/a literal key of/,
    '... and the message does not repeat it';
file('open.keys', 0644, "$key\n");
refused 'a key file that others can read', 10, qr/chmod 0600/, 'SessionDynamoDBSidKeys file:open.keys';
file('shared.keys', 0660, "$key\n");
refused 'a key file that the group can change', 10, qr/chmod 0600/, 'SessionDynamoDBSidKeys file:shared.keys';
file('group.keys', 0640, "$key\n");
accepted 'a key file that the group can read', 'SessionDynamoDBSidKeys file:group.keys';
SKIP: {
    # Tests are run by another user than root: a library in front of libc says otherwise.
    file('root.c', 0600, "#include <unistd.h>\nuid_t geteuid(void) { return 0; }\n");
    skip 'no compiler', 20 if system("cc -shared -fPIC -o $DIR/root.so $DIR/root.c 2>/dev/null") != 0;
    my @user = ('User ' . getpwuid $>);
    file('own.keys', 0600, "$key\n");
    for my $directive (map { "SessionDynamoDB$_" } qw(SidKeys ForwardKeys SealKeys EventKeys UserSessionKeys)) {
        unremarked "$directive, started by the user that httpd runs as", @user, "$directive file:own.keys";
        local @ENVIRONMENT{qw(LD_PRELOAD TEST_KEY)} = ("$DIR/root.so", $key);
        remarked "$directive of httpd's user, started by root",
            qr/$directive at $DIR\/httpd\.conf:11: the key file $DIR\/own\.keys belongs to httpd's user.*chown root/, @user,
            "$directive env:TEST_KEY file:own.keys";
        unremarked "$directive of another user", 'User daemon', "$directive file:own.keys";
    }
}
file('empty.keys', 0600, "\n\n");
refused 'a key file without a key', 10, qr/one key a line/, 'SessionDynamoDBSidKeys file:empty.keys';
file('long.keys', 0600, 'x' x 2000 . "\n");
refused 'a key over the limit', 10, qr/longer than/, 'SessionDynamoDBSidKeys file:long.keys';
refused 'a missing key file', 10, qr/no-such/, 'SessionDynamoDBSidKeys file:no-such.keys';
refused 'a directory', 10, qr/not a regular file/, "SessionDynamoDBSidKeys file:$DIR";
{
    local $ENVIRONMENT{TEST_KEY} = $key;
    accepted 'a key in the environment', 'SessionDynamoDBSidKeys env:TEST_KEY';
}
refused 'a variable that is not set', 10, qr/NO_SUCH_KEY is not set/, 'SessionDynamoDBSidKeys env:NO_SUCH_KEY';
my $program = file('print-key', 0700, "#!/bin/sh\necho key-of-a-program-0123456789abcdefghij\n");
accepted 'a program that prints a key', "SessionDynamoDBSidKeys exec:$program";
file('print-nothing', 0700, "#!/bin/sh\nexit 1\n");
refused 'a program that prints nothing', 10, qr/printed no key/, 'SessionDynamoDBSidKeys exec:print-nothing';
file('short.keys', 0600, "short\n");
accepted 'what browsers delete at logout', 'SessionDynamoDBClearSiteData cache storage executionContexts';
accepted 'nothing', 'SessionDynamoDBClearSiteData None';
refused 'what browsers do not know', 10, qr/'history' is unknown: use cache, cookies/, 'SessionDynamoDBClearSiteData cache history';
refused 'None among others', 10, qr/'None' is unknown/, 'SessionDynamoDBClearSiteData cache None';
refused 'no type of data', 10, qr/needs an argument: cache/, 'SessionDynamoDBClearSiteData';
accepted 'keys for seals', "SessionDynamoDBSealKeys file:$good", 'SessionDynamoDBSealKeys clear file:good.keys';
accepted 'clear alone, which is the default', 'SessionDynamoDBSealKeys Clear', 'SessionDynamoDBFormat json';
refused 'no keys for seals', 10, qr/file:PATH, exec:PATH or env:NAME, or clear/, 'SessionDynamoDBSealKeys';
unlike refused('a literal key for seals', 10, qr/put them into a file/, "SessionDynamoDBSealKeys \"$key\""),
    qr/a literal key of/, '... and does not say the key';
refused 'a short key for seals', 10, qr/key 1 is shorter than 32 characters; generate keys with: openssl rand/,
    'SessionDynamoDBSealKeys file:short.keys';
refused 'seals that the other program can not read', 11, qr/Format json can't be sealed.*remove SessionDynamoDBSealKeys/,
    'SessionDynamoDBFormat json', "SessionDynamoDBSealKeys file:$good clear";

note 'The sessions of users';
{
    my @lists = ('SessionDynamoDB On', 'SessionDynamoDBUserSessions On');
    accepted 'lists of sessions', @lists, "SessionDynamoDBUserSessionKeys file:$good", 'SessionDynamoDBUserSessionLimit 5 deny';
    refused 'lists without keys', 11, qr/UserSessions needs SessionDynamoDBUserSessionKeys.*openssl rand -base64 32/, @lists;
    refused 'short keys of lists', 10, qr/key 1 is shorter than 32 characters.*openssl rand -base64 32/,
        'SessionDynamoDBUserSessionKeys file:short.keys';
    refused 'lists that the other program would not keep', 13, qr/UserSessions can't be combined with SessionDynamoDBFormat json/,
        @lists, "SessionDynamoDBUserSessionKeys file:$good", 'SessionDynamoDBFormat json';
    refused 'lists of session IDs', 13, qr/UserSessions needs SessionDynamoDBHashSid On/, @lists,
        "SessionDynamoDBUserSessionKeys file:$good", 'SessionDynamoDBHashSid Off';
    for my $limit ('0', '401', '5x', '-1', '5 drop', 'evict') {
        refused "a limit of $limit", 10, qr/from 1 to 400, and evict .* or deny/, "SessionDynamoDBUserSessionLimit $limit";
    }
    accepted 'an age of a login', '<Location />', 'Require session-login-age 300', '</Location>';
    for my $age ('0', 'x', '5min', '') {
        refused "an age of '$age'", 11, qr/Require session-login-age: '\Q$age\E' is not a number of seconds, such as 300/,
            '<Location />', "Require session-login-age $age", '</Location>';
    }
}
like accepted('a short key', 'SessionDynamoDBSidKeys file:short.keys'), qr/shorter than 32.*openssl rand/s,
    '... with a warning that says how to make one';
like accepted('a short key there', 'SessionDynamoDBForwardKeys file:short.keys'),
    qr/ForwardKeys.*shorter than 32.*openssl rand/s, '... the same';

note 'The README';
{
    my $readme = SessionTest::Log::slurp(setting('src') . '/README.md');
    my($printed) = $readme =~ /^## A minimal configuration\n+(.*?)^\w/ms;
    my @lines = map { s/^ {4}//r } grep { !/^ {4}LoadModule/ } split /\n/, $printed;
    my($at) = grep { $lines[$_] =~ /SidKeys/ } 0 .. $#lines;
    refused 'its configuration without a key', 10 + $at, qr/session\.key/, @lines;
    my($command) = $readme =~ m{^ {4}(.*/etc/apache2/session\.key\))$}m;
    is system($command =~ s{/etc/apache2}{$DIR}r), 0, 'its command makes one';
    unlike accepted('... with which the configuration', @lines), qr/TRACE|shorter|$REMARK/, '... has nothing to remark';
}

note 'The strictest settings';
{
    my $text = SessionTest::Log::slurp(setting('src') . '/conf/session-dynamodb-hardened.conf');
    my @lines = split /\n/, $text;
    my($command) = $text =~ m{^#\s+(\(umask .*done\))$}m;
    is system($command =~ s{/etc/apache2}{$DIR}gr), 0, 'the command that they print makes keys';
    my @site = ('<Location />', 'Session On', 'SessionEnv On', 'SessionHeader X-Replace-Session', 'SessionDynamoDB On',
                'SessionDynamoDBUserKey user', '</Location>');
    unlike accepted('... with which they are complete', @lines, @site), qr/TRACE|shorter|$REMARK/, '... with nothing to remark';
    my @behind = map { /^#(SessionDynamoDBTLSWhen.*)/ ? $1 : $_ } @lines;
    like accepted('... also behind a proxy', @behind, @site), qr/Limit at \S+ refuses clients by their address, and SessionDynamoDBTLSWhen at/,
        '... with a warning about the address of clients';
    my @known = map { /^#(RemoteIP.*)/ ? $1 : $_ } @behind;
    unlike accepted('... which is known', "LoadModule remoteip_module $MODULES/mod_remoteip.so", @known, @site),
        qr/TRACE|shorter|$REMARK|refuses clients by/, '... with nothing to remark';
    isnt join("\n", @behind), join("\n", @lines), '... which is another line';
}

note 'Region, credentials';
{
    local $ENVIRONMENT{AWS_REGION} = '';
    my($status, $said) = configtest('<Location /app>', 'SessionDynamoDB On', '</Location>');
    isnt $status, 0, 'no region where sessions are kept is refused';
    like $said, qr/SessionDynamoDBRegion/, '... and the directive is named';
    accepted 'no region where none are kept', '<Location /app>', 'SessionDynamoDB Off', '</Location>';
    accepted 'a region by directive', 'SessionDynamoDBRegion eu-west-1', '<Location /app>', 'SessionDynamoDB On',
        '</Location>';
    local $ENVIRONMENT{AWS_DEFAULT_REGION} = 'eu-west-1';
    accepted 'a region by AWS_DEFAULT_REGION', 'SessionDynamoDB On';
}
{
    my $secret = "[default]\naws_access_key_id = a\naws_secret_access_key = b\n";
    file('credentials', 0644, $secret);
    my($status, $said) = configtest('SessionDynamoDBCredentialsFile credentials', 'SessionDynamoDB On');
    isnt $status, 0, 'credentials that others can read are refused';
    like $said, qr/SessionDynamoDBCredentialsFile.*chmod 0600/, '... and the remedy is named';
    file('credentials', 0600, $secret);
    accepted 'credentials that only their owner can read', 'SessionDynamoDBCredentialsFile credentials',
        'SessionDynamoDB On';
}

done;
