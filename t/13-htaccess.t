# .htaccess files: their authors may do with less of a session, and keep more out of it; how IDs travel and look, what is
# stored and what that costs is for the server's files to say.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Once;

same_under_every_mpm();

# The path of a folder whose .htaccess has these lines.
my $folders = 0;
sub folder {
    my($inside, @lines) = @_;
    my $path = "/htaccess/$inside" . ($inside ? '/' : '') . 'folder' . ++$folders;
    mkdir "$SessionTest::T/htdocs/htaccess/$inside" if $inside;
    mkdir "$SessionTest::T/htdocs$path" or die "$path: $!";
    open my $out, '>', "$SessionTest::T/htdocs$path/.htaccess" or die "$path: $!";
    print $out map { "$_\n" } @lines;
    close $out;
    return "$path/";
}
mkdir "$SessionTest::T/htdocs/htaccess/$_" for 'site', 'listed';

# What a new session's row has for its timeouts.
sub timeouts { my $row = row(key_of(session($_[0], a => 1)));
               return [map { $row->{$_}{N} } qw(idle_timeout absolute_timeout)] }

note 'What may not stand there';
for my $line ('ConsistentRead Off', 'SidByteLength 16', 'SidKeys file:conf/sid.keys', 'SidDigest SHA256', 'HashSid Off', 'Audience shop', 'UserKey None', 'Login keep', 'Logout keep',
              'CookieName other', 'CookieSecure Off', 'CookieHttpOnly Off', 'CookieSameSite Lax',
              'CookieDomain example.test', 'CookiePath /htaccess', 'CookiePersistent On', 'UseHeader On',
              'HeaderName x-other', 'Env role', 'Format json', 'MaxSize 400K', 'Compress 1K', 'Forward user',
              'ForwardKeys file:conf/forward.keys', 'ForwardAudience shop', 'ForwardVersion 1',
              'Accept *', 'ProtectKeys None', 'RequireTLS Off', 'TLSWhen true', 'TableName other_session', 'Timeout 8s') {
    expect_log qr/SessionDynamoDB\w+ not allowed here/;
    calls_are { get(folder('', 'SessionDynamoDB On', "SessionDynamoDB$line") . '?set=a:1') } [], "SessionDynamoDB$line";
    is_deeply [res()->status, res()->set_cookies], [500], '... is refused, and no ID given out';
}

note 'On and Off';
{
    my $id = session(a => 1);
    is get(folder('', 'SessionDynamoDB On') . '?get=a', cookie => $id)->line('get a'), 1, 'On';
    expect_log qr/session:warn.*AH01815: session is enabled but no session modules/;
    calls_are { get(folder('site', 'SessionDynamoDB Off') . '?get=a', cookie => $id) } [], 'Off';
}

note 'Times';
is_deeply timeouts(folder('', 'SessionDynamoDB On')), [7200, 43200], 'the defaults';
is_deeply timeouts(folder('', 'SessionDynamoDB On', 'SessionDynamoDBIdleTimeout 100',
                          'SessionDynamoDBAbsoluteTimeout 200')), [100, 200], 'shorter ones count';
is_deeply timeouts(folder('', 'SessionDynamoDB On', 'SessionDynamoDBIdleTimeout 87600h',
                          'SessionDynamoDBAbsoluteTimeout 87600h')), [7200, 43200], 'longer ones do not';
is_deeply timeouts(folder('site')), [600, 1200], 'the server\'s';
is_deeply timeouts(folder('site', 'SessionDynamoDBIdleTimeout 599', 'SessionDynamoDBAbsoluteTimeout 1199')), [599, 1199],
    '... and shorter ones';
my $longer = folder('site', 'SessionDynamoDBIdleTimeout 601', 'SessionDynamoDBAbsoluteTimeout 1201');
is_deeply timeouts($longer), [600, 1200], '... and longer ones';
is_deeply timeouts(folder($longer =~ s{^/htaccess/(.*)/}{$1}r, 'SessionDynamoDBIdleTimeout 50')), [50, 1200],
    '... and shorter ones further in';
{
    my($plain, $less, $more) = map { folder('site', @$_) } [], ['SessionDynamoDBTouchInterval 5'],
        ['SessionDynamoDBTouchInterval 1h'];
    my $id = session($plain, a => 1);
    age($id, 20);
    calls_are { get("$_?get=a", cookie => $id) } ['GetItem'], 'no activity is recorded before the server\'s interval'
        for $plain, $more;
    calls_are { get("$less?get=a", cookie => $id) } [qw(GetItem UpdateItem)], '... but a shorter one counts';
    age($id = session($plain, a => 1), 40);
    calls_are { get("$more?get=a", cookie => $id) } [qw(GetItem UpdateItem)], '... and a longer one does not';
}

note 'Masks';
for my $case (['more of them', ['secret'], 'a=1&members-pw=*&secret=*'], ['None', ['None'], 'a=1&members-pw=*&secret=s'],
              ['two lines', ['a', 'secret'], 'a=*&members-pw=*&secret=*']) {
    my($what, $masks, $stored) = @$case;
    my $folder = folder('site', map { "SessionDynamoDBMask $_" } @$masks);
    creates { get("$folder?set=a:1&set=members-pw:pw&set=secret:s") } $stored, "$what: the server's stay masked";
}

note 'When the table is away';
{
    my $anonymous = folder('site', 'SessionDynamoDBOnError anonymous');
    my $id = session('/htaccess/', a => 1);
    fault(kind => '500', op => 'GetItem', count => 0);
    is get("$anonymous?get=a", cookie => $id)->line('get a'), '(none)', 'OnError is the folder\'s to say';
    expect_log qr/could not be read/;
    clear_faults();
}

note 'Variables, where the server\'s files allow the directive by AllowOverrideList';
{
    my $id = session(role => 'editor');
    my $folder = folder('listed', 'SessionDynamoDBEnv role');
    is get("$folder?env=SESSION_ENTRY_role", cookie => $id)->line('env SESSION_ENTRY_role'), 'editor', 'an entry\'s own';
    expect_log qr/the variable of 'role' must begin with SESSION_ENTRY_/;
    is get(folder('listed', "SessionDynamoDBEnv role=$_") . '?get=role', cookie => $id)->status, 500, "... but not $_"
        for 'LD_PRELOAD', 'REMOTE_USER', 'ROLE', 'SESSION_DYNAMODB_NEW';
}

done;
