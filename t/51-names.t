# Names in a JSON object are told apart by case, and names of mod_session's entries are not. What one side keeps under
# another spelling must not pass for what an administrator named.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Backend;

same_under_every_mpm();

backend('app', "$SessionTest::T/lib/backend.py", port('app'));

my $WARNING = qr/\[session_dynamodb:warn\].*the session has entry names that differ only in case, such as '/;
my $REFUSED = qr/\[session_dynamodb:warn\].*may not change the entry/;

# A session with this object, and the text that it holds.
sub with {
    my($text) = @_;
    my $id = session('/names/', a => 1);
    change_row($id, sub { $_->{data} = { S => $text } });
    return $id;
}
sub text { return row(key_of($_[0]))->{data}{S} }

sub env     { return get('/names/?env=SESSION_ENTRY_role', cookie => $_[0])->line('env SESSION_ENTRY_role') }
sub forward { return get('/names/proxied/page', cookie => $_[0])->body =~ /^X-Role: (.*)$/m ? $1 : '(none)' }
sub says {
    my($id, $said) = @_;
    get("/names/proxied/page?header=X-Replace-Session:$said", cookie => $id);
    return text($id);
}

note 'Both spellings';
for my $text ('{"ROLE": "admin", "role": "user", "a": "1"}', '{"role": "user", "a": "1", "ROLE": "admin"}') {
    my $id    = with($text);
    my $lines = () = log_lines($WARNING);
    is env($id), 'user', "$text: a variable has the value of the exact name";
    is scalar(() = log_lines($WARNING)), $lines + 1, '... with one warning';
    is forward($id), 'user', '... a header too';
    is get('/names/?entries', cookie => $id)->line('entries'), 'a=1', '... a program is shown neither';
    get('/names/?set=b:1&del=role&del=ROLE', cookie => $id);
    is text($id), ($text =~ s/: /:/gr =~ s/, /,/gr =~ s/\}$/,"b":"1"}/r), '... and both stay';
    get('/names/?set=role:new', cookie => $id);
    like text($id), qr/"ROLE":"admin"/, 'a change goes to the exact name';
    like text($id), qr/"role":"new"/, '... and not to the other';
    is env($id), 'new', '... as the next request has it';
    like says($id, 'ROLE%3Dmallory'), qr/"ROLE":"admin"/, 'what a backend may not change it does not';
    like says($id, 'role%3Dbackends'), qr/"role":"backends"/, '... and it changes what it may';
    like text($id), qr/"ROLE":"admin"/, '... without the other';
}

note 'Another spelling';
{
    my $id = with('{"ROLE": "admin", "a": "1"}');
    is env($id), '(none)', 'a name that was not meant makes no variable';
    is forward($id), '(none)', '... and no header';
    is says($id, 'role%3Dmallory'), '{"ROLE": "admin", "a": "1"}', '... and is not changed by a backend';
    is says($id, 'ROLE%3Dmallory'), '{"ROLE": "admin", "a": "1"}', '... in its own spelling neither';
    is says($id, 'role%3D'), '{"ROLE": "admin", "a": "1"}', '... nor removed';
}

note 'The name itself';
{
    my $id = with('{"role": "user"}');
    is_deeply [env($id), forward($id)], ['user', 'user'], 'is what it was meant to be';
    is says($id, 'role%3Dbackends'), '{"role":"backends"}', '... for a backend too';
    $id = session('/test/', ROLE => 'admin');
    is get('/env/?env=SESSION_ENTRY_role', cookie => $id)->line('env SESSION_ENTRY_role'), 'admin',
        'in mod_session\'s own form names have no case, as ever';
}

expect_log $WARNING, $REFUSED;

done;
