# SessionDynamoDBAudience: a session is valid under the label that it was created under, and unknown elsewhere.

use strict;
use warnings;
use Digest::SHA ();
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;

same_under_every_mpm();

my %label = ('/audience/shop/' => 'shop', '/audience/staff/' => 'staff.example/1', '/audience/' => undef,
             '/audience/shop/none/' => undef);

# As the manual describes the key.
sub labelled_key {
    my($id, $label) = @_;
    my $digest = defined $label ? Digest::SHA::hmac_sha256_base64($id, $label) : Digest::SHA::sha256_base64($id);
    return $digest =~ tr{+/}{-_}r;
}

for my $place (sort keys %label) {
    note $place;
    clear_tables();
    my $id = session($place, a => 1);
    my @keys = map { $_->{id}{S} } rows();
    is_deeply \@keys, [labelled_key($id, $label{$place})], 'the row has the key that the label makes';
    note_secret(@keys);
    calls_are { get("$place?get=a", cookie => $id) } ['GetItem'], '... and is found by it';
    is res()->line('get a'), 1, '... with its entries';
    calls_are { get("$place?set=b:2", cookie => $id) } [qw(GetItem UpdateItem)], '... and changed';
    my %looked_for;
    for my $other (grep { ($label{$_} // '') ne ($label{$place} // '') } sort keys %label) {
        # Two places without a label look for the same row, and that it is missing is known by then.
        next if $looked_for{$label{$other} // ''}++;
        calls_are { get("$other?get=a", cookie => $id) } ['GetItem'], "$other looks for a row of its own";
        is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, '(none)'], '... and has no session';
        calls_are { get("$other?set=c:3", cookie => $id) } ['PutItem'], '... what it stores begins another one';
        isnt res()->cookie('id'), $id, '... with an ID of its own';
    }
    is get("$place?get=a", cookie => $id)->line('get a'), 1, 'the session is as it was';
    calls_are { get("$place?end", cookie => $id) } [qw(GetItem DeleteItem)], '... until it ends';
}

note 'Without the label the key of a row opens nothing';
{
    my $id = session('/audience/shop/', a => 1);
    my($row) = grep { $_->{id}{S} eq labelled_key($id, 'shop') } rows();
    is get('/audience/shop/?get=a', cookie => $row->{id}{S})->line('get a'), '(none)', 'used as an ID';
    put_row({ %$row, id => { S => labelled_key($id, 'staff.example/1') } });
    is get('/audience/staff/?get=a', cookie => $id)->line('get a'), 1,
        'a row that was moved by somebody who can write to the table is the other label\'s: the label is no secret';
}

done;
