package Table;

# Calls the local table, for the demo's page and for build/quickstart. A table on AWS requires signed requests; dynalite
# only requires an Authorization header that looks like one, and does not verify it.
use strict;
use warnings;

use HTTP::Tiny ();
use JSON::PP ();
use MIME::Base64 ();
use POSIX ();

# call(endpoint, operation, request): the reply, or { failed => why }.
sub call {
    my ($endpoint, $operation, $request) = @_;
    my $now = POSIX::strftime('%Y%m%dT%H%M%SZ', gmtime);
    my $scope = substr($now, 0, 8) . '/us-east-1/dynamodb/aws4_request';
    my $reply = HTTP::Tiny->new(timeout => 5, proxy => undef, http_proxy => undef)->post($endpoint, {
        headers => {
            'Content-Type' => 'application/x-amz-json-1.0', 'X-Amz-Target' => "DynamoDB_20120810.$operation",
            'X-Amz-Date' => $now,
            'Authorization' => "AWS4-HMAC-SHA256 Credential=local/$scope, SignedHeaders=host, Signature=none",
        },
        content => JSON::PP::encode_json($request),
    });
    my $content = $reply->{status} == 599 ? undef : eval { JSON::PP->new->decode($reply->{content}) };
    return $content if $reply->{success} && $content;
    my $type = ($content || {})->{__type} // '';
    return { failed => $type =~ s/.*#//r || "$reply->{status} $reply->{reason}" };
}

# The bytes of a string or binary attribute, '' for none.
sub bytes {
    my ($attribute) = @_;
    return MIME::Base64::decode_base64($attribute->{B}) if defined(($attribute || {})->{B});
    return ($attribute || {})->{S} // '';
}

1;
