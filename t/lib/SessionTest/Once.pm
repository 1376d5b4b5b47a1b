package SessionTest::Once;

# However many requests httpd makes of one, it costs one read and one write, its ID is handed out once, the
# application's header stays inside, and the response goes into no cache: reads { ... } 'sentence'; changes { ... } $id, DATA,
# 'sentence'; creates { ... } DATA, 'sentence'. data($id) is what is stored, in the order of names.

use strict;
use warnings;

use Exporter qw(import);

use SessionTest;

our @EXPORT = qw(data clean reads changes creates);

sub _entries { return join '&', sort split /&/, $_[0] }
sub data    { my $row = row(key_of($_[0])); return $row ? _entries(data_of($row)) : undef }

# What holds for the answer of each request that used a session.
sub clean {
    my $cookies = shift;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is scalar(res()->set_cookies), $cookies, $cookies ? '... one cookie' : '... no cookie';
    is_deeply [res()->all('X-Replace-Session')], [], '... no header of the application\'s';
    is_deeply [res()->all('Cache-Control')], ['no-store'], '... Cache-Control once';
    return;
}

sub reads (&$) {
    my($block, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    calls_are { $block->() } ['GetItem'], "$sentence: one read";
    return clean(0);
}

sub changes (&$$$) {
    my($block, $id, $data, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    calls_are { $block->() } [qw(GetItem UpdateItem)], "$sentence: one read and one write";
    is data($id), $data, '... of the change';
    return clean(0);
}

sub creates (&$$) {
    my($block, $data, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    calls_are { $block->() } ['PutItem'], "$sentence: one write";
    clean(1);
    is data(res()->cookie('id') || ''), $data, '... of what was set';
    return;
}

1;
