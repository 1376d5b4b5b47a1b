-- For wrk: GET with the Cookie values of the file BENCH_COOKIES, one a line, in turn; none without a file. Prints one
-- line of JSON at the end.
local requests, at = {}, 0

-- With BENCH_PAUSE, a connection waits so many milliseconds before each request.
if os.getenv("BENCH_PAUSE") then
    function delay()
        return tonumber(os.getenv("BENCH_PAUSE"))
    end
end

function init()
    local file = os.getenv("BENCH_COOKIES")
    if file then
        for line in io.lines(file) do
            requests[#requests + 1] = wrk.format("GET", nil, { Cookie = line })
        end
    else
        requests[1] = wrk.format("GET")
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format('\n{"requests":%d,"seconds":%.6f,"errors":%d,"p50_us":%d,"p99_us":%d}\n', summary.requests,
        summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50),
        latency:percentile(99)))
end
