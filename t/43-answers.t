# Answers that refuse, are damaged, or are none: one that can't be understood is never taken for "no session".

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Outage;
use SessionTest::Unavailable;

note 'What is not worth a second attempt';
for my $case (['AccessDeniedException', 'not authorized to perform this'], ['ValidationException', 'a key is wrong'],
              ['ResourceNotFoundException', 'no such table'], ['UnrecognizedClientException', 'no such key']) {
    my($type, $message) = @$case;
    my $id = session(a => 1);
    my $before = row(key_of($id));
    another_second();
    for my $op (['GetItem', 'get=a', 'GetItem'], ['UpdateItem', 'set=a:2', 'GetItem UpdateItem'],
                ['DeleteItem', 'clear', 'GetItem DeleteItem'], ['PutItem', 'set=a:1', 'PutItem']) {
        fault(kind => 'error', type => $type, message => $message, op => $op->[0], count => 0);
        my @calls = calls_of { get("/test/?$op->[1]", $op->[0] eq 'PutItem' ? () : (cookie => $id)) };
        is ops(@calls), $op->[2], "$type: one $op->[0]";
        is_refused_for_good(res(), '...');
        clear_faults();
    }
    is_deeply row(key_of($id)), $before, '... and the row is as it was';
    like +(log_lines(qr/type $type/))[0], qr/GetItem, type $type, HTTP status 400, request ID \S+, 1 attempts/,
        '... and the log has the type';
}

note 'Answers that are none: 503, and never "no session"';
my $other = session(a => 'another');
# What makes no sense is asked for again by a read; a write was carried out, whatever came back. The last number: 1 for
# what may pass by itself.
my @answers = (
    ['a wrong checksum',          3, 3, 1, kind => 'crc'],
    ['half an answer',            3, 3, 1, kind => 'truncated'],
    ['a proxy\'s 502',            3, 3, 1, kind => 'html', status => 502],
    ['a proxy\'s 403',            1, 1, 0, kind => 'html', status => 403],
    ['a proxy\'s redirect',       3, 1, 0, kind => 'html', status => 302],
    ['a proxy\'s page',           3, 1, 0, kind => 'html'],
    ['garbage',                   3, 1, 0, kind => 'garbage'],
    ['nothing in it',             3, 1, 0, kind => 'empty'],
    ['20 MB',                     1, 1, 0, kind => 'oversized'],
    ['a list',                    3, 1, 0, kind => 'wrong_type', body => []],
    ['a string',                  3, 1, 0, kind => 'wrong_type', body => 'Item'],
    ['null',                      3, 1, 0, kind => 'wrong_type', body => undef],
    ['an error without a name',   1, 1, 0, kind => 'error', status => 400, type => '', message => ''],
);
my @items = (
    ['an Item that is a string',  3, 1, 0, kind => 'wrong_type'],
    ['an Item that is a list',    3, 1, 0, kind => 'wrong_type', body => { Item => [] }],
    ['an Item that is null',      3, 1, 0, kind => 'wrong_type', body => { Item => undef }],
    ['an Item that is a number',  3, 1, 0, kind => 'wrong_type', body => { Item => 1 }],
    ['another session\'s row',    3, 1, 0, kind => 'wrong_type', body => { Item => row(key_of($other)) }],
);
my $id = session(a => 1);
my $before = row(key_of($id));
for (@answers, @items) {
    my($what, $attempts, undef, $passes, @fault) = @$_;
    fault(@fault, op => 'GetItem', count => 0);
    calls_are { get('/test/?set=a:2&get=a', cookie => $id) } [('GetItem') x $attempts],
        "$what: a load, $attempts times";
    $passes ? is_unavailable(res(), '...') : is_refused_for_good(res(), '...');
    clear_faults();
    is get('/test/?get=a', cookie => $id)->line('get a'), 1, '... and is over with the fault';
}
# Only a JSON object is an answer to a write, and what is in it does not matter. (A damaged answer to a write that was
# done is another matter: see unsettled writes.)
for (@answers[2 .. $#answers]) {
    my($what, undef, $attempts, $passes, @fault) = @$_;
    fault(@fault, op => 'UpdateItem', count => 0);
    calls_are { get('/test/?set=a:2', cookie => $id) } ['GetItem', ('UpdateItem') x $attempts],
        "$what: a save, $attempts times";
    $passes ? is_unavailable(res(), '...') : is_refused_for_good(res(), '...');
    clear_faults();
    is_deeply row(key_of($id)), $before, '... and the row is as it was';
}
{
    my $id = session(a => 1);
    fault(kind => 'no_crc', op => 'GetItem');
    is get('/test/?get=a', cookie => $id)->line('get a'), 1, 'an answer without a checksum is taken as it is';
    fault(kind => 'crc', op => 'GetItem', count => 2);
    calls_are { get('/test/?get=a', cookie => $id) } [('GetItem') x 3], 'a damaged answer is asked for again';
    is res()->line('get a'), 1, '... and then good';
    for (@answers[5, 6, 7, 9 .. 11], @items) {
        my($what, undef, undef, undef, @fault) = @$_;
        fault(@fault, op => 'GetItem');
        calls_are { get('/test/?get=a', cookie => $id) } [('GetItem') x 2], "$what: once, and asked again";
        is res()->line('get a'), 1, '... whose answer is good';
    }
}

expect_log qr/\[session_dynamodb:error\].*the session could not be (?:read|written)/,
    qr/\[session:error\].*AH01816/, qr/\[session:error\].*AH01822/;

done;
