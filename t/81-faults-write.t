# Every fault of the store against writing a session, the first time and again.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Faults;

for my $operation (qw(create save)) {
    survive($operation, $_) for faults();
}

over(qr/\[session_dynamodb:warn\].*this machine's clock is \d+ s behind/,
     qr/\[session_dynamodb:error\].*the session could not be written/, qr/\[session:error\].*AH01822/,
     qr/\[session_dynamodb:warn\].*queued removal of an unused row failed/);
