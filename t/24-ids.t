# Which IDs an area takes: their lengths while those change, and signatures by the keys of several lines.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Once;

same_under_every_mpm();

my %characters = (16 => 22, 32 => 43, 64 => 86);

sub is_read { my($area, $id, $what) = @_;
              calls_are { is get("$area?get=a", cookie => $id)->line('get a'), 1, $what } ['GetItem'], '... one read' }

sub is_none { my($area, $id, $what) = @_;
              calls_are { is get("$area?get=a", cookie => $id)->line('get a'), '(none)', $what } [], '... without a read' }

note 'A change of the length';
{
    my %id = (32 => session('/ids/', a => 1), 64 => session('/ids/both/', a => 1), 16 => session('/ids/short/', a => 1));
    is length $id{$_}, $characters{$_}, "an ID of $_ bytes" for sort keys %id;
    is_read('/ids/both/', $id{$_}, "$_ bytes are accepted where they are listed") for 64, 32, 16;
    is_read('/ids/ready/', $id{$_}, "... also where new IDs still have the old length: $_ bytes") for 64, 32;
    is length session('/ids/ready/', a => 1), 43, '... which they have';
    is_none('/ids/ready/', $id{16}, 'a length that is not listed is no ID\'s');
    is_read('/ids/both/after/', $id{64}, 'the list of a section inside');
    is_none('/ids/both/after/', $id{$_}, "... replaces the one around it: $_ bytes") for 32, 16;
    my $new = get('/ids/both/?renew&get=a', cookie => $id{32})->cookie('id');
    is length $new, 86, 'an ID that is renewed gets the new length';
    is_read('/ids/both/', $new, '... and keeps its session');
    changes { get('/ids/both/?set=b:2', cookie => $id{16}) } $id{16}, 'a=1&b=2', 'a session of the old length can change';
    is_deeply [res()->set_cookies], [], '... and keeps its ID';
    my $odd = substr($id{32}, 0, 42);
    is_none('/ids/both/', $_, 'what has none of the lengths is no ID') for $odd, "$id{32}A", $id{16} . 'A', "$id{64}A";
}

note 'Keys on several lines';
{
    my %id = (old => session('/signed-old/', a => 1), new => session('/signed/', a => 1));
    is_read('/ids/keys/', $id{$_}, "an ID signed with the $_ key") for 'old', 'new';
    my $made = session('/ids/keys/', a => 1);
    is_read('/signed-old/', $made, 'the last key of the last line signs');
    is_none('/ids/keys/', session('/signed-other/', a => 1), 'another key\'s is none');
}

done;
