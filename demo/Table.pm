package Table;

# Reads the local table, for the part of the page that shows it. A table on AWS requires signed requests; dynalite only
# requires an Authorization header that looks like one, and does not verify it.
use strict;
use warnings;

use HTTP::Tiny ();
use JSON::PP ();
use POSIX ();

# The row of a session, named by the hash that logs show, as { attribute => { type => value } }; undef without one. Dies
# when the table cannot be read. (The row's own key is another hash of the ID, so the row has to be looked for.)
sub row {
    my ($endpoint, $table, $hash) = @_;
    my $reply = call($endpoint, 'Scan', { TableName => $table, ConsistentRead => \1,
        FilterExpression => 'loggable = :hash',
        ExpressionAttributeValues => { ':hash' => { S => substr $hash, 0, 32 } } });
    return $reply->{Items}[0];
}

sub call {
    my ($endpoint, $operation, $request) = @_;
    my $now = POSIX::strftime('%Y%m%dT%H%M%SZ', gmtime);
    my $scope = substr($now, 0, 8) . '/us-east-1/dynamodb/aws4_request';
    my $reply = HTTP::Tiny->new(timeout => 2, proxy => undef, http_proxy => undef)->post($endpoint, {
        headers => {
            'Content-Type' => 'application/x-amz-json-1.0', 'X-Amz-Target' => "DynamoDB_20120810.$operation",
            'X-Amz-Date' => $now,
            'Authorization' => "AWS4-HMAC-SHA256 Credential=local/$scope, SignedHeaders=host, Signature=none",
        },
        content => JSON::PP::encode_json($request),
    });
    die "$reply->{status} $reply->{reason}\n" if !$reply->{success};
    return JSON::PP->new->decode($reply->{content});
}

1;
