# Every fault of the store against giving a session a new ID, and ending it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Faults;

for my $operation (qw(renew end)) {
    survive($operation, $_) for faults();
}

over(qr/\[session_dynamodb:warn\].*this machine's clock is \d+ s behind/,
     qr/\[session_dynamodb:error\].*the session could not be written/, qr/\[session:error\].*AH01822/,
     qr/\[session_dynamodb:warn\].*queued removal of an unused row failed/);
