# Which lines of the error log the tests have to explain: ours, and those that our requests caused. What httpd's own
# modules say about the machine is no fault of ours, whichever machine it is.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;

my $AT     = '[Sat Nov 28 12:00:00.123456 2026]';
my $PID    = '[pid 4711:tid 140000000000000]';
my $CLIENT = '[client 127.0.0.1:50000]';

sub is_finding { is_deeply [SessionTest::Log::noteworthy($_[0])], [$_[0]], "looked at: $_[1]" }
sub is_none    { is_deeply [SessionTest::Log::noteworthy($_[0])], [], "no finding: $_[1]" }

is_none "$AT [ssl:warn] $PID AH01882: Init: this version of mod_ssl was compiled against a newer library (OpenSSL 3.0.20 "
    . '7 Apr 2026, version currently loaded is OpenSSL 3.0.17 1 Jul 2025) - may result in undefined or erroneous behavior',
    'mod_ssl is newer than its OpenSSL';
is_none "$AT [ssl:warn] $PID AH01909: 127.0.0.1:8529:0 server certificate does NOT include an ID which matches the "
    . 'server name', 'a name in a certificate';
is_none "$AT [mpm_event:error] $PID AH00484: server reached MaxRequestWorkers setting", 'a full server';
is_none "$AT [core:warn] $PID AH00045: child process 4712 still did not exit, sending a SIGTERM", 'a slow child';
is_none "$AT [session_dynamodb:info] $PID $CLIENT a session was loaded", 'our own below warn';

is_finding "$AT [session_dynamodb:warn] $PID table app_session has no time to live", 'ours about the server';
is_finding "$AT [session_dynamodb:error] $PID $CLIENT the session could not be read", 'ours about a request';
is_finding "$AT [session:error] $PID (70007)The timeout specified has expired: $CLIENT AH01816: error while loading the "
    . 'session', "mod_session's, behind an error of the system";
is_finding "$AT [session_crypto:error] $PID AH01845: the driver could not be loaded", 'of what works with mod_session';
is_finding "$AT [core:error] $PID $CLIENT AH00571: Could not read the header", "httpd's about a request";
is_finding "$AT [core:notice] $PID AH00051: child pid 4712 exit signal Segmentation fault (11)", 'a crash';
is_finding "$AT [core:error] $PID AH00046: child process 4712 still did not exit, sending a SIGKILL", 'a child that hangs';

done;
