#!/usr/bin/perl
# The front's own pages, which work without the table and without a session: /store, with the switch that pauses the
# table, and /counters, the counters as JSON for live.js.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP ();

use Control;
use Page;

binmode STDOUT, ':raw';
my $method = $ENV{REQUEST_METHOD} // 'GET';
if (($ENV{SCRIPT_NAME} // '') eq '/counters') {
    counters();
} elsif ($method eq 'GET' || $method eq 'HEAD') {
    page();
} elsif ($method eq 'POST') {
    post(read_form());
} else {
    answer('405 Method Not Allowed', 'Not allowed', '<h1>This page takes GET and POST</h1>', 'Allow: GET, HEAD, POST');
}

sub counters {
    my %counters = Control::counters();
    print "Content-Type: application/json\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n",
        JSON::PP->new->canonical->encode({ summary => Control::summary(%counters), counters => \%counters });
    return;
}

# That the form is of this host has been seen to by front.conf.
sub post {
    my %form = @_;
    my $action = $form{action} // '';
    return answer('400 Bad Request', 'No such action', '<h1>There is no such action</h1>')
        if $action !~ /^(?:pause|resume)$/;
    $action eq 'pause' ? Control::pause() : Control::resume();
    return see_other('/store');
}

sub page {
    my $state = Control::is_paused() ? 'paused' : 'answering';
    return answer('200 OK', "The table is $state", join "\n", '<h1>Table and counters</h1>',
        '<p>This page comes from the balancer and needs no session, so it works while the table does not.</p>',
        '<div class="cards">', Control::switch_section(), Control::counters_section(), '</div>');
}
