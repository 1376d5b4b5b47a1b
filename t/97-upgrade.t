# docs/upgrading.md: what takes a new module into use, and one configuration for two versions.

use strict;
use warnings;
use File::Copy ();
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Log ();
use SessionTest::Server;
use lib setting('src') . '/build/lib';
use Manual;

same_under_every_mpm();

my $DIR = File::Temp->newdir('/tmp/upgrade-XXXXXX');
my $MODULE = "$DIR/mod_session_dynamodb.so";
my($VERSION) = Manual::slurp(setting('src') . '/src/base/ddb_version.h') =~ /DDB_VERSION "([^"]+)"/;

# A module of another version: the same but for its name, in a file of its own, as a package manager puts it there.
sub install_version {
    my($version) = @_;
    my $module = SessionTest::Log::slurp(setting('module'));
    $module =~ s/(?<=[\0])\Q$VERSION\E(?=[\0])/$version/g or die "no version in the module\n";
    open my $out, '>:raw', "$MODULE.new" or die "$MODULE.new: $!";
    print $out $module;
    close $out or die "$MODULE.new: $!";
    rename "$MODULE.new", $MODULE or die "$MODULE: $!";
    return;
}

my $next = $VERSION =~ s/.\z/x/r;
chmod 0755, $DIR;
File::Copy::copy(setting('module'), $MODULE) or die "$MODULE: $!";
my $server = SessionTest::Server->start({ module => $MODULE }, 'LogLevel session_dynamodb:info');
sub versions { return map { /mod_session_dynamodb (\d\S*)/ ? $1 : () } $server->log_lines(qr/session_dynamodb:info/) }

is_deeply [versions()], [$VERSION], 'a start tells the version';
install_version($next);
for (['a graceful restart', 'USR1'], ['a restart', 'HUP']) {
    my($what, $signal) = @$_;
    my $before = () = versions();
    kill $signal => $server->pid;
    ok eventually(sub { $before < (() = versions()) }, 20), $what;
    is +(versions())[-1], $VERSION, '... keeps the module that is loaded';
}
kill TERM => $server->pid;
ok $server->gone, 'a stop';
$server->launch;
is +(versions())[-1], $next, '... and a start take the new one';
get('/test/?set=a:1', port => $server->port);
is res()->status, 200, '... which serves';
$server->stop;

my($conditional) = grep { /<IfDirective/ } Manual::blocks(Manual::slurp(setting('src') . '/docs/upgrading.md'));
my $known = SessionTest::Server->start(split /\n/, $conditional);
ok $known->pid, 'the page\'s configuration for two versions serves one that knows the directive';
$known->stop;
my $unknown = SessionTest::Server->start(split /\n/, $conditional =~ s/SessionDynamoDB\w+/SessionDynamoDBOfALaterVersion/gr);
ok $unknown->pid, '... and one that does not';
$unknown->stop;

done();
