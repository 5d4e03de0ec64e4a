-- Each call asks something else, as callers' calls do: equal reads that wait are one call at the gateway.
local head, tail
local count = 0

init = function()
  local whole = wrk.format("GET", wrk.path .. "&n=COUNT")
  local from, to = whole:find("COUNT", 1, true)
  head, tail = whole:sub(1, from - 1), whole:sub(to + 1)
end

request = function()
  count = count + 1
  return head .. count .. tail
end

-- One line that a program can read, instead of a table for people.
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"micros":%d,"p50":%d,"p99":%d,"badStatus":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
