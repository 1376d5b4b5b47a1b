-- For wrk: GetItem of one row of the stand-in, as an application would send it.
wrk.method = "POST"
wrk.path = "/"
wrk.headers["X-Amz-Target"] = "DynamoDB_20120810.GetItem"
wrk.headers["Content-Type"] = "application/x-amz-json-1.0"
wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/dynamodb/aws4_request, "
    .. "SignedHeaders=host;x-amz-date;x-amz-target, Signature=" .. string.rep("0", 64)
wrk.headers["X-Amz-Date"] = "20260101T000000Z"
wrk.body = '{"TableName":"app_session","Key":{"id":{"S":"bench"}},"ConsistentRead":true}'

function done(summary)
    local e = summary.errors
    io.write(string.format('\n{"requests":%d,"seconds":%.6f,"errors":%d}\n', summary.requests, summary.duration / 1e6,
        e.connect + e.read + e.write + e.status + e.timeout))
end
