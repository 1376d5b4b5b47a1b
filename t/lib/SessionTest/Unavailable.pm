package SessionTest::Unavailable;

# For the files about a store that fails: the answer that a client has to get then, and what was asked of the table.

use strict;
use warnings;

use Exporter qw(import);
use SessionTest qw(is is_deeply like);

our @EXPORT = qw(ops is_unavailable is_refused_for_good);

# No late call can come in these files, unless it is waited for.
@SessionTest::QUIET = (5, 10);

sub ops { return join ' ', map { $_->{op} } @_ }

sub is_unavailable {
    my($answer, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_503($answer, $what);
    like $answer->header('Retry-After'), qr/^[1-9]\d*$/, '... with Retry-After';
}

# The same for what waiting does not help.
sub is_refused_for_good {
    my($answer, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_503($answer, $what);
    is $answer->header('Retry-After'), undef, '... without Retry-After';
}

sub is_503 {
    my($answer, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $answer->status, 503, "$what: 503";
    is_deeply [$answer->set_cookies], [], '... without a Set-Cookie';
    is $answer->header('X-Replace-Session'), undef, '... nor what a program said to httpd';
}

1;
