package SessionTest::Login;

# Users, and what a login does to a session: moves { login } $old, 'sentence' and stays { no login } $id, 'sentence'.

use strict;
use warnings;

use Exporter qw(import);
use MIME::Base64 ();

use SessionTest;

our @EXPORT = qw(form basic row_of data entries moves begins_anew stays is_tombstone live_rows @RENEWAL on_the_way answer);

my %PASSWORD = (alice => 'secret-of-alice', bob => 'secret-of-bob');
our @RENEWAL = qw(GetItem PutItem UpdateItem);
my $LONG_AGO = '1970-01-01T00:00:00.000000+00:00';

sub form { my($user, $password) = @_; "httpd_username=$user&httpd_password=" . ($password || $PASSWORD{$user}) }

sub basic {
    my($user, $password) = @_;
    return headers => ['Authorization', 'Basic '
        . MIME::Base64::encode_base64("$user:" . ($password || $PASSWORD{$user}), '')];
}

sub row_of  { return row(key_of($_[0])) }
sub entries { return join '&', sort split /&/, $_[0] }
sub data    { my $row = row_of($_[0]); return $row ? entries(data_of($row)) : undef }

# A request with a cookie that is on its way; its answer.
sub on_the_way {
    my($id, %request) = @_;
    return connection()->send_request(%request,
        headers => [@{ $request{headers} || [] }, defined $id ? ['Cookie', "id=$id"] : ()]);
}
sub answer { return SessionTest::_seen($_[0]->read_response) }

# The request in the block moves the session $old to a new ID, in exactly these steps. The new ID.
sub moves (&$$) { return _renews(@_, 1) }

# The same without the entries of $old: another user's, who logged in over it.
sub begins_anew (&$$) { return _renews(@_, 0) }

sub _renews {
    my($block, $old, $sentence, $keeps) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 2;
    my $before = row_of($old);
    my @calls  = calls_of(sub { $block->() }, scalar @RENEWAL);

    is join(' ', map { $_->{op} } @calls), "@RENEWAL", "$sentence: one read, one row made, one ended";
    my($put, $end) = @calls == 3 ? map { $_->{body} } @calls[1, 2] : ({}, {});
    like $put->{ConditionExpression}, qr/^attribute_not_exists\(/, '... made if there was none';
    is $end->{Key}{id}{S}, key_of($old), '... ended the old one';
    is $end->{ExpressionAttributeValues}{':v0'}{N}, $before->{version}{N}, '... as it was read';
    like $end->{ConditionExpression}, qr/^#v=:v0/, '... if it was still that';

    my @cookies = res()->set_cookies;
    is scalar(@cookies), 1, '... one cookie';
    my $new = res()->cookie('id');
    return Test::More::fail('... with an ID') unless defined $new && length $new;
    isnt $new, $old, '... with a new ID';
    my $after = row_of($new);
    is_deeply $after->{$_}, $before->{$_}, "... of a session with the same $_" for qw(idle_timeout absolute_timeout);
    is $after->{created}{S}, $after->{accessed}{S}, '... whose absolute time begins with the login';
    ok $after->{user_mark} && $after->{user_marks}, '... that knows its user';
    is_tombstone($old);
    is get('/test/?get=a', cookie => $old)->line('get a'), '(none)', '... and its ID is dead';
    is get('/test/?get=a', cookie => $new)->line('get a'), $keeps ? 1 : '(none)',
        $keeps ? '... and the new one shows the data' : '... and the new one shows nothing of the old';
    return $new;
}

# What stays under an ID that a login replaced: for a minute, and without anything of the session.
sub is_tombstone {
    my($old, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $row = row_of($old) || {};
    is_deeply [sort keys %$row], [sort qw(absolute_timeout accessed created data expires id idle_timeout loggable version write_id),
        grep { $row->{$_} } qw(encoding ended_by issued seen timeouts_by)], $sentence || '... while the old one has left a tombstone';
    is $row->{data}{B} // $row->{data}{S}, '', '... without data';
    is $row->{accessed}{S}, $LONG_AGO, '... which is no session to earlier versions';
    my $left = ($row->{expires}{N} || 0) - time;
    ok $left > 30 && $left <= 60, '... for a minute' or Test::More::diag("$left seconds");
    return;
}

# The rows that are, or were, sessions: all but what stays under replaced IDs.
sub live_rows { return grep { $_->{accessed}{S} ne $LONG_AGO } rows() }

# The request in the block leaves the session as it is.
sub stays (&$$) {
    my($block, $id, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $before = row_of($id);
    calls_are { $block->() } ['GetItem'], "$sentence: one read";
    is_deeply [res()->set_cookies], [], '... no cookie';
    is_deeply row_of($id), $before, '... and the session as it was';
    return;
}

1;
