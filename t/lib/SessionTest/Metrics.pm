package SessionTest::Metrics;

# What the handler session-dynamodb-metrics says.
#
#   my %now = metrics();                        # 'calls_total{table="t",...}' => 3, without the common beginning
#   adds { get('/test/') } { 'GetItem ok' => 1 }, 'sentence', port => 8000;    # all that a block adds, in short words

use strict;
use warnings;

use Exporter qw(import);
use SessionTest;

our @EXPORT = qw(metrics adds parse short);

# A sample a line.
sub parse {
    my %found;
    for (grep { !/^#/ } split /\n/, shift) {
        /^session_dynamodb_(\S.*) (-?[0-9.]+)$/ or die "not a sample: $_\n";
        exists $found{$1} and die "twice: $1\n";
        $found{$1} = $2;
    }
    return %found;
}

sub metrics { return parse(get('/session-metrics', @_)->body) }

# Without the table, and of the rest the values: calls GetItem ok.
sub short {
    my $name = shift;
    my($metric, $labels) = $name =~ /^(\w+?)(?:_total)?(?:\{(.*)\})?$/;
    return join ' ', $metric, grep { length } ($labels // '') =~ /(?:^|,)(?!table|region)\w+="([^"]*)"/g;
}

# Gauges, and what depends on speed, are left out; a histogram is its number of times.
sub _counted {
    my %all = metrics(@_);
    return map { $_ => $all{$_} } grep { /_total|_count/ && !/^connections/ } keys %all;
}

# A request is counted when its response is on its way.
sub _at_rest {
    my @where = @_;
    my %last;
    eventually(sub {
        my %now = _counted(@where);
        my $same = %last && !grep { ($last{$_} // '') ne $now{$_} } keys %now;
        %last = %now;
        return $same;
    });
    return %last;
}

sub adds (&$$;@) {
    my($block, $expected, $sentence, @where) = @_;
    my %before = _at_rest(@where);
    $block->();
    quiet();
    my(%after, %added);
    eventually(sub {
        %after = _counted(@where);
        %added = map { my $n = $after{$_} - ($before{$_} // 0); $n ? (short($_) => $n) : () } keys %after;
        join(',', map { "$_ $added{$_}" } sort keys %added) eq join ',', map { "$_ $expected->{$_}" } sort keys %$expected;
    });
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_deeply \%added, $expected, $sentence;
}

1;
