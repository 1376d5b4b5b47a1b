# Every fault of the store against reading a session and recording its activity.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Faults;

# In turns: failures of one kind are a line a second, which each of these has to be.
for my $fault (faults()) {
    survive($_, $fault) for qw(load touch);
}

over(qr/\[session_dynamodb:warn\].*this machine's clock is \d+ s behind/,
     qr/\[session_dynamodb:error\].*the session could not be read/,
     qr/\[session_dynamodb:warn\].*queued touch \(session activity\) failed/,
     qr/\[session:error\].*AH01816/);
