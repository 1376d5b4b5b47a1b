# Writes that fail: the client is told so, before it has heard anything else, and the table is as it was.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use SessionTest;
use SessionTest::Unavailable;

my $LOGIN = 'httpd_username=alice&httpd_password=secret-of-alice';

note 'A change that can not be saved';
{
    my $replace = 'replace=a%3D2';
    my @pages = (
        ['/test/?set=a:2',                                 'a small page'],
        ['/test/?set=a:2&fill=1000000',                    'a large one'],
        ['/test/?set=a:2&fill=200000',                     'a large one by HTTP/1.0', version => '1.0'],
        ['/test/?set=a:2',                                 'HEAD',                    method  => 'HEAD'],
        ['/test/?set=a:2',                                 'POST',                    method  => 'POST', body => 'x=y'],
        ['/test/?set=a:2&redirect=/plain/page.html',       'a redirect'],
        ['/test/?set=a:2&code=404',                        'a page of its own with 404'],
        ['/test/?set=a:2&status=404',                      'an error'],
        ['/test/?set=a:2&internal=/plain/page.html',       'a redirect inside of httpd'],
        ['/test/?big=a:300000',                            'much to store'],
        ["/cgi/session.pl?$replace",                       'a program'],
        ["/cgi/session.pl?$replace&fill=300000",           'a program that says much'],
        ["/cgi/big.pl?$replace&size=1000000",              'a program that says more'],
        ["/cgi/session.pl?$replace&status=302+Found&location=http://elsewhere.test/", 'a program that redirects'],
        ["/cgi/session.pl?$replace&location=/plain/page.html", 'a program that redirects inside of httpd'],
        ["/proxied/env.pl?$replace",                       'a backend'],
        ['/ssi/first.shtml',                               'a page that begins with a part'],
        ['/crypto/?set=a:2',                               'an encrypted session'],
        ['/persistent/?set=a:2',                           'a cookie with a date'],
        ['/errors-outside/?set=a:2',                       'with an error page outside'],
        ['/errors-outside/?set=a:2&status=404',            'an error with an error page outside'],
        ['/errors-inside/?set=a:2',                        'with an error page inside'],
        ['/errors-inside/?set=a:2&status=404',             'an error with an error page inside'],
    );
    for (@pages) {
        my($path, $what, %request) = @$_;
        my $id     = session($path =~ m{^(/crypto/)} ? $1 : '/test/', a => 1);
        my $before = row(key_of($id));
        fault(kind => '500', op => 'UpdateItem', count => 0);
        calls_are { http(path => $path, cookie => $id, %request) } [qw(GetItem UpdateItem UpdateItem UpdateItem)],
            "$what: one read, three attempts to write";
        is_unavailable(res(), '...');
        is res()->header('Cache-Control'), 'no-store', '... and not for caches';
        is res()->header('Location'), undef, '... which redirects nobody';
        unlike res()->body, qr/^(?:set a|big a): |\.{20}|x{20}|HTTP_SESSION=a=2/m,
            '... and shows nothing of what the handler said';
        clear_faults();
        is_deeply row(key_of($id)), $before, '... the row is as it was';
    }

    my $id = session(a => 1);
    fault(kind => '500', op => 'UpdateItem', count => 0);
    get('/errors-outside/?set=a:2', cookie => $id);
    like res()->body, qr/^sorry/, 'the error page outside is shown';
    get('/errors-inside/?set=a:2', cookie => $id);
    like res()->body, qr/^get a: /m, '... the one inside too';
    is_unavailable(get("/errors-cgi/session.pl?$replace", cookie => $id), 'a program for an error page');
    like res()->body, qr/^HTTP_SESSION=/m, '... is shown';
    if (setting('mpm') ne 'prefork') {
        is_unavailable(h2('/test/?set=a:2&fill=100000', cookie => $id), 'HTTP/2');
        unlike res()->body, qr/^set a/m, '... and nothing else';
    }
    clear_faults();
    my($line) = log_lines(qr/could not be written/);
    like $line, qr/table app_session: the session could not be written: .*\(UpdateItem, type InternalServerError, /,
        'the log says what failed';
    like $line, qr/, HTTP status 500, request ID TESTTESTTESTTEST, 3 attempts\)/, '... and how often';
}

note 'Not a byte leaves before the session is saved';
for my $path ('/test/?set=a:2&fill=200000', '/cgi/big.pl?replace=a%3D2&size=500000', '/proxied/env.pl?replace=a%3D2') {
    my $id = session(a => 1);
    fault(kind => 'hold', op => 'UpdateItem', count => 0);
    my $connection = connection();
    $connection->send_request(path => $path, headers => [['Cookie', "id=$id"]]);
    ok held(1), "$path: the write is under way";
    ok !IO::Select->new($connection->{socket})->can_read(0.1), '... and the client has nothing yet';
    clear_faults();
    is $connection->read_response->status, 200, '... it has when the session is saved';
    is data_of(row(key_of($id))), 'a=2', '... as it is';
}
{
    my $id = session(a => 1);
    fault(kind => '500', op => 'UpdateItem', count => 0);
    my $connection = connection();
    $connection->send_request(path => '/test/?set=a:2&fill=500000', keep => 1, headers => [['Cookie', "id=$id"]]);
    is $connection->read_response->status, 503, 'a failed save on a kept connection';
    ok $connection->closed(5) && $connection->{in} eq '', '... nothing comes behind the error';
    clear_faults();
}

note 'A first store, a logout, a login that fail';
{
    fault(kind => '500', op => 'PutItem', count => 0);
    for my $path ('/test/?set=a:1', '/cgi/session.pl?replace=a%3D1', '/header/?set=a:1', '/persistent/?set=a:1',
                  '/test/?set=a:1&redirect=/plain/page.html', '/anonymous/?set=a:1', '/signed/?set=a:1') {
        my @calls = calls_of { get($path) } 4;
        # The service said that it failed inside: the row may be there, under an ID that nobody was told.
        is ops(@calls), 'PutItem PutItem PutItem DeleteItem', "$path: three attempts, and the row is taken away";
        is $calls[3]{body}{Key}{id}{S}, $calls[0]{body}{Item}{id}{S}, '... the right one';
        is_unavailable(res(), '...');
        is res()->header('x-id'), undef, '... and no ID in a header';
    }
    clear_faults();

    for my $path ('/test/?clear', '/test/?del=a', '/cgi/session.pl?replace=a%3D') {
        my $id = session(a => 1);
        fault(kind => '500', op => 'DeleteItem', count => 0);
        calls_are { get($path, cookie => $id) } [qw(GetItem DeleteItem DeleteItem DeleteItem)], "$path: a logout";
        is_unavailable(res(), '...');
        clear_faults();
        is get('/test/?get=a', cookie => $id)->line('get a'), 1, '... the session is still there';
        is get($path, cookie => $id)->status, 200, '... and can be ended';
        is row(key_of($id)), undef, '... as it is';
    }
    my $id = session(a => 1);
    fault(kind => '500', op => 'DeleteItem', count => 0);
    is get('/test/?end&get=a', cookie => $id)->line('end'), 'failed', 'a module is told that ending failed';
    is_deeply [res()->line('get a'), res()->set_cookies], [1], '... and the session goes on';
    clear_faults();
    ok row(key_of($id)), '... with its row';

    clear_tables();
    for my $path ('/form/page', '/form/login') {
        my $id     = session('/form/open/', a => 1);
        my $before = row(key_of($id));
        for my $op (qw(PutItem UpdateItem)) {
            fault(kind => '500', op => $op, count => 3);
            post($path, $LOGIN, cookie => $id);
            is_unavailable(res(), "a login at $path whose $op fails");
            is res()->header('Location'), undef, '... and leads nowhere';
            ok eventually(sub { rows() == 1 }), '... there is no other row';
            clear_faults();
            is_deeply [rows()], [$before], '... than the old one, as it was';
        }
        delete_row(key_of($id));
    }
}

expect_log qr/\[session_dynamodb:error\].*the session could not be (?:written|ended)/, qr/\[session:error\].*AH01822/;

done;
