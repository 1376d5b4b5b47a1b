# A failed save is never called a success: whatever way a response comes, the client gets 503 and not a byte of it, seen
# on the raw connection; and a write that was done but not answered is settled by its write id.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use SessionTest;
use SessionTest::Unavailable;

my $PAGE = qr/^(?:piece|set a|first:|rest:)|HTTP_SESSION=|REQUEST_URI=|\.{20}|x{20}/m;   # what only a handler says

# Path, what it is, and how many bytes it has at least when all is well.
my @PAGES = (
    ['/test/?set=a:2&stream=50',                       'a handler that flushes each line',          1000],
    ['/test/?set=a:2&stream=50',                       'the same by HTTP/1.0',           1000, version => '1.0'],
    ['/test/?set=a:2&fill=3000000',                    'three megabytes of a handler',              3e6],
    ['/cgi/session.pl?replace=a%3D2&fill=100',         'a program that does not buffer',            100],
    ['/cgi/slow.pl?replace=a%3D2&seconds=0.1',         'a program that takes its time',             10],
    ['/cgi/big.pl?replace=a%3D2&size=2000000',         'two megabytes of a program',                2e6],
    ['/proxied/env.pl?replace=a%3D2',                  'a backend',                                 10],
    ['/proxied/big.pl?replace=a%3D2&size=2000000',     'two megabytes of a backend, in chunks',     2e6],
    ['/proxied/slow.pl?replace=a%3D2&seconds=0.1',     'a backend that takes its time',             10],
    ['/ssi/first.shtml',                               'a page that begins with a part',            10],
);
my %STORED = ('/ssi/first.shtml' => 'a=changed-by-part');

# All that comes until the server closes the connection; how many bytes came before the block ran, if there is one.
sub raw {
    my($path, $host, $id, %o) = @_;
    my $connection = connection('bulk');
    $connection->send_request(path => $path, host => $host, %{ $o{request} || {} }, headers => [
        ['Accept', '*/*'], defined $id ? ['Cookie', "id=$id"] : ()]);
    my $early = $o{meanwhile} ? $o{meanwhile}->($connection) : undef;
    1 while $connection->fill;
    return ($connection->{in}, $early);
}

sub begin {
    my $id = get('/test/?set=a:1', host => 'faults.test', port => 'bulk')->cookie('id');
    return ($id, row(key_of($id)));
}

sub is_refused {
    my $bytes = shift;
    like $bytes, qr{\AHTTP/1\.[01] 503 }, '... the first bytes are 503';
    is scalar(() = $bytes =~ m{HTTP/1\.[01] \d{3} }g), 1, '... there is no other answer';
    like $bytes, qr/^Retry-After: \d+\r$/m, '... with Retry-After';
    unlike $bytes, qr/^Set-Cookie:/mi, '... without a Set-Cookie';
    unlike $bytes, qr/^X-Replace-Session:/mi, '... without what a program said to httpd';
    unlike $bytes, $PAGE, '... and without a byte of the page';
    cmp_ok length($bytes), '<', 2000, '... which would be longer';
    return;
}

# A subtest, counted.
sub hold_out {
    my($what, $test) = @_;
    my $ok = subtest $what => $test;
    tally(faults_tried => 1, faults_survived => $ok ? 1 : 0, requests => 2);
    return;
}

note 'The answer to the write never comes';
for my $fault (['close_after', 'faults.test'], ['hang_after', 'hanging.test'], ['did_but_500', 'faults.test'],
               ['500', 'faults.test']) {
    my($kind, $host) = @$fault;
    for my $page (@PAGES) {
        my($path, $what, undef, %request) = @$page;
        hold_out("$kind: $what", sub {
            my($id, $before) = begin();
            fault(kind => $kind, op => 'UpdateItem', count => 0);
            my($bytes) = raw($path, $host, $id, request => \%request);
            is_refused($bytes);
            clear_faults();
            my $row = row(key_of($id));
            if ($kind eq '500') {
                is_deeply $row, $before, '... and the row is as it was';
            }
            else {
                is $row->{version}{N}, 2, '... although the write was done, once';
            }
            is get('/test/?get=a', cookie => $id, host => $host, port => 'bulk')->status, 200, '... the session lives';
        });
    }
}

note 'One answer to the write is lost: its write id tells that it was done';
for my $kind (qw(close_after did_but_500 truncated)) {
    for my $page (@PAGES) {
        my($path, $what, $length, %request) = @$page;
        hold_out("$kind once: $what", sub {
            my($id) = begin();
            fault(kind => $kind, op => 'UpdateItem');
            my $bytes;
            my @calls = calls { ($bytes) = raw($path, 'faults.test', $id, request => \%request) };
            is "@calls", 'GetItem UpdateItem UpdateItem', '... tried again';
            like $bytes, qr{\AHTTP/1\.[01] 200 }, '... a success';
            like $bytes, $PAGE, '... with the page';
            cmp_ok length($bytes), '>', $length, '... the whole of it';
            is data_of(row(key_of($id))), $STORED{$path} || 'a=2', '... which is stored';
            is row(key_of($id))->{version}{N}, 2, '... once';
        });
    }
}

note 'While the write is under way, and while its answer is, nothing leaves';
for my $kind (qw(hold hold_after)) {
    for my $page (@PAGES) {
        my($path, $what, $length, %request) = @$page;
        hold_out("$kind: $what", sub {
            my($id) = begin();
            fault(kind => $kind, op => 'UpdateItem', count => 0);
            my($bytes, $early) = raw($path, 'faults.test', $id, request => \%request, meanwhile => sub {
                my $connection = shift;
                held(1) or die "$path: no write came\n";
                my $ready = IO::Select->new($connection->{socket})->can_read(0.05) ? 1 : 0;
                clear_faults();
                return $ready;
            });
            is $early, 0, '... not a byte';
            like $bytes, qr{\AHTTP/1\.[01] 200 }, '... before the session is saved';
            cmp_ok length($bytes), '>', $length, '... and then all';
        });
    }
}

note 'Pages that begin a session, renew it or end it';
for my $case (['PutItem',    '/test/?set=a:1&stream=50',                     undef],
              ['PutItem',    '/cgi/session.pl?replace=a%3D1',                undef],
              ['PutItem',    '/proxied/big.pl?replace=a%3D1',                undef],
              ['PutItem',    '/test/?renew&stream=50',                       1],
              ['DeleteItem', '/test/?clear&stream=50',                       1],
              ['DeleteItem', '/cgi/big.pl?replace=a%3D',                     1],
              ['DeleteItem', '/proxied/big.pl?replace=a%3D',                 1]) {
    my($op, $path, $stored) = @$case;
    for my $kind (qw(close_after did_but_500 hang_after)) {
        my $host = $kind eq 'hang_after' ? 'hanging.test' : 'faults.test';
        hold_out("$kind of $op: $path", sub {
            clear_tables();
            my($id) = $stored ? begin() : ();
            fault(kind => $kind, op => $op, count => 0);
            is_refused(raw($path, $host, $id));
            clear_faults();
            my $rows = $stored && $op eq 'PutItem' ? 1 : 0;
            ok eventually(sub { $rows == (() = rows()) }), '... and there is no row that nobody knows of';
            ok row(key_of($id)), '... the old ID is the session\'s' if $rows;
        });
    }
}

if (setting('mpm') ne 'prefork') {
    note 'By HTTP/2';
    for my $page (@PAGES) {
        my($path, $what) = @$page;
        my($id) = begin();
        fault(kind => 'close_after', op => 'UpdateItem', count => 0);
        is_unavailable(h2($path, cookie => $id), $what);
        unlike res()->body, $PAGE, '... and nothing of the page';
        clear_faults();
    }
}

expect_log qr/\[session_dynamodb:error\].*the session could not be written/, qr/\[session:error\].*AH01822/;

done;
