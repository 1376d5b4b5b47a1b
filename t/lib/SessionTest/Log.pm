package SessionTest::Log;

# The error log is part of every result: lines that no test announced are faults, and so is any secret in it.

use strict;
use warnings;

# Two of httpd's own modules print whole requests at the trace levels, the Cookie header included. That is httpd's doing,
# and off unless somebody asks for it; their lines of these levels are left out when secrets are looked for. (Found by
# running all areas at trace8: no other module does.)
my %PRINTS_TRAFFIC = (
    http  => qr/trace4/,       # http_request.c: each header "received from client"
    http2 => qr/trace[2-8]/,   # h2_stream.c: each header as it is added, and of the request that was made of them
);

sub path { return "$_[0]/logs/error_log" }

sub size { return -s path($_[0]) || 0 }

# Lines from byte offset `from` to `to` (default: the end).
sub lines {
    my($t, $from, $to) = @_;
    open my $in, '<:raw', path($t) or return;
    seek $in, $from, 0;
    my $length = (defined $to ? $to : size($t)) - $from;
    my $text = '';
    read $in, $text, $length if $length > 0;
    return split /\n/, $text;
}

# The lines that somebody has to look at: ours, and those that our requests caused. What httpd's modules write about
# themselves and the machine (a mod_ssl that is newer than its OpenSSL, a full scoreboard, the name in a certificate) is
# no finding: it names no client.
sub noteworthy { return grep { matters($_) } @_ }

sub matters {
    my $line = shift;
    return 1 if $line =~ /exit signal|AH00051|AH00052:.*signal/;   # a child crashed, which httpd calls a notice
    return 0 if $line =~ /names another session store where SessionDynamoDB/; # an area of the tests has one: each start
    my($module) = $line =~ /^\[[^\]]*\] \[(\w*):(?:warn|error|crit|alert|emerg)\]/ or return 0;
    # How many failures were no lines, beside one that was: that one has to be announced.
    return 0 if $line =~ /\[session_dynamodb:error\].* more failures or refusals, not logged/;
    return 1 if $module =~ /session/;                     # ours, that of the tests, mod_session and what works with it
    return $line =~ / \[client |AH0004[69]/ ? 1 : 0;      # a request; a child that did not end when it was told to
}

# Remember that this stretch of the log was judged by its test.
sub mark_judged {
    my($t, $from, $to) = @_;
    append("$t/logs/judged", "$from $to\n");
}

# The lines of the stretch that was judged last; none before the first.
sub judged_last {
    my $t = shift;
    open my $in, '<', "$t/logs/judged" or return;
    my $last = (<$in>)[-1];
    return lines($t, split ' ', $last);
}

# Remember what must not be found in the log.
sub add_secret {
    my($t, @secrets) = @_;
    append("$t/logs/secrets", map { "$_\n" } @secrets);
}

sub append {
    my($file, @lines) = @_;
    open my $out, '>>', $file or die "$file: $!";
    print $out @lines;
    close $out or die "$file: $!";
}

# After the run: what is wrong with the log as a whole.
sub verdict {
    my $t = shift;
    return (unjudged($t), revealed($t));
}

sub unjudged {
    my $t = shift;
    my @judged = map { [ split ' ' ] } split /\n/, slurp("$t/logs/judged");
    my($at, @left) = (0);
    for my $stretch ((sort { $a->[0] <=> $b->[0] } @judged), [ size($t) ]) {
        push @left, lines($t, $at, $stretch->[0]) if $stretch->[0] > $at;
        $at = $stretch->[1] if defined $stretch->[1] && $stretch->[1] > $at;
    }
    my @bad = noteworthy(@left);
    my $more = @bad - 10;
    return ((map { "unexpected line, judged by no test: $_" } grep { defined } @bad[0 .. 9]),
            $more > 0 ? "... and $more more such lines" : ());
}

# A secret in the log, or in another one.
sub revealed {
    my($t, $log) = @_;
    my @secrets = patterns(split /\n/, slurp("$t/logs/secrets")) or return;
    my @found;
    open my $in, '<:raw', $log // path($t) or return;
    while (my $line = <$in>) {
        (grep { $line =~ $_ } @secrets) or next;
        my($module, $level) = $line =~ /^\[[^\]]*\] \[(\w*):(\w+)\]/;
        next if defined $level && $PRINTS_TRAFFIC{$module} && $level =~ $PRINTS_TRAFFIC{$module};
        chomp $line;
        push @found, "a secret in the error log: $line";
        last if @found >= 5;
    }
    return @found;
}

# Expressions for all secrets. The beginning of each is enough: a log may cut the rest.
sub patterns {
    my %start = map { substr($_, 0, 16) => 1 } grep { length >= 8 } @_;
    my @starts = map { quotemeta } sort keys %start;
    my @patterns;
    # perl makes a trie of some thousand words; of more it tries each at each place.
    while (my @some = splice @starts, 0, 2000) {
        my $any = join '|', @some;
        push @patterns, qr/$any/;
    }
    return @patterns;
}

sub slurp {
    my $file = shift;
    open my $in, '<:raw', $file or return '';
    local $/;
    my $text = <$in>;
    return defined $text ? $text : '';
}

1;
