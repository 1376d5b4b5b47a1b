# How an ID may come, and what comes back. Each sentence begins with the number of its row in docs/owasp.md.

use strict;
use warnings;
use Digest::SHA ();
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use SessionTest;
use SessionTest::Login;

plan skip_all => 'the same under every MPM' if setting('mpm') ne 'event';
@SessionTest::QUIET = (5, 20);

note 'Cookies alone';
{
    # A session whose ID httpd's own lines may show, as they do with a URL: it is no secret to anybody.
    my $id  = 'AB' x 21 . 'A';
    my $row = row_of(session(a => 1));
    put_row({ %$row, id => { S => key_of($id) }, loggable => { S => substr Digest::SHA::sha512_hex($id), 0, 32 } });
    is get('/test/?get=a', cookie => $id)->line('get a'), 1, 'R18: an ID in a cookie opens its session';
    my %where = (
        'R18: an ID in other headers' => ['GET', '/test/?get=a', undef, 'Authorization', "Bearer $id", 'X-Id', $id, 'X-Session', $id],
        'R19: an ID in the query'           => ['GET', "/test/?get=a&id=$id"],
        'R19: an ID as parameter of a path' => ['GET', "/test/;id=$id?get=a"],
        'R19: an ID in the path'            => ['GET', "/test/$id?get=a"],
        'R23: an ID in Cookie2'             => ['GET', '/test/?get=a', undef, 'Cookie2', "id=$id"],
        'R24: an ID in a form'              => ['POST', '/test/?get=a', "id=$id", 'Content-Type', 'application/x-www-form-urlencoded'],
        'R24: an ID in a part of a form'    => ['POST', '/test/?get=a', "--b\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n"
            . "$id\r\n--b--\r\n", 'Content-Type', 'multipart/form-data; boundary=b'],
    );
    for my $what (sort keys %where) {
        my($method, $path, $body, @headers) = @{ $where{$what} };
        calls_are { http(path => $path, method => $method, defined $body ? (body => $body) : (), headers => \@headers) } [],
            "$what: no call";
        is_deeply [res()->line('get a'), res()->set_cookies], ['(none)'], "$what: ... and no session";
    }
}

note 'Clients without cookies';
{
    my @seen;
    for my $path ('/test/?set=a:1', '/test/?set=a:1&code=302&header=Location:/test/') {
        my $answer = get($path);
        my $id = $answer->cookie('id');
        push @seen, grep { index($_, $id) >= 0 } $answer->body // '', $answer->all('Location'), $answer->all('Refresh');
    }
    is scalar(@seen), 0, 'R25: no page and no redirect has the ID for clients without cookies';
}

note 'What is read and sent';
{
    my $id = session(a => 1);
    is get('/test/?get=a', cookie => key_of($id))->line('get a'), '(none)', 'R22: the key of a row is no ID';
    my $script = '"><script>alert(1)</script>';
    my $answer = get('/test/?get=a', cookies => ["id=$script"]);
    unlike join("\n", $answer->body // '', map { "@$_" } @{ $answer->{headers} }), qr/<script>/, 'R65: nothing of an ID comes back';
    get('/form/login?' . form('alice'));
    like res()->header('Location'), qr{/plain/login\.html$}, 'R226: a login by GET is asked for a login';
    is_deeply [res()->set_cookies], [], 'R226: ... and begins no session';
}

note 'A store that fails';
{
    my $id = session(a => 1);
    expect_log qr{\[session_dynamodb:error\]}, qr{AH01816: error while loading the session};
    fault(kind => 'error', op => 'GetItem', status => 400, type => 'AccessDeniedException');
    my $answer = get('/test/?get=a', cookie => $id);
    clear_faults();
    is $answer->status, 503, 'R179: a session that can not be read is a 503';
    unlike join("\n", $answer->body, map { "@$_" } @{ $answer->{headers} }), qr/dynamo|us-east-1|app_session|127\.0\.0\.1:\d/i,
        'R179: ... which says nothing of table, region or service';
}

note 'Names and attributes';
{
    my $dir = File::Temp->newdir;
    my %refused = (
        'R252: an empty name of the cookie' => 'SessionDynamoDBCookieName ""',
        'R271: a cookie that browsers ignore for its length' => 'SessionDynamoDBCookieName ' . 'x' x 3882,
        'R271: a path that browsers ignore for its length' => 'SessionDynamoDBCookiePath /' . 'x' x 1024,
    );
    chomp(my $modules = do { my $apxs = setting('apxs'); `$apxs -q LIBEXECDIR` });
    for my $what (sort keys %refused) {
        open my $out, '>', "$dir/httpd.conf" or die "httpd.conf: $!";
        print $out map { "$_\n" } (map { "LoadModule ${_}_module $modules/mod_$_.so" } 'mpm_' . setting('mpm'), qw(authz_core session)),
            'LoadModule session_dynamodb_module ' . setting('module'), "ServerRoot $dir", 'ServerName localhost',
            'Listen 127.0.0.1:1', 'ErrorLog error_log', 'SessionDynamoDBRegion us-east-1', $refused{$what};
        close $out;
        my $httpd = setting('httpd');
        my $said = `'$httpd' -t -f '$dir/httpd.conf' 2>&1`;
        ok $? != 0, "$what is refused";
        like $said, qr/line 10 of|httpd\.conf:10/, "$what: ... with file and line" or diag $said;
    }
}

done;
