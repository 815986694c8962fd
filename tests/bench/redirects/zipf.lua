-- Requests for wrk: keys by popularity, Referer and User-Agent varied. A request is one concatenation: wrk must not
-- become the bottleneck. WORKLOAD: a folder with codes.txt (a line each), heads.txt (the same; \n within is "|") and
-- keys.bin (which code comes next, as 32-bit numbers), all made beforehand.
local ffi = require("ffi")
local folder = os.getenv("WORKLOAD")
local codes, heads, keys, count, turn = {}, {}, nil, 0, 0

function init(args)
  for line in io.lines(folder .. "/codes.txt") do codes[#codes + 1] = "GET /" .. line .. " HTTP/1.1\r\nHost: " .. wrk.host .. "\r\n" end
  for line in io.lines(folder .. "/heads.txt") do heads[#heads + 1] = line:gsub("|", "\r\n") .. "\r\n\r\n" end
  local file = io.open(folder .. "/keys.bin", "rb")
  text = file:read("*a") -- global: the numbers below lie in it
  file:close()
  keys, count = ffi.cast("const uint32_t *", text), #text / 4
  turn = tonumber(os.getenv("TURN") or "0") % count
end

function request()
  turn = (turn + 1) % count
  return codes[keys[turn] + 1] .. heads[turn % #heads + 1]
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status, latency:percentile(99)))
end
