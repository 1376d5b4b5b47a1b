package SessionTest::Faults;

# Every fault against every operation: the tables of both, and what has to come of each pair.
#
#   survive($operation, $fault) for faults();           # a subtest each, counted by tally
#   over(qr/.../);                                       # instead of done: what the logs of all this hold

use strict;
use warnings;

use Exporter qw(import);
use SessionTest;
use SessionTest::Login qw(is_tombstone live_rows);
use SessionTest::Log;
use SessionTest::Outage;
use SessionTest::Server;

our @EXPORT = qw(faults survive over);

# The calls that are expected are waited for; this is for those that are not.
@SessionTest::QUIET = (10, 40);

# Time for all attempts, and none to lose with what hangs.
my %DEADLINE = ('patient.test' => 2, 'hurried.test' => 0.5);
my $SLACK    = 1.5;                                           # seconds for a busy machine
my $OURS     = qr/\[session_dynamodb:(?:error|warn)\]/;

# Of failures of one kind an httpd logs one a second, and each case has to have its line: they go to several in turn.
my $HOW_MANY = 4;
my @SERVERS;

sub next_server {
    if (@SERVERS < $HOW_MANY) {
        my $server = SessionTest::Server->start('LogLevel info', 'SessionDynamoDBBreaker Off', map {
            ('<VirtualHost *>', "ServerName $_", "SessionDynamoDBTimeout @{[1000 * $DEADLINE{$_}]}ms", '</VirtualHost>')
        } sort keys %DEADLINE);
        # Where handlers meet.
        symlink "$SessionTest::T/state", "$server->{dir}/state" or die "state: $!";
        push @SERVERS, $server;
        return $server;
    }
    push @SERVERS, shift @SERVERS;
    return $SERVERS[-1];
}

# The end of a file: as done, for the logs of all these servers.
sub over {
    my @expected = @_;
    quiet(100);
    $_->end for @SERVERS;
    my @lines = map { $_->log_lines(qr/./) } @SERVERS;
    my @bad   = grep { my $line = $_; !grep { $line =~ $_ } @expected } SessionTest::Log::noteworthy(@lines);
    my @unmet = grep { my $pattern = $_; !grep { /$pattern/ } @lines } @expected;
    my @told  = map { SessionTest::Log::revealed($SessionTest::T, $_->{log}) } @SERVERS;
    is join("\n", @bad, @unmet, @told), '', 'the logs hold what was expected, and no secret';
    done();
    return;
}

# For each fault, in this order:
#   the fault of the server       what the line in the log has to say
#   tries     attempts (3), or with `reach` those of them that come as far as being a request (else as many)
#   did       the table carried it out, and nobody knows        unsure    it did not, and nobody knows
#   good      it is none for us; `again`: after so many attempts more, and a line in the log
#   nonsense  no answer at all, for which a read is tried again, and a write not
#   mend      it does not pass by itself, so that nobody is told to come again
#   hurried   it lasts as long as it may                         all       it hits every call; connect: every connection
my $SERVER  = 'no answer|closed|reset|broke|Recv failure|Send failure|Empty reply';
my $ACCEPT  = "$SERVER|Failed to connect"; # libcurl may see it as part of the connect
my $TIME    = 'timed out; last attempt: ';
my $NO_JSON = 'the body is not a JSON object: check the endpoint and any proxy';
my @FAULTS  = (
    'refused'               => { kind => 'refuse',       says => 'check that the endpoint is up', connect => 1,
                                 reach => 0 },
    'reset when accepted'   => { kind => 'reset_accept', says => $ACCEPT, reach => 0, connect => 1, unsure => 1 },
    'closed when accepted'  => { kind => 'close_accept', says => $ACCEPT, reach => 0, connect => 1, unsure => 1 },
    'reset before'          => { kind => 'reset_before', says => $SERVER, unsure => 1 },
    'closed before'         => { kind => 'close_before', says => $SERVER, unsure => 1 },
    'reset after'           => { kind => 'reset_after',  says => $SERVER, did => 1 },
    'closed after'          => { kind => 'close_after',  says => $SERVER, did => 1 },
    'hangs'                 => { kind => 'hang',         says => $TIME, tries => 1, hurried => 1, unsure => 1 },
    'hangs after'           => { kind => 'hang_after',   says => $TIME, tries => 1, hurried => 1, did => 1 },
    'trickles'              => { kind => 'trickle',      says => $TIME, tries => 1, hurried => 1, did => 1 },
    'slow, but complete'    => { kind => 'slow',         good => 1 },
    'late, but complete'    => { kind => 'delay', with => { delay => 100 }, good => 1 },
    '500'                   => { kind => '500',          says => 'type InternalServerError', unsure => 1 },
    '503'                   => { kind => '503',          says => 'type ServiceUnavailableException', unsure => 1 },
    'did it but said 500'   => { kind => 'did_but_500',  says => 'type InternalServerError', did => 1 },
    'throttled'             => { kind => 'throttle',     says => 'type ProvisionedThroughputExceededException' },
    'wrong checksum'        => { kind => 'crc',          says => 'its checksum does not match', did => 1 },
    'no checksum'           => { kind => 'no_crc',       good => 1 },
    'truncated'             => { kind => 'truncated',    says => 'broke before the answer was complete', did => 1 },
    'garbage'               => { kind => 'garbage',      says => $NO_JSON, nonsense => 1, unsure => 1 },
    'oversized'             => { kind => 'oversized', with => { size => 2_000_000 }, says => 'body exceeds 1048576',
                                 tries => 1, mend => 1, unsure => 1 },
    'endless'               => { kind => 'endless', says => 'body exceeds 1048576', tries => 1, mend => 1,
                                 unsure => 1 },
    'HTML'                  => { kind => 'html',         says => $NO_JSON, nonsense => 1, unsure => 1 },
    'HTML with 502'         => { kind => 'html', with => { status => 502 },
                                 says => 'the body is not a DynamoDB error', unsure => 1 },
    'empty'                 => { kind => 'empty',        says => $NO_JSON, nonsense => 1, unsure => 1 },
    'JSON, but a list'      => { kind => 'wrong_type', with => { body => [] },
                                 says => $NO_JSON, nonsense => 1, unsure => 1 },
    'another content type'  => { kind => 'content_type', good => 1 },
    'expired credentials'   => { kind => 'expired',      says => 'type ExpiredTokenException', tries => 1, mend => 1 },
    'clock skew'            => { kind => 'skew', all => 1, good => 1, again => 1,
                                 says => qr/warn\].* clock is 3[56]\d\d s behind DynamoDB/ },
    'not allowed'           => { kind => 'error', with => { type => 'AccessDeniedException' },
                                 says => 'type AccessDeniedException', tries => 1, mend => 1 },
);
my %FAULT = @FAULTS;

sub faults { return grep { !ref } @FAULTS }

# For each operation: the page, the call that the fault hits, those before it and, when all is well, behind it; the line
# in the log.
my $UNWRITTEN = 'the session could not be written';
my %OPERATION = (
    load   => { page => 'get=a',   call => 'GetItem',    line => 'the session could not be read' },
    create => { page => 'set=a:1', call => 'PutItem',    line => $UNWRITTEN, new => 1 },
    save   => { page => 'set=a:2', call => 'UpdateItem', line => $UNWRITTEN, before => ['GetItem'] },
    touch  => { page => 'get=a',   call => 'UpdateItem', line => 'queued touch \(session activity\) failed',
                before => ['GetItem'] },
    renew  => { page => 'renew',   call => 'PutItem',    line => $UNWRITTEN, before => ['GetItem'],
                behind => ['UpdateItem'] },
    end    => { page => 'clear',   call => 'DeleteItem', line => $UNWRITTEN, before => ['GetItem'] },
);

my $requests;

sub survive {
    my($operation, $name) = @_;
    my $case = { name => "$operation: $name", operation => $operation,
                 o => $OPERATION{$operation}, f => $FAULT{$name}, server => next_server() };
    $case->{o} && $case->{f} or die "there is no such case: $case->{name}\n";
    my $lost = 0;
    $case->{name_of_host} = $case->{f}{hurried} ? 'hurried.test' : 'patient.test';
    $case->{host} = [host => $case->{name_of_host}, port => $case->{server}->port];
    $requests = 0;
    my $ok = subtest $case->{name} => sub {
        begin($case);
        suffer($case);
        judge_answer($case);
        judge_calls($case);
        judge_log($case);
        judge_table($case);
        $lost = recover($case) ? 0 : 1;
    };
    tally(faults_tried => 1, faults_survived => $ok ? 1 : 0, requests => $requests, sessions_lost => $lost);
    return $ok;
}

sub ask {
    my($case, $page) = splice @_, 0, 2;
    $requests++;
    my @kept = $case->{connection} ? (connection => $case->{connection}, keep => 1) : ();
    return get("/test/?$page", @{ $case->{host} }, @kept, defined $case->{id} ? (cookie => $case->{id}) : (), @_);
}

sub fails { return !$_[0]{f}{good} }

# The row before, which a touch wants to be old.
sub begin {
    my $case = shift;
    clear_tables();
    # A load or a touch is alone of its kind; a write that fails may have a removal behind it.
    my @lines = $case->{server}->log_lines($case->{operation} =~ /load|touch/ ? qr/$case->{o}{line}/ : $OURS);
    another_second(@lines) if fails($case) && @lines;
    return if $case->{o}{new};
    $case->{id} = ask($case, 'set=a:1')->cookie('id') or BAIL_OUT("$case->{name}: no session to begin with");
    age($case->{id}, 100) if $case->{operation} eq 'touch';
    $case->{before} = row(key_of($case->{id}));
}

# The request, and the fault in its way. One that hits every call comes when the session has been read. The child that
# corrected its clock has to meet the next request, too: that comes on the same connection.
sub suffer {
    my $case = shift;
    my($o, $f) = @$case{qw(o f)};
    my $all  = $f->{connect} || $f->{all};
    my $wait = $all && $o->{before};
    my $path = '/test/?' . ($wait ? 'meet=' . ($case->{meet} = $case->{name} =~ s/\W+/-/gr) . '&' : '') . $o->{page};
    my $break = sub {
        close_connections() if $f->{connect};
        fault(kind => $f->{kind}, %{ $f->{with} || {} }, $all ? () : (op => $o->{call}), count => 0);
    };
    $case->{logged} = (() = $case->{server}->log_lines($OURS));
    $case->{calls} = [ calls {
        $break->() unless $wait;
        my $connection = connection($case->{server}->port);
        $requests++;
        $connection->send_request(path => $path, headers => [
            defined $case->{id} ? [Cookie => "id=$case->{id}"] : ()], @{ $case->{host} }, keep => $f->{again});
        if ($wait) {
            here($case->{meet}) or BAIL_OUT("$case->{name}: its handler did not begin");
            $break->();
            let_go($case->{meet});
        }
        $case->{connection} = $connection if $f->{again};
        $case->{seconds} = within { $case->{answer} = $connection->read_response };
    } scalar @{ expected_calls($case) } ];
    return;
}

# A new row that may be there, and whose ID nobody was told.
sub withdrawn {
    my $case = shift;
    return $case->{operation} =~ /create|renew/ && ($case->{f}{did} || $case->{f}{unsure});
}

sub tries {
    my $case = shift;
    return $case->{f}{nonsense} && $case->{o}{call} ne 'GetItem' ? 1 : $case->{f}{tries} || 3;
}

sub expected_calls {
    my $case = shift;
    my($o, $f) = @$case{qw(o f)};
    my $count = $f->{good} ? 1 + ($f->{again} || 0) : defined $f->{reach} ? $f->{reach} : tries($case);
    my @behind = !fails($case) ? @{ $o->{behind} || [] } : withdrawn($case) && !$f->{connect} ? 'DeleteItem' : ();
    return [ @{ $o->{before} || [] }, ($o->{call}) x $count, @behind ];
}

sub judge_answer {
    my $case   = shift;
    my $answer = $case->{answer};
    cmp_ok $case->{seconds}, '<', $DEADLINE{ $case->{name_of_host} } + $SLACK, 'an answer within the deadline';
    if (fails($case) && $case->{operation} ne 'touch') {
        is $answer->status, 503, '... 503';
        $case->{f}{mend} || $case->{f}{nonsense}
            ? is $answer->header('Retry-After'), undef, '... without Retry-After'
            : like $answer->header('Retry-After'), qr/^[1-9]\d*$/, '... with Retry-After';
        is_deeply [$answer->set_cookies], [], '... without a Set-Cookie';
        is $answer->header('Cache-Control'), 'no-store', '... not for caches';
        unlike $answer->body, qr/^(?:get|set|clear|renew)\b/m, '... with nothing of the page';
        return;
    }
    is $answer->status, 200, '... 200';
    is $answer->header('Retry-After'), undef, '... without Retry-After';
    my $cookie = $answer->cookie('id');
    my %given = (create => qr/^[\w-]{43}$/, renew => qr/^[\w-]{43}$/, end => qr/^$/);
    $given{ $case->{operation} } ? like $cookie, $given{ $case->{operation} }, '... with its cookie'
                                 : is $cookie, undef, '... without a Set-Cookie';
    $case->{renewed} = $case->{id};
    $case->{id} = $cookie if $case->{operation} =~ /create|renew/;
    return;
}

sub judge_calls {
    my $case = shift;
    is "@{ $case->{calls} }", "@{ expected_calls($case) }", 'the calls to the table';
    return;
}

sub judge_log {
    my $case = shift;
    my($o, $f) = @$case{qw(o f)};
    # Nothing reaches the table: the removal of what may be there fails as well.
    my $count = !fails($case) ? $f->{says} ? 1 : 0 : $f->{connect} && withdrawn($case) ? 2 : 1;
    my $lines = sub { my @lines = $case->{server}->log_lines($OURS); return @lines[$case->{logged} .. $#lines] };
    eventually(sub { $count <= (() = $lines->()) });
    my @lines = $lines->();
    is scalar(@lines), $count, "lines in the log: $count" or diag join "\n", @lines;
    return unless $count;
    return like $lines[0], $f->{says}, '... says what was mended' unless fails($case);
    my $tries = tries($case);
    like $lines[0], qr/table app_session: $o->{line}: .*\($o->{call}, type \S+, .*, $tries attempts\)/,
        '... names the table, the operation and how often it was tried';
    like $lines[0], qr/$f->{says}/, '... and what was wrong';
    return;
}

sub judge_table {
    my $case = shift;
    my($operation, $f) = @$case{qw(operation f)};
    my $done = $f->{good} || $f->{did};
    clear_faults();
    my $alone = eventually(sub { 1 >= (() = live_rows()) });
    if (!$case->{before}) {
        return is scalar(() = rows()), $f->{good} ? 1 : 0, 'one new row if it was given out, else none';
    }
    ok $alone, 'no row besides';
    my $row = row(key_of($case->{id}));
    return is $row, undef, 'the row is gone' if $operation eq 'end' && $done;
    if ($operation eq 'renew' && $f->{good}) {
        is_tombstone($case->{renewed}, 'the old row tells that its ID was replaced');
        return is data_of($row), 'a=1', '... and the new one has its data';
    }
    return is_deeply $row, $case->{before}, 'the row is as it was' if !$done || $operation !~ /save|touch/;
    is $row->{version}{N}, $operation eq 'save' ? 2 : 1, 'the row is the new one';
    is data_of($row), $operation eq 'save' ? 'a=2' : 'a=1', '... with its data';
    cmp_ok seconds_of($row->{accessed}{S}), '>', seconds_of($case->{before}{accessed}{S}), '... and its time';
    return;
}

# The fault is over: 1 when the session is there, or where there is none to be, a new one can begin.
sub recover {
    my $case = shift;
    my $done = $case->{f}{good} || $case->{f}{did};
    my %value = (save => $done ? 2 : 1, end => $done ? '(none)' : 1, create => $case->{f}{good} ? 1 : '(none)');
    my $expected = exists $value{ $case->{operation} } ? $value{ $case->{operation} } : 1;
    my $answer = ask($case, 'get=a');
    my $there = is $answer->line('get a'), $expected, 'the next request finds what is to be found';
    is ask($case, 'set=b:1')->status, 200, '... and stores';
    return $there;
}

1;
