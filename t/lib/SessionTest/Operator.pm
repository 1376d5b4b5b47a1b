package SessionTest::Operator;

# session-dynamodb, as an operator runs it, against the table of the tests.
#
#   is run(['check']), 0, 'a good table';            # or run(ENV => value, ..., [arguments]); undef takes a variable away
#   like $OUT, qr/good/, '... is said to be';
#   my $said = json(['check']);                      # what it prints with --json
#
# $OUT and $ERR are what the last run printed, $EXIT is how it ended, $SAID what all runs printed.

use strict;
use warnings;

use Exporter qw(import);
use File::Temp ();
use JSON::PP ();
use POSIX ();

use SessionTest;
use SessionTest::Log ();
use SessionTest::Table ();

our @EXPORT = qw(begin finish run json forbid $PROGRAM $DIR $TABLE $URL %BASE $SAID $EXIT $OUT $ERR);

our $PROGRAM = setting('build') . '/session-dynamodb';
our $DIR     = File::Temp::tempdir('/tmp/operator-XXXXXX', CLEANUP => 1);
our $TABLE   = SessionTest::Table->new({ map { $_ => setting($_) } qw(dynalite control) });
our $URL     = 'http://127.0.0.1:' . setting('table');
our %BASE    = (
    PATH => '/usr/bin:/bin', HOME => $DIR, AWS_ACCESS_KEY_ID => setting('key_id'),
    AWS_SECRET_ACCESS_KEY => setting('secret'), AWS_REGION => 'us-east-1', AWS_ENDPOINT_URL_DYNAMODB => $URL,
    AWS_EC2_METADATA_DISABLED => 'true');
our $SAID = '';
our($EXIT, $OUT, $ERR);

sub begin {
    my $arguments = pop;
    my %env = (%BASE, @_);
    delete @env{ grep { !defined $env{$_} } keys %env };
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        %ENV = %env;
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', "$DIR/out";
        open STDERR, '>', "$DIR/err";
        { exec $PROGRAM, @$arguments }
        POSIX::_exit(127);
    }
    return $pid;
}

sub finish {
    waitpid $_[0], 0;
    $EXIT = $? & 127 ? "signal $?" : $? >> 8;
    ($OUT, $ERR) = map { SessionTest::Log::slurp("$DIR/$_") } qw(out err);
    $SAID .= $OUT . $ERR;
    return $EXIT;
}

sub run { return finish(begin(@_)) }

# The same with --json: what it printed.
sub json {
    my $arguments = pop;
    run(@_, ['--json', @$arguments]);
    my $printed = eval { JSON::PP::decode_json($OUT) };
    ok $printed && $printed->{exit_status} == $EXIT, "@$arguments --json prints JSON, with the exit status $EXIT"
        or diag("$OUT$ERR");
    return $printed || {};
}

sub forbid { my($op, %more) = @_; return fault(kind => 'error', op => $op, type => 'AccessDeniedException',
                                              message => "not authorized to perform: dynamodb:$op", count => 0, %more) }

1;
