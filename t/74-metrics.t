# The handler session-dynamodb-metrics: what it says to Prometheus and in JSON, what is counted as what, and that nothing
# of it gets lost. docs/metrics.md is taken at its word.

use strict;
use warnings;
use File::Temp ();
use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Log ();
use SessionTest::Machine;
use SessionTest::Metrics;
use SessionTest::Process;
use SessionTest::Server;

my $DIR     = File::Temp::tempdir('/tmp/metrics-XXXXXX', CLEANUP => 1);
my $PARENT  = SessionTest::Process::parent($SessionTest::T);
my $PREFORK = setting('mpm') eq 'prefork';
my @METRICS = ('<Location /session-metrics>', 'SetHandler session-dynamodb-metrics', '</Location>');
my $PAGE    = SessionTest::Log::slurp(setting('src') . '/docs/metrics.md');
my %ACCEPT  = (text => 'text/plain', openmetrics => 'application/openmetrics-text', json => 'application/json');

sub children { return SessionTest::Process::children($PARENT, setting('mpm')) }
sub has_program { return grep { -x "$_/$_[0]" } split /:/, $ENV{PATH} }

# The output of a program that reads a text; its status is to be 0.
sub program_says {
    my($text, $sentence, @command) = @_;
    open my $out, '>', "$DIR/text" or die "$DIR/text: $!";
    print $out $text;
    close $out;
    my $said = `@command < '$DIR/text' 2>&1`;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is "$said$?", '0', $sentence;
}

sub promtool {
    my($text, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return program_says($text, $sentence, qw(promtool check metrics)) if has_program('promtool');
    SKIP: { skip('no promtool (package prometheus)', 1) }
    return;
}

note 'Formats';
my $id = session(a => 1);
{
    my %types = (text => 'text/plain; version=0.0.4; charset=utf-8', json => 'application/json',
                 openmetrics => 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    my $prometheus = 'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,'
        . 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
    for (['nothing' => 'text'], ['*/*' => 'text'], ['text/html, */*;q=0.8' => 'text'], [$prometheus => 'openmetrics'],
         ['application/json' => 'json'], ['text/plain;q=0.5, application/json; q=0.6' => 'json'],
         ['Application/JSON;q=0.1,TEXT/PLAIN ; q=1' => 'text'], ['application/json;q=0' => 'text'], [', ;, ;q=' => 'text']) {
        my($accept, $format) = @$_;
        get('/session-metrics', $accept eq 'nothing' ? () : (headers => ['Accept', $accept]));
        is res()->status, 200, "who accepts $accept is answered";
        is res()->header('Content-Type'), $types{$format}, "... with $format";
        like res()->header('Vary'), qr/\bAccept\b/, '... because of that';
    }
    get("/session-metrics?a=b&format=$_", headers => ['Accept', 'image/png']),
        is res()->header('Content-Type'), $types{$_}, "the query asks for $_" for sort keys %types;
    unlike res()->header('Vary') // '', qr/\bAccept\b/, '... whatever is accepted';
    get('/session-metrics?format=xml', headers => ['Accept', 'application/json']);
    is res()->header('Content-Type'), $types{json}, 'a format that is not known is none';
}

note 'What they say';
{
    get('/test/?get=a', cookie => $id);
    my $text = get('/session-metrics')->body;
    my $open = get('/session-metrics?format=openmetrics')->body;
    my $json = JSON::PP::decode_json(get('/session-metrics?format=json')->body);
    promtool($text, 'promtool finds nothing wrong');
    SKIP: {
        skip('no parser of OpenMetrics (package python3-prometheus-client)', 1)
            if system("/usr/bin/python3 -c 'import prometheus_client.openmetrics.parser' 2>/dev/null") != 0;
        program_says($open, '... and a parser of OpenMetrics reads all of it', '/usr/bin/python3', '-c',
            q("import sys; from prometheus_client.openmetrics.parser import text_string_to_metric_families as p;)
            . q( sys.exit(len(list(p(sys.stdin.read()))) < 25)"));
    }
    like $open, qr/^# EOF\n\z/m, 'OpenMetrics has its end';

    # JSON, as lines of text.
    my %said = parse($text);
    my %in_json;
    for my $family (@{ $json->{metrics} }) {
        for my $sample (@{ $family->{samples} }) {
            my @pairs = map { $text =~ /[{,]\Q$_\E="/ ? [$_, $sample->{labels}{$_}] : () } keys %{ $sample->{labels} };
            my $key = sub {
                my($suffix, @more) = @_;
                return join ' ', "$family->{name}$suffix", sort map { qq($_->[0]="$_->[1]") } @pairs, @more;
            };
            if ($sample->{buckets}) {
                $in_json{ $key->('_bucket', ['le', $_]) } = $sample->{buckets}{$_} for keys %{ $sample->{buckets} };
                $in_json{ $key->("_$_") } = $sample->{$_} for qw(sum count);
            }
            else {
                $in_json{ $key->('') } = $sample->{value};
            }
        }
    }
    my %in_text = map {
        my($name, $labels) = /^(\w+)(?:\{(.*)\})?$/;
        (join(' ', "session_dynamodb_$name", sort +($labels // '') =~ /(\w+="[^"]*")/g) => 0 + $said{$_});
    } keys %said;
    is_deeply { map { $_ => 0 + $in_json{$_} } keys %in_json }, \%in_text, 'JSON has the same samples and values';
    my %in_open = parse($open =~ s/^# EOF\n//mr);
    is_deeply [sort keys %in_open], [sort keys %said], '... and so has OpenMetrics';

    # The page: names, types and labels.
    my %of_page = $PAGE =~ /^\| `session_dynamodb_(\w+)` \| (\w+)/mg;
    my %of_text = $text =~ /^# TYPE session_dynamodb_(\w+) (\w+)/mg;
    is_deeply \%of_text, \%of_page, 'docs/metrics.md has these metrics, and no other';
    my %labels = map { $_->[0] => join ' ', sort $_->[1] =~ /`(\w+)`/g }
        map { [/^\| `session_dynamodb_(\w+)` \| [^|]+ \| ([^|]*)\|/] } grep { /^\| `session_/ } split /\n/, $PAGE;
    my %wrong;
    for (keys %said) {
        my($name, $labels) = /^(\w+?)(?:_(?:bucket|sum|count))?(?:\{(.*)\})?$/;
        my $had = join ' ', sort grep { !/^(?:table|region|le)$/ } ($labels // '') =~ /(\w+)=/g;
        $wrong{$name} = $had if $had ne ($labels{$name} // '-');
    }
    is_deeply \%wrong, {}, '... with these labels';
    for my $label (qw(operation state provider)) {
        my($values) = $PAGE =~ /^\| `$label` \| (.*) \|$/m;
        my %had = map { /\b$label="([^"]*)"/ ? ($1 => 1) : () } keys %said;
        is join(',', sort keys %had), join(',', sort $values =~ s/\([^)]*\)|: .*?(?=\||$)//gr =~ /`([^`]+)`/g),
            "... and values of $label";
    }
    my %outcomes = map { /outcome="([^"]*)"/ ? ($1 => 1) : () } keys %said;
    my($table) = $PAGE =~ /^\| `outcome` \| the call \|\n(.*?)\n\n/ms;
    is join(',', sort keys %outcomes), join(',', sort $table =~ /^\| `([\w-]+)`/mg), '... and of outcome';
    my %bounds = map { /\ble="([\d.]+)"/ ? (0 + $1 => 1) : () } keys %said;
    my($bounds) = $PAGE =~ /Buckets of the histograms end at\s+([\d., \nand]+) seconds/;
    is join(' ', sort keys %bounds), join(' ', sort map { 0 + $_ } $bounds =~ /\d+(?:\.\d+)?/g), '... and the buckets';

    # And that of events: each with its reasons.
    my($events) = SessionTest::Log::slurp(setting('src') . '/docs/events.md') =~ /^\| event \| reason.*?\n\| ---.*?\n(.*?)\n\n/ms;
    my($event, %there);
    for (split /\n/, $events) {
        my($of, $reasons) = /^\| (?:`([\w-]+)`)? ?\| ([^|]*)\|/ or next;
        $event = $of // $event;
        my $words = $event eq 'failed' ? $_ : $reasons;
        $words =~ s/^.*?could not be read, stored or ended:// if $event eq 'failed';
        $there{"$event $_"} = 1 for $event eq 'first-use' ? '' : $words =~ /`([\w-]+)`/g;
    }
    my %counted;
    for (keys %said) {
        my($reason) = /reason="([^"]*)"/ or next;
        my $of = /event="([^"]*)"/ ? $1 : /^sessions_(\w+?)_total/ ? $1 : 'failed';
        $of = 'revoked' if $of eq 'ended' && $reason =~ /^(?:others|user|one|limit)$/;
        $counted{"$of $reason"} = 1;
    }
    delete $counted{'failed other'};
    is_deeply [sort keys %counted], [sort keys %there], 'the reasons are those of docs/events.md';
}

note 'Who asks';
{
    my @answers;
    calls_are { @answers = map { get("/session-metrics?format=$_", cookie => $id) } sort keys %ACCEPT } [],
        'a request with a session makes no call for it';
    is scalar(grep { $_->set_cookies } @answers), 0, '... and gets no cookie';
    my $all = join '', map { $_->body } @answers;
    is scalar(grep { index($all, $_) >= 0 } $id, key_of($id), '127.0.0.1', 'AKID'), 0, '... and reads of nobody';
    is res()->header('Cache-Control'), 'no-store', '... what no cache stores';
    is res()->status, 200, '... in any case';
    http(path => '/session-metrics', method => 'HEAD');
    is_deeply [res()->status, res()->header('Content-Type'), res()->body], [200, 'text/plain; version=0.0.4; charset=utf-8', ''],
        'HEAD is answered without a body';
    is http(path => '/session-metrics', method => $_, body => '')->status, 405, "$_ is not" for qw(POST PUT DELETE);
    is join(' ', sort grep { $_ ne 'TRACE' } split /,\s*/, res()->header('Allow')), 'GET HEAD OPTIONS',
        '... which the answer says';
    is http(path => '/session-metrics', method => 'OPTIONS')->status, 200, 'OPTIONS is answered';
}

note 'What is counted as what';
{
    # As few attempts as there can be, and no patience.
    my $server = SessionTest::Server->start({ modules => ['status'] }, 'LogLevel info', 'SessionDynamoDBTimeout 700ms', 'SessionDynamoDBMaxAttempts 2',
        'SessionDynamoDBBreaker Off', @METRICS, '<Location /server-status>', 'SetHandler server-status', 'Session Off', '</Location>');
    my @at = (port => $server->port);
    my $of = get('/test/?set=a:1', @at)->cookie('id');
    my $read = sub { return get('/test/?get=a', cookie => $of, @at)->status };
    my $fails = sub {
        my($fault, $outcome, $reason, $attempts, %more) = @_;
        fault(op => 'GetItem', count => $attempts, %$fault);
        my $status;
        adds { $status = $read->() } +{ "calls GetItem $outcome" => 1, 'request_duration_seconds_count' => 1,
            'attempt_duration_seconds_count GetItem' => $attempts, "failures $reason" => 1,
            ($attempts > 1 ? (retries => $attempts - 1) : ()), %more }, "$fault->{kind} is $outcome", @at;
        is $status, 503, '... for which there is no session';
        clear_faults();
    };
    my @loaded = ('request_duration_seconds_count' => 1, sessions_loaded => 1, 'calls GetItem ok' => 1, consumed_read_units => 1);
    adds { $read->() } +{ @loaded, 'attempt_duration_seconds_count GetItem' => 1 }, 'a session is loaded by one call', @at;
    fault(kind => 'throttle', op => 'GetItem', count => 1);
    adds { $read->() } +{ @loaded, 'attempt_duration_seconds_count GetItem' => 2, retries => 1, throttled_attempts => 1 },
        'or by two attempts, of which one was throttled', @at;
    $fails->({ kind => 'throttle' }, 'throttled', 'throttled', 2, throttled_attempts => 2);
    $fails->({ kind => '500' }, '5xx', 'unavailable', 2);
    $fails->({ kind => 'error', status => 400, type => 'AccessDeniedException' }, 'denied', 'denied', 1);
    $fails->({ kind => 'error', status => 400, type => 'ResourceNotFoundException' }, 'invalid-request', 'invalid-request', 1);
    $fails->({ kind => 'hang' }, 'timeout', 'timeout', 1);
    $fails->({ kind => 'close_before' }, 'broken', 'unavailable', 2);
    $fails->({ kind => 'crc' }, 'bad-reply', 'unavailable', 2);
    $fails->({ kind => 'html' }, 'bad-reply', 'bad-reply', 2);
    $fails->({ kind => 'oversized' }, 'too-large', 'too-large', 1);
    $fails->({ kind => 'refuse' }, 'connect', 'unavailable', 2);

    note 'Of sessions';
    my $given;
    my $more = sub {
        my($path, $cookie, $expected, $sentence) = @_;
        adds { $given = get($path, defined $cookie ? (cookie => $cookie) : (), @at)->cookie('id') } $expected, $sentence, @at;
    };
    my $call = sub { my($op, $n) = @_; return ("calls $op ok" => $n // 1, "attempt_duration_seconds_count $op" => $n // 1) };
    my @read = (request_duration_seconds_count => 1, $call->('GetItem'), consumed_read_units => 1);
    $more->('/test/?set=a:1', undef, { request_duration_seconds_count => 1, $call->('PutItem'), consumed_write_units => 1,
        'sessions_created new' => 1 }, 'a new one');
    my $new = $given;
    $more->('/test/?set=a:2', $new, { @read, sessions_loaded => 1, $call->('UpdateItem'), consumed_write_units => 1 },
        'a change');
    $more->('/test/?renew', $new, { @read, sessions_loaded => 1, $call->('PutItem'), $call->('UpdateItem'),
        consumed_write_units => 2, 'sessions_renewed program' => 1 }, 'a new ID');
    my $renewed = $given;
    $more->('/test/?get=a', $new, { @read, refused_ids => 1, 'security_events reused login' => 1 },
        'the old ID is reused');
    $more->('/test/?clear', $renewed, { @read, sessions_loaded => 1, $call->('DeleteItem'), consumed_write_units => 1,
        'sessions_ended emptied' => 1 }, 'an end');
    $more->('/test/?get=a', $renewed, { @read, refused_ids => 1, 'security_events refused unknown' => 1 },
        'an unknown ID');
    $more->('/test/?get=a', $renewed, { refused_ids => 1, 'security_events refused repeated' => 1,
        request_duration_seconds_count => 1 }, 'the same again, which costs no call');
    $more->('/test/?get=a', 'x' x 43, { refused_ids => 1, 'security_events refused form' => 1,
        request_duration_seconds_count => 1 }, 'what can be no ID');
    $more->('/test/', undef, {}, 'a request without a session is nothing');

    note 'Connections';
    my %before = metrics(@at);
    $read->() for 1 .. 20;
    my %after = metrics(@at);
    my %added;
    for (keys %after) {
        $added{$1} += $after{$_} - $before{$_} if /^connections_(\w+)_total/;
        $added{ever} += $after{$_} if /^connections_opened/;
    }
    is $added{opened} + $added{reused}, 20, 'each attempt has a connection, new or not';
    cmp_ok $added{ever}, '>', 0, '... and some were opened';

    note 'The queue';
    my $length = sub { my %now = metrics(@at); return "$now{queue_length} $now{queue_length_max}" };
    is $length->(), '0 0', 'nothing is queued';
    fault(kind => 'hold', op => 'UpdateItem', count => 0);
    age($of, 300);
    $read->();
    ok eventually(sub { $length->() eq '1 1' }), 'a touch is under way';
    clear_faults();
    release();
    ok eventually(sub { $length->() eq '0 0' }), '... and done';
    promtool(get('/session-metrics', @at)->body, 'promtool finds nothing wrong with all that');
    %after = metrics(@at);
    my %status = get('/server-status?auto', @at)->body =~ /^SessionDynamoDB(\w+): (\S+)$/mg;
    my $sum = sub { my($pattern) = @_; my $n = 0; $n += $after{$_} for grep { /$pattern/ } keys %after; return $n };
    my %same = (Failed5xx => qr/outcome="5xx"/, FailedTimeout => qr/^calls.*outcome="timeout"/, FailedConnect => qr/outcome="connect"/,
        FailedThrottled => qr/^calls.*outcome="throttled"/, FailedDenied => qr/^calls.*outcome="denied"/,
        FailedConditions => qr/outcome="conflict"/, Failures => qr/^failures/, Loaded => qr/^sessions_loaded/,
        Created => qr/^sessions_created/, Renewed => qr/^sessions_renewed/, Ended => qr/^sessions_ended/,
        RefusedIDs => qr/^refused_ids/, Retries => qr/^retries/, Throttled => qr/^throttled_attempts/,
        GetItem => qr/^calls.*"GetItem",outcome="(?!rejected)/, Attempts => qr/^attempt_duration_seconds_count/,
        Requests => qr/^request_duration_seconds_count/, AttemptSeconds => qr/^attempt_duration_seconds_sum/,
        ConnectionsOpened => qr/^connections_opened/, ReadUnits => qr/^consumed_read/, Queued => qr/^queue_length$/);
    is_deeply { map { $_ => 0 + $status{$_} } keys %same }, { map { $_ => 0 + sprintf '%.6f', $sum->($same{$_}) } keys %same },
        'mod_status says the same';
    $server->stop(qr/the session could not be read/, qr/AH01816/);
}

note 'A circuit breaker';
{
    my $server = SessionTest::Server->start(@SessionTest::Server::ONE_CHILD, 'SessionDynamoDBBreaker 2',
        'SessionDynamoDBMaxAttempts 1', 'LogLevel info', @METRICS);
    my @at    = (port => $server->port);
    my $of    = get('/test/?set=a:1', @at)->cookie('id');
    my $read  = sub { return get('/test/?get=a', cookie => $of, @at)->status };
    my $state = sub {
        my %now = metrics(@at);
        my @is = map { /^breaker_children\{.*state="(.*?)"/ && $now{$_} ? "$1 $now{$_}" : () } sort keys %now;
        return "@is";
    };
    is $state->(), 'closed 1', 'it is closed';
    fault(kind => '500', op => 'GetItem', count => 2);
    $read->() for 1, 2;
    ok eventually(sub { $state->() =~ /open 1/ }), '... and opens';
    # One of the next requests probes.
    fault(kind => 'hold', op => 'GetItem', count => 0);
    my @waiting;
    if (!$PREFORK) {
        ok eventually(sub {
            push @waiting, connection($server->port);
            $waiting[-1]->send_request(path => '/test/?get=a', headers => [['Cookie', "id=$of"]]);
            return $state->() eq 'half-open 1';
        }), '... is half open while a probe is under way';
        my($rejected) = map { /outcome="rejected"/ && /GetItem/ ? $_ : () } keys %{ { metrics(@at) } };
        my %before = metrics(@at);
        is $read->(), 503, '... and another request is rejected';
        my %after = metrics(@at);
        is $after{$rejected} - $before{$rejected}, 1, '... which is counted';
    }
    clear_faults();
    release();
    $_->read_response for @waiting;
    ok eventually(sub { $read->() == 200 }), '... and in the end';
    is $state->(), 'closed 1', '... it is closed again';
    my %now = metrics(@at);
    is $now{(grep { /^breaker_opened_total/ } keys %now)[0]}, 1, '... after it opened once';
    # A child that dies with an open one takes it along.
    fault(kind => '500', op => 'GetItem', count => 2);
    $read->() for 1, 2;
    ok eventually(sub { $state->() =~ /open 1/ }), 'it opens again';
    clear_faults();
    kill KILL => SessionTest::Process::children($server->pid, setting('mpm'));
    ok eventually(sub { (eval { $state->() } // '') eq 'closed 1' }, 20), '... and is gone with its child';
    %now = metrics(@at);
    is $now{(grep { /^breaker_opened_total/ } keys %now)[0]}, 2, '... but counted';
    $server->stop(qr/the session could not be read/, qr/AH01816/, qr/circuit breaker open/,
        $server->log_lines(qr/AH00161/) ? qr/AH00161/ : ());   # one child is all that prefork may have
}

note 'Credentials';
{
    my $metadata = SessionTest::Machine::metadata();
    my $seen = sub {
        my($httpd) = @_;
        my %now = metrics(port => $httpd->port);
        my @is = map { /^credentials_children\{.*provider="(.*?)"/ && $now{$_} ? "$1 $now{$_}" : () } sort keys %now;
        my($remaining) = map { /^credentials_remaining/ ? $now{$_} : () } keys %now;
        return ("@is", $remaining);
    };
    $metadata->(POST => 'set', { id => 'ASIAMETADATA', secret => 'metadata-secret-of-this-test',
                                 token => 'metadata-token-of-this-test', expires_in => 3600 });
    my $httpd = SessionTest::Machine->start(AWS_EC2_METADATA_SERVICE_ENDPOINT => $metadata->('url'));
    ok eventually(sub { ($seen->($httpd))[0] eq 'instance metadata 1' }), 'the provider is named';
    my(undef, $remaining) = $seen->($httpd);
    cmp_ok $remaining, '>', 3600 - 120, '... and how long its credentials last';
    cmp_ok $remaining, '<=', 3600, '... which is not longer than it said';
    my $said = join '', get('/session-metrics', port => $httpd->port)->body;
    is index($said, 'ASIAMETADATA'), -1, '... but no key';
    $httpd->stop;

    $httpd = SessionTest::Machine->start(AWS_EC2_METADATA_DISABLED => 'true');
    adds { get('/?set=a:1', port => $httpd->port) } +{ 'calls PutItem credentials' => 1, 'failures no-credentials' => 1,
        request_duration_seconds_count => 1 }, 'a call without credentials is counted as that', port => $httpd->port;
    is_deeply [$seen->($httpd)], ['none 1', undef], '... and there is no provider';
    $httpd->stop(qr/no AWS credentials/, qr/could not be written/, qr/AH01822/);
}

note 'Tables';
{
    my $url = 'http://localhost:' . setting('table');
    my %host = ('one.test'   => ['SessionDynamoDBTableName app_session'],
                'same.test'  => ['SessionDynamoDBTableName app_session', 'SessionDynamoDBTimeout 3s'],
                'two.test'   => ['SessionDynamoDBTableName other_session'],
                'there.test' => ['SessionDynamoDBTableName app_session', "SessionDynamoDBEndpointURL $url"],
                # httpd says without TLS that it wants none.
                'tls.test'   => ['SessionDynamoDBTableName tls_session', 'SessionDynamoDBEndpointURL https://127.0.0.1:' . port()]);
    my $server = SessionTest::Server->start('LogLevel info', 'SessionDynamoDBMaxAttempts 1', @METRICS,
        map { ('<VirtualHost *>', "ServerName $_", @{ $host{$_} }, '</VirtualHost>') } sort keys %host);
    my @at  = (port => $server->port);
    my $add = sub {
        my($host) = @_;
        my %before = metrics(@at);
        get('/test/?set=a:1', host => $host, @at);
        my %after = metrics(@at);
        return join ' ', map { $after{$_} - $before{$_} == 1 && /^calls_total\{(.*),operation="PutItem",outcome="(.*)"/ ? "$1 $2" : () }
            keys %after;
    };
    my $here = 'http://127.0.0.1:' . setting('table');
    for (['two.test',   qq(table="other_session",region="us-east-1" ok)],
         ['one.test',   qq(table="app_session",region="us-east-1",endpoint="$here" ok)],
         ['same.test',  qq(table="app_session",region="us-east-1",endpoint="$here" ok)],
         ['there.test', qq(table="app_session",region="us-east-1",endpoint="$url" ok)],
         ['tls.test',   qq(table="tls_session",region="us-east-1" tls)]) {
        my($host, $expected) = @$_;
        is $add->($host), $expected, "what $host does counts there";
    }
    promtool(get('/session-metrics', @at)->body, 'promtool finds nothing wrong');
    $server->stop(qr/could not be written/, qr/AH01822/);
}

if (!$PREFORK) {
    note 'Many of them';
    my @lines = map { ('<VirtualHost *>', "ServerName $_.test", "SessionDynamoDBTableName session_table_of_host_$_", '</VirtualHost>') } 1 .. 63;
    my $server = SessionTest::Server->start('LogLevel info', @METRICS, @lines);
    my $text = get('/session-metrics', port => $server->port)->body;
    is scalar(() = $text =~ /^session_dynamodb_retries_total/mg), 64, 'sixty-four tables are all there';
    cmp_ok length $text, '<', 2_000_000, '... in less than 2 MB';
    note length($text), ' bytes; JSON ', length get('/session-metrics?format=json', port => $server->port)->body;
    promtool($text, '... and promtool finds nothing wrong');
    $server->stop;
}

note 'Children that die, and a restart';
{
    my $sum = sub { my $n = 0; my %now = eval { metrics() }; $n += $now{$_} for grep { /^calls_total|_created_total|_units/ } keys %now; return $n };
    # Each child has something to count.
    parallel(map { ['/test/?get=a', cookie => $id] } 1 .. 20);
    quiet();
    my %before;
    eventually(sub { my $n = $sum->(); %before = metrics(); $n == $sum->() });
    my $counted  = $sum->();
    my @children;
    ok eventually(sub { my %m = metrics(); @children = children(); $m{child_processes} == @children }, 20),
        'the gauges are those of all children';
    kill KILL => @children;
    ok eventually(sub {
        my %old = map { $_ => 1 } @children;
        my @now = children();
        @now && !grep { $old{$_} } @now and (eval { my %m = metrics(); $m{child_processes} } // 0) == @now;
    }, 20), 'those that died are not among them any more';
    is $sum->(), $counted, '... and what they counted is not lost';
    my %now = metrics();
    is $now{start_time_seconds}, $before{start_time_seconds}, '... as the start says';

    my $restarts = () = log_lines(my $restart = qr/SIGUSR1 received|Graceful restart requested/);
    kill USR1 => $PARENT;
    ok eventually(sub { $restarts < (() = log_lines($restart)) }), 'a graceful restart';
    ok eventually(sub { my %old = map { $_ => 1 } children(); my %m = eval { metrics() }; ($m{child_processes} // 0) > 0 && $sum->() == $counted }, 20),
        '... goes on with all that was counted';
    %now = metrics();
    is $now{start_time_seconds}, $before{start_time_seconds}, '... from the same start';
    get('/test/?get=a', cookie => $id);
    ok eventually(sub { $sum->() > $counted }), '... and counts on';
    promtool(get('/session-metrics')->body, '... and promtool finds nothing wrong');
    my %other;
    my $server = SessionTest::Server->start(@METRICS);
    %other = metrics(port => $server->port);
    cmp_ok $other{start_time_seconds}, '>', $before{start_time_seconds}, 'an httpd that is started begins then';
    is scalar(grep { /_total/ && $other{$_} != 0 } keys %other), 0, '... with 0';
    $server->stop;
}

note 'A restart with other tables';
{
    my @host = map { my $n = $_; ["$n.test", '<VirtualHost *>', "ServerName $n.test", "SessionDynamoDBTableName ${n}_session", '</VirtualHost>'] }
        qw(app other third);
    my $server = SessionTest::Server->start('LogLevel info', @METRICS, map { @$_[1 .. 4] } @host[0, 1]);
    my $file = "$server->{dir}/all.conf";
    my $conf = SessionTest::Log::slurp($file);
    my @at   = (port => $server->port);
    my $counted = sub {
        my %now = eval { metrics(@at) };
        return join ' ', map { /^sessions_created_total\{table="(.*?)".*"new"\}/ ? "$1 $now{$_}" : () } sort keys %now;
    };
    my $restart = sub {
        my($with, $expected, $sentence) = @_;
        open my $out, '>', $file or die "$file: $!";
        print $out $with;
        close $out;
        kill USR1 => $server->pid;
        ok eventually(sub { $counted->() eq $expected }, 20), $sentence or diag $counted->();
    };
    get('/test/?set=a:1', host => $_->[0], @at) for @host[0, 1, 1];
    ok eventually(sub { $counted->() eq 'app_session 1 other_session 2' }), 'two tables';
    my @block = map { join "\n", @$_[1 .. 4] } @host;
    $restart->($conf =~ s/\Q$block[1]\E/$block[2]/r, 'app_session 1 third_session 0', '... one goes, and another comes');
    $restart->($conf, 'app_session 1 other_session 2', '... and comes back with what it had');
    $server->stop;
}

note 'The page';
{
    my($conf, $yml) = map { s/^ {4}//gmr } $PAGE =~ /^((?: {4}.*\n)+)/mg;
    my $server = SessionTest::Server->start({ modules => ['authz_host'] }, $conf);
    is get('/session-metrics', port => $server->port)->status, 200, 'what the page says to configure answers';
    $server->stop;
    SKIP: {
        skip('no promtool (package prometheus)', 1) if !has_program('promtool');
        open my $out, '>', "$DIR/prometheus.yml" or die "$DIR: $!";
        print $out $yml;
        close $out;
        like scalar(`promtool check config '$DIR/prometheus.yml' 2>&1`), qr/SUCCESS/, '... and what it says to Prometheus is valid';
    }
}

done;
