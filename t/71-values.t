# What goes into a session comes out: every byte, many entries, long values, by a program's header and by functions; what
# is too much is refused, with a line in the log, and the session is as it was.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Once;

same_under_every_mpm();

sub escape { my $text = shift; $text =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ge; return $text }
sub decode { my $text = shift; $text =~ tr/+/ /; $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge; return $text }
sub form   { my %entry = @_; return join '&', map { escape($_) . '=' . escape($entry{$_}) } sort keys %entry }
sub parsed { return { map { decode($_) } map { split /=/, $_, 2 } split /&/, $_[0] // '' } }

# A program changes the session, and another request shows what came of it, to a program and to a handler.
sub by_header { my($id, @entries) = @_; return get('/cgi/session.pl?replace=' . escape(form(@entries)), cookie => $id) }
sub seen_by_program { return parsed(get('/cgi/session.pl', cookie => $_[0])->line('HTTP_SESSION')) }
sub seen_by_handler { return get('/test/?get=' . escape($_[1]), cookie => $_[0])->body =~ s/\Aget \Q$_[1]\E: (.*)\n\z/$1/sr }

my %VALUE = map { sprintf('byte%03d', $_) => chr } 1 .. 255;
my %TEXT = (
    all     => join('', map { chr } 1 .. 255),          back    => join('', map { chr } reverse 1 .. 255),
    utf8    => "Gr\xc3\xbc\xc3\x9fe \xe2\x82\xac \xf0\x9f\x98\x80", latin1 => "Gr\xfc\xdfe",
    equals  => 'a=b==c=', ampersand => '&a&b&&', percent => '%41%%zz%', plus => 'a+b + c', space => '  two  ends  ',
    newline => "one\ntwo\r\nthree\n\n", header => "x\r\nSet-Cookie: id=1\r\n\r\nbody", tab => "\t\ta\t",
    quotes  => q(a"b'c\\d`e$f), comma => 'a, b=2; c', zero => '0', json => '{"a":[1,null,"\u00e9"]}', star => '*',
    markup  => '<!--#exec cmd="x" --><b>&amp;</b>',
);

note 'Every byte, by a program\'s header';
{
    my $id = session(kept => 1);
    is by_header($id, %VALUE)->status, 200, '255 entries of a byte each';
    is_deeply seen_by_program($id), { kept => 1, %VALUE }, '... come out, in a program';
    for my $byte (1, 9, 10, 13, 37, 38, 43, 61, 127, 128, 255) {
        is seen_by_handler($id, sprintf 'byte%03d', $byte), chr $byte, "... byte $byte in a handler";
    }
    is_deeply parsed(data_of(row(key_of($id)))), { kept => 1, %VALUE }, '... and stand in the table';
    for my $name (sort keys %TEXT) {
        by_header($id, $name => $TEXT{$name});
        is seen_by_handler($id, $name), $TEXT{$name}, "$name: a handler sees what a program stored";
    }
    is_deeply seen_by_program($id), { kept => 1, %VALUE, %TEXT }, 'all of them, in a program';
}

note 'The same by functions';
{
    my $id = session(kept => 1);
    for my $name (sort keys %TEXT) {
        get("/test/?set=$name:" . escape($TEXT{$name}), cookie => $id);
        is seen_by_handler($id, $name), $TEXT{$name}, $name;
    }
    is_deeply seen_by_program($id), { kept => 1, %TEXT }, 'a program sees what handlers stored';
    calls_are { get('/test/?set=' . "$_:" . escape($TEXT{$_}), cookie => $id) for qw(all newline percent) }
        [('GetItem') x 3], 'to store the same again is no write';
}

note 'Encrypted, merged';
{
    my @merged = (qw(all header utf8));
    my $id = session(kept => 1);
    my $slow = connection();
    my $path = '/test/?meet=values&set=back:' . escape($TEXT{back});
    $slow->send_request(path => $path, headers => [['Cookie', "id=$id"]]);
    ok here('values'), 'a request is under way';
    by_header($id, map { $_ => $TEXT{$_} } @merged);
    let_go('values');
    is $slow->read_response->status, 200, '... while another changes the session';
    is_deeply seen_by_program($id), { kept => 1, map { $_ => $TEXT{$_} } @merged, 'back' }, '... and both changes are whole';
}

note 'Many entries';
{
    my %many = map { sprintf('entry%04d', $_) => "value $_" } 1 .. 1000;
    my $id = session('entry0001', 'value%201');
    my @names = sort keys %many;
    while (my @some = splice @names, 0, 250) {
        my $query = join '&', map { "set=$_:" . escape($many{$_}) } @some;
        is get("/test/?$query", cookie => $id)->status, 200, "to $some[-1]";
    }
    is_deeply seen_by_program($id), \%many, '1,000 entries come out';
    by_header($id, entry0500 => '', entry0501 => 'changed', entry1001 => 'new');
    delete $many{entry0500};
    @many{qw(entry0501 entry1001)} = qw(changed new);
    is_deeply seen_by_program($id), \%many, '... and can be changed one by one';
}

note 'Long values';
{
    my $id = session(kept => 1);
    is get('/test/?big=a:100000', cookie => $id)->status, 200, '100,000 bytes';
    is seen_by_program($id)->{a}, 'x' x 100_000, '... come out, in a program';
    is seen_by_handler($id, 'a'), 'x' x 100_000, '... and in a handler';

    expect_log qr/could not be written/, qr/AH01822/;
    my $before = data_of(row(key_of($id)));
    is get('/test/?big=a:420000', cookie => $id)->status, 503, 'over 400 KB, which is what a row takes: 503';
    is data_of(row(key_of($id))), $before, '... and the session is as it was';
    is scalar(() = log_lines(qr/could not be written.*(?:size|too large|too big|400)/i)), 1, '... with a line that says why';
    is get('/test/?set=b:1', cookie => $id)->status, 200, '... and can be changed';
}

note 'A program\'s header line';
{
    expect_log qr/\[cgid?:error\]/;
    my $id = session(kept => 1);
    is by_header($id, a => 'y' x 1000, b => 'z' x 1000)->status, 200, '2,000 bytes';
    for my $case ([8150, 200], [8192, 500]) {
        my($bytes, $status) = @$case;
        # The path of a request would be too long: the body of a POST would do, and cgi-bin/big.pl makes it itself.
        my $answer = get("/cgi/header.pl?$bytes", cookie => $id);
        is $answer->status, $status, "a value of $bytes bytes: $status";
        is length(seen_by_handler($id, 'long')), 8150, $status == 200 ? '... stored' : '... and the session is as it was';
    }
}

done;
