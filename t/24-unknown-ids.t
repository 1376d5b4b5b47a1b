# An ID that is no session's: a browser goes on to send it, with each page and each image, and who tries IDs sends many.
# The table is asked for it once a minute. That it is only a minute is shown by t/unit/test_unknown_ids.c, which has a clock
# to turn.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 ();
use SessionTest;

my $N = 20;

sub made_up { return MIME::Base64::encode_base64url(join '', map { chr int rand 256 } 1 .. 32) }

# That many requests with this ID cost so many reads, and none of them has a session.
sub reads_are {
    my($id, $reads, $what, $area, @how) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @answers;
    calls_are { @answers = map { get(($area || '/test/') . '?entries', cookie => $id, @how) } 1 .. $N }
        [('GetItem') x $reads], "$what: $reads reads for $N requests";
    is scalar(grep { $_->status == 200 && $_->line('entries') eq '' && !$_->set_cookies } @answers), $N,
        '... each of which is answered as a new visitor\'s';
}

note 'Once';
{
    reads_are(made_up(), 1, 'a made-up ID');

    my $id = session(a => 1);
    age($id, 8000);
    reads_are($id, 1, 'an ID whose time is over');

    $id = session(a => 1);
    get('/test/?clear', cookie => $id);
    ok !row(key_of($id)), 'a session is ended';
    reads_are($id, 1, 'its ID');

    $id = session('/signed/', a => 1);
    delete_row(key_of($id));
    reads_are($id, 1, 'a signed ID', '/signed/');
    reads_are('short', 0, 'what can be no ID');
    reads_are(made_up(), 0, 'an ID without its signature', '/signed/');
}

note 'What a request with such an ID may do';
{
    my $id = made_up();
    get('/test/', cookie => $id);
    get('/test/?env=SESSION_DYNAMODB_FAILED_ID', cookie => $id);
    like res()->line('env SESSION_DYNAMODB_FAILED_ID'), qr/^[0-9a-f]{128}$/, 'it is told that the ID was refused';
    calls_are { get('/test/?set=a:1', cookie => $id) } ['PutItem'], 'what it stores is a session';
    my $new = res()->cookie('id');
    isnt $new, $id, '... with an ID of its own';
    is get('/test/?get=a', cookie => $new)->line('get a'), 1, '... which is found';

    fault(kind => '500', count => 0);
    is get('/test/?entries', cookie => $id)->status, 200, 'while the store is away it is answered as before';
    clear_faults();
}

note 'Each time';
{
    reads_are(made_up(), $N, 'where reads may be late', '/eventual/');
    reads_are(made_up(), $N, 'where the ID is the key, which other programs write', '/unhashed/');

    my $id = session(a => 1);
    change_row($id, sub { delete $_->{created} });
    reads_are($id, $N, 'a row that is no session');
    change_row($id, sub { $_->{created} = { S => $_->{accessed}{S} } });
    is get('/test/?get=a', cookie => $id)->line('get a'), 1, '... and is one as soon as it is mended';

    $id = session(a => 1);
    fault(kind => '500', count => 0);
    is get('/test/?get=a', cookie => $id)->status, 503, 'a read that fails';
    clear_faults();
    is get('/test/?get=a', cookie => $id)->line('get a'), 1, '... says nothing about the ID';
}

note 'Of one table';
{
    my $id = session(a => 1);
    is get('/test/?get=a', cookie => $id, port => 'other')->line('get a'), '(none)', 'a host with another table';
    is get('/test/?get=a', cookie => $id)->line('get a'), 1, '... knows nothing of this one\'s';
}

note 'A session that comes back';
{
    # It ends while a request is under way that began in time, and so may save it.
    my $id   = session(a => 1);
    my $slow = connection();
    $slow->send_request(path => '/test/?meet=late&set=b:2', headers => [['Cookie', "id=$id"]]);
    ok here('late'), 'a request is under way';
    my $end = time + 1;
    change_row($id, sub { $_->{expires}{N} = "$end" });
    sleep 1 while time <= $end;
    is get('/test/?get=a', cookie => $id)->line('get a'), '(none)', '... while the session ends';
    calls_are { get('/test/?get=a', cookie => $id) } [], '... which is remembered';
    let_go('late');
    is $slow->read_response->status, 200, '... and is saved by that request';
    is get('/test/?get=b', cookie => $id)->line('get b'), 2, '... which makes it known again';
}

expect_log qr/\[session_dynamodb:warn\].*ignored a malformed session row/,
    qr/\[session_dynamodb:error\].*the session could not be read/, qr/\[session:error\].*AH01816/;

done;
