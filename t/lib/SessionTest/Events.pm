package SessionTest::Events;

# The events that an httpd of its own has logged (SessionDynamoDBEventLog):
#
#   my $log = SessionTest::Events->new("$DIR/events");
#   my @events = $log->of(sub { get(...) });                # hashes, in order
#   $log->are(sub { ... }, ['renewed login'], 'sentence');  # words: event, and reason if there is one

use strict;
use warnings;

use JSON::PP ();

use SessionTest;
use SessionTest::Log ();

our @KEYS = qw(time event reason session previous client method host path agent user status request);

sub new {
    my($class, $file) = @_;
    return bless { file => $file, read => 0 }, $class;
}

# What was added since the last look. Lines are written when a request is over, after its response.
sub added {
    my $self = shift;
    quiet(40);
    select undef, undef, undef, 0.05;
    my $all = SessionTest::Log::slurp($self->{file}) // '';
    my $new = substr $all, $self->{read};
    $self->{read} = length $all;
    return $new;
}

sub of {
    my($self, $block) = @_;
    $self->added;
    $block->();
    return map { decode($_) } split /\n/, $self->added;
}

sub decode { return JSON::PP->new->utf8->decode($_[0]) }

sub are {
    my($self, $block, $expected, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @events = $self->of($block);
    is join(', ', map { join ' ', grep { length } @$_{qw(event reason)} } @events), join(', ', @$expected), $sentence;
    return @events;
}

1;
