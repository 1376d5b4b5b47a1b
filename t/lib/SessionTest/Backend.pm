package SessionTest::Backend;

# Programs that a test file needs beside httpd: started here, ended with the file.
#
#   backend('app', "$T/lib/backend.py", port('app'));     # name, command; waits until the port answers
#   verified($answer, method => 'GET', target => '/x')    # what languages/session_dynamodb.py makes of the headers;
#                                                         # audience => (default: app's URL), accept_v1 => 1

use strict;
use warnings;

use Exporter qw(import);
use IO::Handle ();
use IO::Socket::INET ();
use IPC::Open2 ();
use JSON::PP ();
use POSIX ();

use SessionTest;
use SessionTest::BackendRecipe ();

our @EXPORT = qw(backend verified recipe);

my(%PID, %VERIFIER);

sub backend {
    my($name, @command) = @_;
    my $pid = fork;
    defined $pid or die "fork: $!";
    if (!$pid) {
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>>', "$SessionTest::T/logs/backend-$name.log";
        open STDERR, '>&', \*STDOUT;
        # It must not outlive a test that is killed.
        { exec 'setpriv', '--pdeathsig', 'TERM', '--', @command }
        POSIX::_exit(127);
    }
    $PID{$pid} = $name;
    return if eventually(sub {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => port($name), Timeout => 1)
    }, 20);
    die "the backend $name does not answer: see $SessionTest::T/logs/backend-$name.log\n";
}

END {
    my $status = $?;
    for (values %VERIFIER) { close $_->[2]; waitpid $_->[0], 0 }
    kill TERM => keys %PID;
    waitpid $_, 0 for keys %PID;
    $? = $status;
}

# The blocks of a recipe, fit for this machine.
sub recipe {
    my($page, $language) = @_;
    return SessionTest::BackendRecipe::filled("$SessionTest::T/recipes/$page.md", $language, ServerRoot => $SessionTest::T, languages => setting('src') . '/languages',
        map { ("${_}_port" => port($_)) } qw(app fpm uwsgi));
}

# forwarded of languages/session_dynamodb.py, asked about the answer of backend.py: the values, or undef.
sub verified {
    my($body, %o) = @_;
    my($line, @headers) = split /\n/, $body;
    my($method, $target) = split / /, $line;
    my %headers = map { my($name, $value) = split /: ?/, $_, 2; (lc $name => $value) } @headers;
    my %ask = (headers => { %headers, %{ $o{headers} || {} } }, method => $o{method} || $method,
               target => $o{target} || $target, keys => $o{keys} || "$SessionTest::T/conf/forward.keys",
               audience => $o{audience} || 'http://127.0.0.1:' . port('app'), accept_v1 => $o{accept_v1} ? 1 : 0);
    my $later = $o{later} || 0;
    my(undef, $said, $ask) = @{ $VERIFIER{$later} ||= verifier($later) };
    print $ask JSON::PP->new->ascii->encode(\%ask), "\n";
    return JSON::PP->new->allow_nonref->decode(<$said> // die "verify.py failed\n");
}

# A process that asks the function, once for each line, some seconds later than now.
sub verifier {
    my($later) = @_;
    my $languages = setting('src') . '/languages';
    my $program = "$SessionTest::T/state/verify-" . keys(%VERIFIER) . '.py';
    open my $out, '>', $program or die "$program: $!";
    print $out <<"PYTHON";
import json, sys, time
sys.dont_write_bytecode = True
sys.path.insert(0, '$languages')
import session_dynamodb
real = time.time
session_dynamodb.time.time = lambda: real() + $later
for line in sys.stdin:
    ask = json.loads(line)
    keys = open(ask['keys'], 'rb').read().split()
    environ = {'HTTP_' + name.upper().replace('-', '_'): value for name, value in ask['headers'].items()}
    environ.update({'wsgi.version': (1, 0), 'REQUEST_METHOD': ask['method'], 'REQUEST_URI': ask['target']})
    values = session_dynamodb.forwarded(environ, keys, ask['audience'], accept_version_1=bool(ask['accept_v1']))
    print(json.dumps(values), flush=True)
PYTHON
    close $out;
    my $pid = IPC::Open2::open2(my $said, my $ask, '/usr/bin/python3', $program);
    $ask->autoflush(1);
    return [$pid, $said, $ask];
}

1;
