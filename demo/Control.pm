package Control;

# What is behind the demo's application: the switch that pauses the table, and the counters of both servers.
use strict;
use warnings;

use HTTP::Tiny ();
use Page;

# What is shown: a name, a text, and which samples of /session-metrics are added up (docs/metrics.md).
my @SHOWN = (
    ['begun',   'Sessions begun',      qr/^sessions_created_total\{/],
    ['ended',   'Sessions ended',      qr/^sessions_ended_total\{/],
    ['reads',   'Reads of the table',  qr/^calls_total\{.*operation="GetItem",outcome="(?!rejected")/],
    ['writes',  'Writes to the table', qr/^calls_total\{.*operation="(?!GetItem")\w+",outcome="(?!rejected")/],
    ['merged',  'Changes merged',      qr/^merges_total\{/],
    ['failed',  'Failed calls',        qr/^calls_total\{.*outcome="(?!ok"|conflict"|rejected")/],
    ['untried', 'Calls not tried',     qr/^calls_total\{.*outcome="rejected"/],
);

# --- the switch ------------------------------------------------------------------------------------------------------

# The table obeys a file, so that this program needs no right but to write in one directory.
sub file { return ($ENV{DEMO_CONTROL} // die "DEMO_CONTROL is not set\n") . '/paused' }
sub is_paused { return -e file() }

sub pause {
    open my $out, '>', file() or die file() . ": $!\n";
    return close $out;
}

sub resume { return !is_paused() || unlink file() }

sub switch_section {
    my $paused = is_paused();
    my ($state, $about, $action, $button) = $paused
        ? ('paused', 'Requests with a session are answered with 503 and <code>Retry-After</code>. '
            . '<a href="/">Try one</a>. Nobody is logged out: cookies stay as they are.',
            'resume', 'Let the table answer again')
        : ('answering', 'Pause it to see an outage: the table takes requests and never answers them.',
            'pause', 'Pause the table');
    return <<"HTML";
<section aria-labelledby="switch">
<h2 id="switch">The table is <span class="state $state">$state</span></h2>
<p>$about</p>
<form method="post" action="/store">
<input type="hidden" name="action" value="$action">
<button>$button</button>
</form>
</section>
HTML
}

# --- the counters ----------------------------------------------------------------------------------------------------

# The servers, name => URL, in order of their names.
sub servers { return map { [split /=/, $_, 2] } sort split ' ', $ENV{DEMO_SERVERS} // '' }

# The counters of all servers, { 'A.begun' => 3, ... }; those of a server that is down are missing.
sub counters {
    my $http = HTTP::Tiny->new(timeout => 2, proxy => undef, http_proxy => undef);
    my %counters;
    for my $server (servers()) {
        my ($name, $url) = @$server;
        my $reply = $http->get("$url/session-metrics");
        next if !$reply->{success};
        my @samples = $reply->{content} =~ /^session_dynamodb_(.*) (\S+)$/mg;
        while (my ($sample, $value) = splice @samples, 0, 2) {
            for my $shown (@SHOWN) {
                my ($key, $text, $these) = @$shown;
                $counters{"$name.$key"} += $sample =~ $these ? $value : 0;
            }
        }
    }
    return %counters;
}

# One sentence about all of them, for those who do not look at a table.
sub summary {
    my %counters = @_;
    my %sum;
    for my $key (keys %counters) {
        $sum{ $key =~ s/.*\.//r } += $counters{$key};
    }
    return sprintf 'reads %d, writes %d, failed calls %d.', map { $sum{$_} // 0 } qw(reads writes failed);
}

sub counters_section {
    my %counters = counters();
    my @servers  = map { $_->[0] } servers();
    my $cell = sub {
        my ($key) = @_;
        return "<span data-counter=\"$key\">" . text($counters{$key} // 'none') . '</span>';
    };
    my @rows = map {
        my ($key, $text) = @$_;
        [$text, map { $cell->(text("$_.$key")) } @servers];
    } @SHOWN;
    my $table   = table('Since each server started', ['Counter', map { 'Server ' . text(uc) } @servers], @rows);
    my $summary = text(summary(%counters));
    return <<"HTML";
<section aria-labelledby="counters" data-live="/counters">
<h2 id="counters">Counters</h2>
<p>Both servers together: <span role="status" data-summary>$summary</span></p>
$table
<p class="buttons"><a class="button" href="" data-refresh>Refresh</a></p>
</section>
HTML
}

1;
