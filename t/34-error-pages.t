# The pages that httpd shows for errors, in the session's area and outside of it, belong to the request that failed: one
# read, its change is saved once, and so on as in 33-redirects.t.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Once;

note 'Pages for errors';
{
    my %page = (
        '/go/?status=404&'              => [404, qr/^sorry/],
        '/go/?status=410&'              => [410, qr/^REQUEST_URI=/m],
        '/go/?status=500&'              => [500, qr/^HTTP_SESSION=/],
        '/errors-inside/?status=404&'   => [404, qr/^get a: /],
        '/errors-outside/?status=404&'  => [404, qr/^sorry/],
        '/errors-outside/?status=500&'  => [500, qr/^sorry/],
        '/test/?status=404&'            => [404, qr/Not Found/],
        '/test/?status=500&'            => [500, qr/Internal Server Error/],
    );
    for my $path (sort keys %page) {
        my($status, $body) = @{ $page{$path} };
        my $id = session(a => 1);
        reads { get($path, cookie => $id) } $path;
        is res()->status, $status, "... is a $status";
        like res()->body, $body, '... with its page';
        changes { get("${path}set=b:2", cookie => $id) } $id, 'a=1&b=2', '... and a change';
        is res()->status, $status, "... is a $status";
        like res()->body, $body, '... with its page';
        creates { get("${path}set=b:2") } 'b=2', '... and no session before';
        calls_are { get("${path}clear", cookie => $id) } [qw(GetItem DeleteItem)], '... and a logout';
        clean(1);
        calls_are { get($path) } [], '... and nobody';
        is_deeply [res()->set_cookies], [], '... gets nothing';
    }
    for my $kind (qw(header errheader)) {
        for my $status (404, 410, 500) {
            my $id = session(a => 1);
            changes { get("/go/?$kind=X-Replace-Session:b%3D2&status=$status", cookie => $id) } $id, 'a=1&b=2',
                "a $status with the application's $kind";
        }
    }
    for my $area (qw(cgi errors-cgi)) {
        my $id = session(a => 1);
        changes { get("/$area/session.pl?replace=b%3D2&status=404", cookie => $id) } $id, 'a=1&b=2',
            "/$area/, a program's 404";
        is res()->status, 404, '... is a 404';
        like res()->body, qr/^HTTP_SESSION=a=1$/m, '... with the program\'s page';
        reads { get("/$area/nothing", cookie => $id) } "/$area/, no such program";
        is res()->status, 404, '... is a 404';
    }
    expect_log qr/\[cgid?:error\].*AH0126[0-9]|AH02811/;
}

done;
