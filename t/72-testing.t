# session-dynamodb-test: docs/recipes/testing.md as printed, what it passes on, and that nothing stays behind.

use strict;
use warnings;
use Cwd ();
use File::Path ();
use File::Temp ();
use FindBin;
use IO::Socket::INET ();
use POSIX ();
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Recipe;

same_under_every_mpm();

plan skip_all => 'session-dynamodb-test starts a dynalite of its own: name the program in DYNALITE'
    if !setting('dynalite_program');

my $DIR = File::Temp::tempdir('/tmp/testing-XXXXXX', CLEANUP => 1);
mkdir "$DIR/$_" for qw(bin tmp app);
# As if installed: found by its name. It finds module and dynalite by what a build says.
my $COMMAND = "$DIR/bin/session-dynamodb-test";
symlink setting('src') . '/build/session-dynamodb-test', $COMMAND or die "$COMMAND: $!";
my($files) = SessionTest::Recipe::files(SessionTest::Recipe::page('testing'));
my %BASE = (
    PATH => "$DIR/bin:/usr/bin:/bin", HOME => $DIR, TMPDIR => "$DIR/tmp", HTTPD => setting('httpd'),
    APXS => setting('apxs'), DYNALITE => setting('dynalite_program'), PYTHONDONTWRITEBYTECODE => 1, MARK => "mark$$");
for my $name (sort keys %$files) {
    my $path = $name =~ s{^/srv/app}{$DIR/app}r;
    File::Path::make_path($path =~ s{/[^/]*$}{}r);
    open my $out, '>', $path or die "$path: $!";
    print $out $files->{$name};
    close $out;
    chmod 0755, $path if $files->{$name} =~ /^#!/;
}

# Starts a command; run() waits for it: exit status (128 + signal) and what it said.
sub begin {
    my(@command) = @_;
    my $pid = open my $in, '-|';
    defined $pid or die "fork: $!";
    if (!$pid) {
        %ENV = %BASE;
        chdir "$DIR/app";
        setpgrp;
        open STDIN,  '<', '/dev/null';
        open STDERR, '>&', \*STDOUT;
        { exec @command }
        POSIX::_exit(127);
    }
    return [$pid, $in];
}
sub finish {
    my($pid, $in) = @{ $_[0] };
    my $said = do { local $/; <$in> } // '';
    close $in;
    return ($? & 127 ? 128 + ($? & 127) : $? >> 8, $said);
}
sub run { return finish(begin(@_)) }
sub with { my @options = @_; return ($COMMAND, '--module', setting('module'), @options) }

# Processes of ours know MARK; nothing else may be left but ourselves.
sub processes {
    my @found;
    for my $file (glob '/proc/[0-9]*/environ') {
        push @found, $file if index(SessionTest::Log::slurp($file), "MARK=$BASE{MARK}") >= 0;
    }
    return @found;
}
sub nothing_left {
    my $sentence = shift;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok eventually(sub { !processes() && !glob "$DIR/tmp/*" }, 15), $sentence
        or diag join "\n", processes(), glob "$DIR/tmp/*";
}

note 'As printed';
{
    my $page = SessionTest::Log::slurp(SessionTest::Recipe::page('testing'));
    my @runs = map { s/^ {4}//gmr } $page =~ /^Run:\n\n((?: {4}.*\n)+)/mg;
    is scalar(@runs), 2, 'the page has two runs';
    $BASE{MOD_SESSION_DYNAMODB_SO} = setting('module');
    for my $case ([$runs[0], qr/^2 passed/m, 'pytest'], [$runs[1], qr/^All tests successful\..*Tests=3,/ms, 'prove']) {
        my($run, $expected, $name) = @$case;
        my($status, $said) = run('sh', '-ec', $run =~ s{/srv/app}{$DIR/app}gr);
        is $status, 0, "$name passes" or diag $said;
        like $said, $expected, '... saying so';
        nothing_left '... and nothing is left';
    }
    open my $out, '>>', "$DIR/app/tests/test_count.py";
    print $out "\n\ndef test_fails():\n    assert browser()('/cgi-bin/count') == '2'\n";
    close $out;
    my($status, $said) = run('sh', '-ec', $runs[0] =~ s{/srv/app}{$DIR/app}gr);
    is $status, 1, 'pytest fails where a test does';
    like $said, qr/1 failed, 2 passed/, '... saying so';
    nothing_left '... and nothing is left';
    delete $BASE{MOD_SESSION_DYNAMODB_SO};
}

note 'What comes back';
for my $status (0, 77) {
    is((run(with('sh', '-c', "exit $status")))[0], $status, "exit status $status is passed on");
}
is((run(with('sh', '-c', 'kill -TERM $$')))[0], 128 + 15, 'the end by a signal, as a shell tells it');
is((run(with("$DIR/no-such-program")))[0], 127, 'a program that is not there');
is((run(with("$DIR/app/app.conf")))[0], 126, '... or none');
nothing_left 'nothing is left';

note 'What the command knows';
{
    my($status, $said) = run(with('--table', 'one', '--table', 'two', 'sh', '-c', <<'END'));
env | sort | grep ^SESSION_TEST_
curl -s -o /dev/null -w '%{http_code}\n' "$SESSION_TEST_URL/"
ls -d "$SESSION_TEST_DIR" "$SESSION_TEST_ERROR_LOG"
END
    like $said, qr{^SESSION_TEST_URL=http://127\.0\.0\.1:\d+$}m, 'the URL';
    like $said, qr{^SESSION_TEST_ENDPOINT=http://127\.0\.0\.1:\d+$}m, 'the endpoint';
    like $said, qr{^SESSION_TEST_TABLE=one$}m, 'the table';
    like $said, qr{^\Q$DIR\E/tmp/\S+/httpd\.log\n}m, 'the error log';
    is $status, 0, '... is there';
    open my $out, '>', "$DIR/app/own.conf";
    print $out qq(<Location "/x">\nSession On\nSessionDynamoDB On\nHeader always set X-Own "\${SESSION_TEST_TABLE} \${MARK}"\n)
        . qq(Redirect 204 "/x"\n</Location>\n);
    close $out;
    mkdir "$DIR/app/htdocs";
    open $out, '>', "$DIR/app/htdocs/file.txt";
    print $out "a file\n";
    close $out;
    ($status, $said) = run(with(qw(--conf own.conf --docroot htdocs), 'sh', '-c',
        'curl -si "$SESSION_TEST_URL/x"; curl -s "$SESSION_TEST_URL/file.txt"'));
    like $said, qr/^X-Own: app_session $BASE{MARK}\r$/m, 'a configuration with variables';
    like $said, qr/^a file$/m, 'files';
    ($status, $said) = run(with(qw(--mpm prefork --cgi-dir cgi-bin sh -c), 'curl -s "$SESSION_TEST_URL/cgi-bin/count"'));
    is $said, "1\n", 'another MPM; without --conf sessions are on everywhere';
}

note 'What does not start';
for my $case ([['--conf', 'none.conf'], qr/none\.conf: No such file/], [['--module', "$DIR/none.so"], qr/none\.so: No such/],
              [['--nonsense'], qr/Unknown option/]) {
    my($options, $expected) = @$case;
    my($status, $said) = run(with(@$options, 'true'));
    is $status, 125, "@$options: 125";
    like $said, $expected, '... and the reason';
}
{
    open my $out, '>', "$DIR/app/bad.conf";
    print $out "SessionDynamoDBIdleTimeout soon\n";
    close $out;
    my($status, $said) = run(with('--conf', 'bad.conf', 'touch', "$DIR/ran"));
    is $status, 125, 'a configuration that is wrong: 125';
    like $said, qr/line 1 of \S*bad\.conf.*is not a valid time/s, '... file, line, and reason';
    ok !-e "$DIR/ran", '... and the command does not run';
    local $BASE{DYNALITE} = '/bin/false';
    ($status, $said) = run(with('true'));
    is $status, 125, 'no table: 125';
    like $said, qr/dynalite does not start/, '... and the reason';
    nothing_left 'nothing is left';
}

note 'Signals';
for my $case ([TERM => 128 + 15], [INT => 128 + 2], [HUP => 128 + 1]) {
    my($signal, $expected) = @$case;
    my $run = begin(with('sh', '-c', "echo \$\$ >$DIR/here; exec sleep 60"));
    ok eventually(sub { -s "$DIR/here" }, 15), "$signal while the command runs";
    kill $signal => $run->[0];
    is((finish($run))[0], $expected, "... ends it with $expected");
    nothing_left '... and nothing is left';
    unlink "$DIR/here";
}
{
    my $run = begin(with('sh', '-c', "trap 'exit 5' TERM; echo >$DIR/here; while :; do sleep 0.1; done"));
    ok eventually(sub { -e "$DIR/here" }, 15), 'a command that has its own way with a signal';
    kill TERM => $run->[0];
    is((finish($run))[0], 5, '... keeps it');
    unlink "$DIR/here";

    $run = begin(with('sh', '-c', "echo \$\$ >$DIR/here; exec sleep 60"));
    ok eventually(sub { -s "$DIR/here" }, 15), 'KILL, which nobody can pass on';
    kill KILL => $run->[0];
    chomp(my $orphan = SessionTest::Log::slurp("$DIR/here"));
    ok eventually(sub { !glob "$DIR/tmp/*" }, 15), '... the files go all the same';
    kill KILL => $orphan;
    finish($run);
    nothing_left '... and the servers too';

    is((run(with('sh', '-c', 'kill -TERM $PPID; exec sleep 60')))[0], 128 + 15, 'TERM as soon as the command runs');
    nothing_left '... and nothing is left';

    $run = begin(with('true'));
    kill TERM => $run->[0] if eventually(sub { glob "$DIR/tmp/*" });
    my($status) = finish($run);
    ok $status == 143 || $status == 0, 'TERM while the servers start';
    nothing_left '... leaves nothing';
}
{
    # The servers' own process, which is the parent of httpd.
    my($status, $said) = run(with('sh', '-c', <<'END'));
httpd=$(cat "$SESSION_TEST_DIR/run/httpd.pid")
kill -TERM "$(sed 's/.*) . \([0-9]*\) .*/\1/' "/proc/$httpd/stat")"
while [ -d "$SESSION_TEST_DIR" ]; do sleep 0.1; done
END
    is $status, 125, 'servers that end before the command: 125, though it says 0';
    like $said, qr/told to end before the command did/, '... and the reason';
    ($status, $said) = run(with('sh', '-c', 'kill -KILL $(cat "$SESSION_TEST_DIR/run/httpd.pid"); sleep 0.3'));
    is $status, 125, 'an httpd that ends: 125';
    like $said, qr/httpd ended before the command did/, '... and the reason';
    nothing_left 'nothing is left';
}

note 'Several at once';
{
    my @command = with(qw(--conf app.conf --cgi-dir cgi-bin sh -c), 'curl -s "$SESSION_TEST_URL/cgi-bin/count"');
    my @runs = map { begin(@command) } 1 .. 2;
    is_deeply [map { [finish($_)] } @runs], [[0, "1\n"], [0, "1\n"]], 'each is a world of its own';
    nothing_left 'nothing is left';
}

done;
