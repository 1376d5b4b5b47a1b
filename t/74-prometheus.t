# A Prometheus that reads the metrics of httpd, with the alerts and the dashboard of contrib/: each of their expressions
# finds what it asks for.

use strict;
use warnings;
use File::Temp ();
use FindBin;
use HTTP::Tiny ();
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Log ();

same_under_every_mpm();
my($PROGRAM) = grep { -x } map { "$_/prometheus" } split /:/, $ENV{PATH};
Test::More::plan(skip_all => 'no Prometheus (package prometheus)') if !$PROGRAM;

my $CONTRIB = setting('src') . '/contrib';
my $DIR     = File::Temp::tempdir('/tmp/prometheus-XXXXXX', CLEANUP => 1);
my $PORT    = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')->sockport;
my $PID;
END { my $status = $?; if ($PID) { kill TERM => $PID; waitpid $PID, 0 } $? = $status }

# What the tests' httpd cannot have: credentials that expire.
my $NEVER = qr/credentials_remaining_seconds/;

sub write_file {
    open my $out, '>', "$DIR/$_[0]" or die "$DIR/$_[0]: $!";
    print $out $_[1];
    close $out or die "$DIR/$_[0]: $!";
    return;
}

# Prometheus' answer to a question: its data.
sub asked {
    my($path, %parameters) = @_;
    my $query = join '&', map { my $value = $parameters{$_}; "$_=" . $value =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ger } keys %parameters;
    my $answer = eval { JSON::PP::decode_json(HTTP::Tiny->new(timeout => 10)->get("http://127.0.0.1:$PORT/api/v1/$path?$query")->{content}) };
    return $answer && $answer->{status} eq 'success' ? $answer->{data} : undef;
}

# The series that an expression finds; none is undef where it is not understood.
sub found {
    my $data = asked('query', query => $_[0]) or return;
    return scalar @{ $data->{result} };
}

write_file('prometheus.yml', "global: { scrape_interval: 1s, evaluation_interval: 1s }\nrule_files: ['$CONTRIB/prometheus/rules.yml']\n"
    . "scrape_configs:\n  - { job_name: sessions, metrics_path: /session-metrics, static_configs: [ { targets: ['127.0.0.1:" . port() . "'] } ] }\n");
$PID = fork // die "fork: $!";
if (!$PID) {
    open STDIN,  '<', '/dev/null';
    open STDOUT, '>', "$DIR/log";
    open STDERR, '>&', \*STDOUT;
    { exec 'setpriv', '--pdeathsig', 'TERM', '--', $PROGRAM, "--config.file=$DIR/prometheus.yml", "--storage.tsdb.path=$DIR/data",
        "--web.listen-address=127.0.0.1:$PORT", '--log.level=warn' }
    POSIX::_exit(127);
}

# Traffic of some kinds while it looks at least twice, so that rates are numbers.
my $id = session(a => 1);
my $up = eventually(sub {
    get('/test/?get=a', cookie => $id);
    get('/test/?set=a:2', cookie => $id);
    get('/test/?get=a', cookie => 'x' x 43);
    return found('rate(session_dynamodb_calls_total{outcome="ok", operation="UpdateItem"}[1m]) > 0');
}, 30);
ok $up, 'Prometheus reads the metrics' or diag(SessionTest::Log::slurp("$DIR/log"));
is found('up{job="sessions"} == 1'), 1, '... which it finds in order';

note 'The dashboard';
my $dashboard = JSON::PP::decode_json(SessionTest::Log::slurp("$CONTRIB/grafana.json"));
my $asked = 0;
for my $panel (@{ $dashboard->{panels} }) {
    for my $target (@{ $panel->{targets} || [] }) {
        my $expression = $target->{expr} =~ s/\$__rate_interval/1m/gr =~ s/\$(?:table|region|instance)\b/.*/gr;
        my $series = found($expression);
        $asked++;
        if ($expression =~ $NEVER) {
            is $series, 0, "$panel->{title}: is understood, and these credentials do not expire";
        }
        else {
            cmp_ok $series // -1, '>', 0, "$panel->{title}: has data";
        }
    }
}
cmp_ok $asked, '>', 30, 'these are all of its expressions';
for my $variable (grep { ref $_->{query} } @{ $dashboard->{templating}{list} }) {
    my($series, $label) = $variable->{query}{query} =~ /^label_values\((.*), (\w+)\)$/;
    my $values = asked("label/$label/values", 'match[]' => $series =~ s/\$table/.*/r);
    cmp_ok scalar(@{ $values || [] }), '>', 0, "the variable $variable->{name} has values";
}

note 'The alerts';
my @rules = map { @{ $_->{rules} } } @{ (asked('rules') || {})->{groups} || [] };
cmp_ok scalar(@rules), '>', 10, 'Prometheus has the alerts';
for my $rule (@rules) {
    ok eventually(sub {
        my($now) = grep { $_->{name} eq $rule->{name} } map { @{ $_->{rules} } } @{ asked('rules')->{groups} };
        return $now->{health} eq 'ok';
    }), "$rule->{name}: is evaluated";
    # What is compared with the limits: "or" has two such sides, "unless" takes away from the first.
    for my $side (map { (split /\bunless\b/)[0] } split /\bor\b/, $rule->{query}) {
        my $series = found($side =~ s/\s(?:[<>]|==)\s[\d.* ]+\s*$//r);
        $side =~ $NEVER ? is $series, 0, '... for credentials that expire' : cmp_ok $series // -1, '>', 0, '... of data that are there';
    }
}
done();
