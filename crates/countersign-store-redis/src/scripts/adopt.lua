-- ARGV: the second it is by the gateway's clock, the margin of clocks, '1' where somebody vouches that an empty store
-- is a new one. Begins a history: what may have been accepted before it cannot be decided any more. Answers the last
-- second that may be lost, or nothing where another gateway was faster.
local now_in = history()
if not now_in then
  return redis.error_reply('READONLY not a master')
end
local known = state()
if unbroken(known, now_in) then
  return false
end
local stored = call('HLEN', E)
local whole = known[1] and stored == tonumber(known[5])
local lost = -1
if known[1] or stored > 0 or ARGV[3] ~= '1' then
  -- Two clocks have to be wrong for this to be too early.
  local now = math.max(tonumber(ARGV[1]), tonumber(call('TIME')[1]))
  lost = math.max(tonumber(known[2]) or -1, now + 1 + tonumber(ARGV[2]))
end
if whole then
  call('HSET', base, 'history', now_in, 'lost', lost)
else
  -- Some of it is gone, and nobody knows what. The rest is older than `lost`, and so not needed.
  for _, second in ipairs(call('ZRANGE', Q, 0, -1)) do
    call('UNLINK', base .. ':c:' .. second, base .. ':d:' .. second)
  end
  for _, second in ipairs(call('LRANGE', T, 0, -1)) do
    call('UNLINK', base .. ':d:' .. second)
  end
  call('UNLINK', E, N, Q, T)
  local floor = math.max(tonumber(known[3]) or 0, 0)
  call('HSET', base, 'history', now_in, 'lost', lost, 'floor', floor, 'live', 0, 'stored', 0)
end
return lost
