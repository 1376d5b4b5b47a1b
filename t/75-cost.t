# What is counted, what docs/cost.md says, and what session-dynamodb works out, are the same.

use strict;
use warnings;
use FindBin;
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use lib "$FindBin::Bin/lib";
use SessionTest;

same_under_every_mpm();

needs('capacity as AWS counts it');

my $PROGRAM = setting('build') . '/session-dynamodb';

# DynamoDB's way of counting bytes, by its documentation.
sub number_size { my $digits = shift; 1 while $digits =~ s/^(\d*[1-9]\d*)00$/$1/; return 1 + int((length($digits) + 1) / 2) }
sub row_size {
    my $row = shift;
    my $size = 0;
    for my $name (keys %$row) {
        my($type, $value) = %{ $row->{$name} };
        $size += length($name)
            + ($type eq 'N' ? number_size($value) : $type eq 'B' ? length decode_base64($value) : length $value);
    }
    return $size;
}

# Read and write units that a block adds.
sub units (&) {
    my $block = shift;
    my @counted = map {
        $block->() if $_;
        quiet() if $_;
        my %now = get('/server-status?auto')->body =~ /^SessionDynamoDB(\w+): (\S+)$/mg;
        [@now{qw(ReadUnits WriteUnits)}];
    } 0, 1;
    return map { $counted[1][$_] - $counted[0][$_] } 0, 1;
}

# A session whose data has so many bytes.
sub sized {
    my($bytes, $area) = @_;
    my $filler = $bytes - length 'a=&n=1';
    get(($area || '/test/') . "?big=a:$filler&set=n:1");
    my $id = res()->cookie('id');
    is length(data_of(row(key_of($id)))), $bytes, "a session of $bytes bytes";
    return $id;
}

# The same by the program, for one request.
sub worked_out {
    my(@options) = @_;
    open my $in, '-|', 'env', 'AWS_REGION=us-east-1', $PROGRAM, '--json', 'cost', '--requests', 100, '--touched', 0, @options
        or die "$PROGRAM: $!";
    local $/;
    my $said = JSON::PP::decode_json(scalar <$in>);
    return map { $said->{"${_}_units"} / 100 } qw(read write);
}

note 'session-dynamodb cost';
for my $case ([10], [750], [800], [2100], [3800], [3900], [10000], [2100, '/eventual/', '--eventual'],
              [10000, '/eventual/', '--eventual']) {
    my($bytes, $area, @eventual) = @$case;
    $area ||= '/test/';
    my $id   = sized($bytes, $area);
    my $size = row_size(row(key_of($id)));
    my @read = units { get("$area?get=n", cookie => $id) };
    is "@read", join(' ', worked_out('--read-only', 100, '--changed', 0, '--size', $size, @eventual)),
        "$area: a request that reads a row of $size bytes costs what the program says: @read";
    my @changed = units { get("$area?set=n:2", cookie => $id) };
    is "@changed", join(' ', worked_out('--read-only', 0, '--changed', 100, '--size', $size, @eventual)),
        "... and so does one that changes it: @changed";
}

note 'docs/cost.md';
my($table) = SessionTest::Log::slurp(setting('src') . '/docs/cost.md') =~ /<!-- build\/cost: module -->\n\n((?:\|.*\n)+)/
    or die 'docs/cost.md has no table of this module';
my %row = map { my(undef, $name, @cells) = split / *\| */; ($name => \@cells) } split /\n/, $table;
my @sizes = map { my($kb) = /^([\d.]+) KB$/; $kb * 1000 } @{ $row{'request'} };
is scalar(@sizes), 3, 'its table has three sizes';

sub documented {
    my($name, $column, @found) = @_;
    my $text = join ' + ', map { $found[$_] ? "$found[$_] " . qw(R W)[$_] : () } 0, 1;
    return is $text || '0', $row{$name}[$column], "$sizes[$column] bytes: $name: " . $row{$name}[$column];
}

for my $i (0 .. $#sizes) {
    my $id;
    documented('without a session', $i, units { get('/test/') });
    documented('creates a session', $i, units { $id = sized($sizes[$i]) });
    is row_size(row(key_of($id))), $row{'bytes of the row'}[$i], '... and its row has the documented size';
    documented('reads it', $i, units { get('/test/?get=n', cookie => $id) });
    age($id, 300);
    documented('reads it, touch due', $i, units { get('/test/?get=n', cookie => $id) });
    documented('changes it', $i, units { get('/test/?set=n:2', cookie => $id) });
    my $old = $id;
    documented('gets a new ID', $i, units { $id = get('/test/?renew', cookie => $old)->cookie('id') });
    documented('unknown session ID', $i, units { get('/test/', cookie => $old) });
    documented('ends it', $i, units { get('/test/?clear', cookie => $id) });
    $id = sized($sizes[$i], '/eventual/');
    documented('reads it, `SessionDynamoDBConsistentRead Off`', $i, units { get('/eventual/?get=n', cookie => $id) });
}

done;
