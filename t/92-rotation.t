# Credentials are replaced while clients work, and no request fails: keys of a container that end, keys of an EC2
# instance and of a file that the table takes no longer. The table takes signatures by the keys of the moment alone and,
# where there is a grace, by those before. MSD_TEST_ROTATION=100000 for so many requests over ten rotations of each.

use strict;
use warnings;
use File::Temp ();
use FindBin;
use Time::HiRes ();
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Load;
use SessionTest::Machine;

my $LONG      = $ENV{MSD_TEST_ROTATION};
my $ROTATIONS = $LONG ? 10 : 2;
my $PART      = $LONG ? $LONG / $ROTATIONS : 240;   # requests between two
my $CLIENTS   = 6;
my $CHILDREN  = setting('mpm') eq 'prefork' ? 16 : 2;   # at most
my $DIR       = File::Temp::tempdir('/tmp/rotation-XXXXXX', CLEANUP => 1);
my $metadata  = SessionTest::Machine::metadata();
my @CONTAINER = (AWS_CONTAINER_CREDENTIALS_FULL_URI => $metadata->('url') . '/v1/credentials');
my($httpd, $load, $key, $number, $asked, $refused, $requests);

# Two children where there are threads: each has a chain of its own.
@SessionTest::Rotation::ISA = ('SessionTest::Machine');
sub SessionTest::Rotation::configuration {
    return SessionTest::Machine::configuration(@_)
        =~ s/^ServerLimit 1/ServerLimit 2/mr =~ s/^StartServers 1/StartServers 2/mr
        =~ s/^(MaxRequestWorkers) \d+/$1 16/mr =~ s/^MaxSpare(Threads|Servers) \d/MaxSpare$1 16/mr;
}

sub new_key {
    $number++;
    return { id => "ASIAKEY$number", secret => "rotated-secret-$number", token => "rotated-token-$number" };
}
# The proxy would remember each request: they are counted here and forgotten there.
sub count {
    my @all = take_calls();
    $requests += @all;
    $refused  += grep { ($_->{type} // '') eq 'UnrecognizedClientException' } @all;
}
sub table_takes {
    mode(keys => { map { $_->{id} => { secret => $_->{secret}, token => $_->{token} } } @_ });
}
sub times_asked { my $kind = shift; return scalar grep { $_->{kind} eq $kind } @{ $metadata->(GET => 'requests') } }
sub write_keys {
    open my $out, '>', "$DIR/new" or die "$DIR/new: $!";
    print $out "[default]\naws_access_key_id = $key->{id}\naws_secret_access_key = $key->{secret}\n",
        "aws_session_token = $key->{token}\n";
    close $out;
    chmod 0600, "$DIR/new";
    rename "$DIR/new", "$DIR/credentials" or die "$DIR/credentials: $!";
}

sub begin {
    my($class, $settings, %environment) = @_;
    $metadata->(POST => 'reset');
    $metadata->(POST => 'set', { %$settings, %{ $key = new_key() } });
    write_keys();
    table_takes($key);
    count();
    ($requests, $refused) = (0, 0);
    $httpd = $class->start(%environment);
    $load  = SessionTest::Load->new(clients => $CLIENTS, hosts => [{ port => $httpd->port }]);
    $load->run(4 * $CLIENTS);
}

# New keys; those before are taken only with a grace.
sub rotate {
    my($grace) = @_;
    my $old = $key;
    count();
    $key = new_key();
    table_takes($key, $grace ? $old : ());
    $metadata->(POST => 'set', $key);
    write_keys();
}

sub all_is_well {
    my($what, @expected) = @_;
    count();
    is join("\n", $load->faults), '', "$what: every answer is right";
    $httpd->stop(@expected);
    is_deeply [$httpd->log_lines(qr/rotated-(?:secret|token)/)], [], '... and the log has no secret';
    note sprintf '%s: %d requests to the table, %d refused', $what, $requests, $refused;
}

note 'Keys of a container that end: others are fetched before';
begin('SessionTest::Rotation', { expires_in => 3 }, @CONTAINER);
for (1 .. $ROTATIONS) {
    rotate(1);
    my $before = times_asked('container');
    $load->run($PART);
    # Till each child has the new ones.
    my $end = time + 20;
    $load->run(20) while times_asked('container') < $before + 4 && time < $end && !$load->faults;
}
$asked = times_asked('container');
cmp_ok $asked, '>', $ROTATIONS, "they are fetched again and again ($asked times)";
all_is_well("$ROTATIONS rotations of a container's keys");
# On a slow machine a key of three seconds can end between its signature and the table; another one mends that.
cmp_ok $refused, '<', 1 + $requests / 100, '... and the table has refused hardly any';

note 'A service that hangs when it is asked again';
SKIP: {
skip 'each child asks for the first time', 1 if setting('mpm') eq 'prefork';
begin('SessionTest::Machine', { expires_in => 9 }, @CONTAINER);
{
    my($longest, $rounds, $end) = (0, 0, 0);
    $metadata->(POST => 'fault', { on => 'container', do => 'hang', count => 1 });
    while (!$end || Time::HiRes::time() < $end) {
        my $seconds = within { $load->run($CLIENTS) };
        $longest = $seconds if $end && $seconds > $longest;
        # It is silent for 2 seconds, then asked once more; the keys there are end 2 to 4 seconds after that.
        $end = Time::HiRes::time() + 1.7 if !$end && times_asked('container') > 1;
        last if $load->faults || ++$rounds > 5000;
    }
    cmp_ok times_asked('container'), '>', 1, 'it is asked again';
    cmp_ok $longest, '<', 1, sprintf '... and no request waits for it (%.3f s at most)', $longest;
}
all_is_well('a service that hangs');
}

note 'Keys of an instance that the table takes no longer';
begin('SessionTest::Rotation', {}, AWS_EC2_METADATA_SERVICE_ENDPOINT => $metadata->('url'));
for (1 .. $ROTATIONS) {
    rotate(0);
    Time::HiRes::sleep(2.1);   # between two refreshes because of a refusal
    $load->run($PART);
}
$asked = times_asked('document');
cmp_ok $asked, '<=', $CHILDREN * ($ROTATIONS + 1), "each child fetches them once for each refusal ($asked times)";
all_is_well("$ROTATIONS rotations of an instance's keys, without a grace");
# Not each time: a child may have fetched the next ones for another reason before it is asked.
cmp_ok $refused, '>', 0, '... and the table has refused old ones';

note 'A file of keys that is replaced';
begin('SessionTest::Rotation', {}, AWS_SHARED_CREDENTIALS_FILE => "$DIR/credentials");
for my $n (1 .. $ROTATIONS) {
    my $grace = $n % 2;
    rotate($grace);
    Time::HiRes::sleep($grace ? 6.5 : 2.1);   # looked at each 5 seconds
    $load->run($PART);
}
all_is_well("$ROTATIONS rotations of a file's keys");

done;
