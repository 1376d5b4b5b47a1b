# SessionDynamoDBEnv: entries as environment variables that are there before access is decided. SessionDynamoDBMask:
# entries whose value is not stored. Recipes that use them: 70-recipes.t.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Once;

sub env { my($path, $id, @names) = @_; get($path . '?' . join('&', map { "env=$_" } @names), $id ? (cookie => $id) : ());
          return [map { res()->line("env $_") } @names] }

note 'Variables';
{
    my @names = qw(SESSION_ENTRY_role SESSION_ENTRY_x_y_z USER_NAME SAW);
    my $id = session('role' => 'editor', 'x.y-z' => 1, name => 'ada', other => 'o');
    calls_are { is_deeply env('/env/', undef, @names), [('(none)') x 4], 'no session: not set' } [], '... and no read';
    calls_are { is_deeply env('/env/', $id, @names), ['editor', 1, 'ada', 'ada'], 'set, before SetEnvIf is read' }
        ['GetItem'], '... for one read';
    is_deeply env('/env/inner/', $id, 'SESSION_ENTRY_other', @names), ['o', ('(none)') x 4], 'an inner list replaces it';
    is_deeply env('/env/none/', $id, @names), [('(none)') x 4], 'None empties it';
    calls_are { is_deeply env('/env/off/', $id, @names), [('(none)') x 4], 'nothing where sessions are off' } [],
        '... and no read';
    is_deeply env('/test/', $id, @names), [('(none)') x 4], 'nor where the directive is not';
    get('/env/?set=role:reader&env=SESSION_ENTRY_role', cookie => $id);
    is res()->line('env SESSION_ENTRY_role'), 'editor', 'a change is seen by the next request';
    is_deeply env('/env/', $id, @names), ['reader', 1, 'ada', 'ada'], '... there';
    get('/env/?status=404', cookie => $id);
    is res()->line('env SESSION_ENTRY_role'), 'reader', 'an error page has it';
    get('/env/?internal=/env/page%3Fenv=SESSION_ENTRY_role', cookie => $id);
    is res()->line('env SESSION_ENTRY_role'), 'reader', '... and so has a redirected request';
    is_deeply env('/env/', session(name => 'bob'), @names), ['(none)', '(none)', 'bob', '(none)'],
        'another session has its own';
}

note 'Too long for an environment';
{
    expect_log qr/omitted the environment variable SESSION_ENTRY_role/;
    my $id = get('/env/?big=role:131054')->cookie('id');
    calls_are { get('/env/?env=SESSION_ENTRY_role', cookie => $id) } ['GetItem'], 'an entry that no environment takes';
    is res()->line('env SESSION_ENTRY_role'), '(none)', '... is left out';
    get('/env/?set=role:r', cookie => $id);
    is_deeply env('/env/', $id, 'SESSION_ENTRY_role'), ['r'], '... until it is shorter';
}

note 'Access';
{
    expect_log qr/authz_core:error.*AH01630/, qr/could not be read/, qr/AH01816/;
    my($editor, $reader) = (session(role => 'editor'), session(role => 'reader'));
    calls_are { is get('/env/guarded/')->status, 403, 'without a session: 403' } [], '... and no read';
    is get('/env/guarded/', cookie => $reader)->status, 403, 'with another role: 403';
    calls_are { is get('/env/guarded/', cookie => $editor)->status, 200, 'with the role: 200' } ['GetItem'],
        '... for one read';
    delete_row(key_of($editor));
    is get('/env/guarded/', cookie => $editor)->status, 403, 'after its end: 403';
    fault(kind => '500', op => 'GetItem', count => 0);
    is get('/env/guarded/', cookie => $reader)->status, 503, 'a table that can\'t be read: 503, not 403';
    is res()->header('Retry-After'), 2, '... come again';
    is get('/env/', cookie => $reader)->status, 503, '... here as well';
    is_deeply env('/env/anonymous/', $reader, 'SESSION_ENTRY_role'), ['(none)'], 'with OnError anonymous: not set';
    clear_faults();
}

note 'Masked entries';
{
    my $id;
    creates { $id = get('/mask/?set=secret:pw&set=a:1&get=secret')->cookie('id') } 'a=1&secret=*', 'a new session';
    is res()->line('get secret'), 'pw', '... whose request sees the value';
    is get('/mask/?get=secret&get=a', cookie => $id)->line('get secret'), '*', '... and the next that there was one';
    calls_are { get('/mask/?set=secret:other', cookie => $id) } ['GetItem'], 'another value is no change';
    changes { get('/mask/?set=a:2', cookie => $id) } $id, 'a=2&secret=*', 'another entry is';
    changes { get('/mask/?del=secret', cookie => $id) } $id, 'a=2', 'one that is removed stays away';
    changes { get('/mask/none/?set=secret:pw', cookie => $id) } $id, 'a=2&secret=pw', 'None masks nothing';
    changes { get('/mask/?set=a:3', cookie => $id) } $id, 'a=3&secret=*', 'what is stored is masked with the next change';

    my $slow = connection();
    $slow->send_request(path => '/mask/?meet=mask&set=secret:pw&set=b:1', headers => [['Cookie', "id=$id"]]);
    ok here('mask'), 'a request is under way';
    get('/mask/?set=c:1', cookie => $id);
    let_go('mask');
    is $slow->read_response->status, 200, '... while another changes the session';
    is data($id), 'a=3&b=1&c=1&secret=*', '... and the merge is masked as well';
}

done;
