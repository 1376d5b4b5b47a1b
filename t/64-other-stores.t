# Another store of mod_session in the same httpd: where ours is on nobody else is asked, in whatever order the modules
# are loaded. Where it is off it keeps out of the way.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Once;
use SessionTest::Server;

note 'Modules that are loaded before ours';
{
    my $id;
    calls_are { $id = get('/both/?set=secret:1')->cookie('id') } ['PutItem'], 'what is stored is in the table';
    clean(1);
    is data($id), 'secret=1', '... all of it';
    reads { get('/both/?get=secret', cookie => $id) } 'what is read comes from there';
    is res()->line('get secret'), 1, '... and is it';
    calls_are { get('/both/?get=secret', cookies => ['other_provider=secret=2', 'another_provider=secret=3']) } [],
        'another store\'s cookie is not looked at';
    is res()->line('get secret'), '(none)', '... so there is no session';
}

note 'A module that is loaded behind ours';
{
    chomp(my $lib = do { my $apxs = setting('apxs'); `$apxs -q LIBEXECDIR` });
    my $server = SessionTest::Server->start("LoadModule session_cookie_module $lib/mod_session_cookie.so",
        'SessionCookieName other_provider path=/');
    get('/test/?set=secret:1', port => $server->port);
    is scalar(grep { /^id=/ } res()->set_cookies), 1, 'the answer has our cookie';
    is scalar(grep { /other_provider|secret/ } res()->set_cookies), 0, '... and not the other one';
    is data(res()->cookie('id')), 'secret=1', '... and the session is in the table';
    $server->stop;
}

note 'A redirect from our area into another store\'s';
{
    my $id = session(a => 1);
    calls_are { get('/go/?set=b:2&internal=/off/?set=theirs:3', cookie => $id) } [qw(GetItem UpdateItem)],
        'our session is stored';
    is data($id), 'a=1&b=2', '... with what was changed';
    is_deeply [map { /^(\w+=[^;]*)/ ? $1 : () } res()->set_cookies], ['other_provider=theirs=3'], '... and theirs too';
}

done;
