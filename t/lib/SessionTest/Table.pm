package SessionTest::Table;

# The table as tests see it: its rows, read past the proxy, and the calls that reached the proxy.

use strict;
use warnings;

use Compress::Zlib ();
use Digest::SHA ();
use JSON::PP ();
use MIME::Base64 ();

use SessionTest::HTTP ();

my $JSON = JSON::PP->new->canonical->utf8;

sub new {
    my($class, $state) = @_;
    return bless { %$state }, $class;
}

# --- rows -------------------------------------------------------------------------------------------------------------

# A call of DynamoDB's API past the proxy's faults; dynalite wants to see a signature and does not check it.
sub api {
    my($self, $operation, $body) = @_;
    my $signature = 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, '
        . 'SignedHeaders=host;x-amz-date, Signature=' . '0' x 64;
    my $response = _exchange($self->{dynalite}, method => 'POST', path => '/', body => $JSON->encode($body),
        headers => [['X-Amz-Target', "DynamoDB_20120810.$operation"], ['Content-Type', 'application/x-amz-json-1.0'],
                    ['X-Amz-Date', '20260101T000000Z'], ['Authorization', $signature]]);
    my $answer = $JSON->decode($response->body || '{}');
    $response->status == 200 or die "$operation: $answer->{__type}: ", $answer->{message} || $answer->{Message} || '';
    return $answer;
}

sub row {
    my($self, $key, $table) = @_;
    return $self->api(GetItem => { TableName => $table || 'app_session', Key => { id => { S => $key } },
                                   ConsistentRead => JSON::PP::true })->{Item};
}

sub rows {
    my($self, $table) = @_;
    my(@rows, $from);
    do {
        my $page = $self->api(Scan => { TableName => $table || 'app_session', ConsistentRead => JSON::PP::true,
                                        $from ? (ExclusiveStartKey => $from) : () });
        push @rows, @{ $page->{Items} };
        $from = $page->{LastEvaluatedKey};
    } while ($from);
    return @rows;
}

sub put_row {
    my($self, $row, $table) = @_;
    $_->{N} = "$_->{N}" for grep { exists $_->{N} } values %$row;   # JSON's numbers are not DynamoDB's
    $self->api(PutItem => { TableName => $table || 'app_session', Item => $row });
}

sub delete_row {
    my($self, $key, $table) = @_;
    $self->api(DeleteItem => { TableName => $table || 'app_session', Key => { id => { S => $key } } });
}

sub clear {
    my $self = shift;
    for my $table (qw(app_session other_session)) {
        $self->delete_row($_->{id}{S}, $table) for $self->rows($table);
    }
}

# A table more, with this key, and no more of it: as they come and go, DynamoDB may take a while over both.
sub create_table {
    my($self, $name, $key) = @_;
    $self->api(CreateTable => { TableName => $name, BillingMode => 'PAY_PER_REQUEST',
        AttributeDefinitions => [{ AttributeName => $key, AttributeType => 'S' }],
        KeySchema => [{ AttributeName => $key, KeyType => 'HASH' }] });
    $self->_until($name, 'ACTIVE');
}

sub delete_table {
    my($self, $name) = @_;
    $self->_until($name, 'ACTIVE');
    $self->api(DeleteTable => { TableName => $name });
    $self->_until($name, 'gone');
}

sub _until {
    my($self, $name, $wanted) = @_;
    for (1 .. 600) {
        my $found = eval { $self->api(DescribeTable => { TableName => $name })->{Table}{TableStatus} };
        $found //= $@ =~ /ResourceNotFound/ ? 'gone' : die $@;
        return if $found eq $wanted;
        select undef, undef, undef, 0.1;
    }
    die "table $name is not $wanted after a minute\n";
}

# --- the proxy --------------------------------------------------------------------------------------------------------

sub control {
    my($self, $method, $path, $body) = @_;
    my $response = _exchange($self->{control}, method => $method, path => $path,
                             defined $body ? (body => $JSON->encode($body)) : ());
    my $answer = $JSON->decode($response->body);
    $response->status == 200 or die "table proxy: $method $path: $answer->{error}";
    return $answer;
}

sub requests {
    my($self, %query) = @_;
    my $query = join '&', map { "$_=$query{$_}" } sort keys %query;
    return $self->control(GET => "/requests?$query");
}

sub _exchange {
    my($port, %request) = @_;
    my $connection = SessionTest::HTTP->connect($port);
    $connection->send_request(%request);
    return $connection->read_response || die "port $port: closed without an answer";
}

# --- keys -------------------------------------------------------------------------------------------------------------

# The table key of a session ID: base64url SHA-256 of the ID without its signature.
sub key_of {
    my(undef, $id) = @_;
    $id =~ s/\..*//s;
    return MIME::Base64::encode_base64url(Digest::SHA::sha256($id));
}

# The payload of a row, decompressed.
sub data_of {
    my(undef, $row) = @_;
    my $data = exists $row->{data}{B} ? MIME::Base64::decode_base64($row->{data}{B}) : $row->{data}{S};
    return $row->{encoding} ? Compress::Zlib::uncompress($data) : $data;
}

1;
