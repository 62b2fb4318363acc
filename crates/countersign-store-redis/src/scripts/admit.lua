-- ARGV: capacity, quota, how many dead entries to sweep, a second up to which to forget, how many replicas there have to
-- be, then five of each entry: fingerprint, whose, last second and token, now, since. Answers a letter for each, or '!'
-- where history broke off.
local now_in, replicas = history()
if not now_in then
  return redis.error_reply('READONLY not a master')
end
local known = state()
if not unbroken(known, now_in) then
  return '!'
end
local lost, floor, live, stored = tonumber(known[2]), tonumber(known[3]), tonumber(known[4]), tonumber(known[5])
local capacity, quota = tonumber(ARGV[1]), tonumber(ARGV[2])
local changed = false

local function first_to_end()
  return tonumber(call('ZRANGE', Q, 0, 0)[1]) or math.huge
end
local soonest = first_to_end()

-- Counts as forgotten what ended before `now`. Its fingerprints are swept later.
local function forget(now)
  while soonest < now do
    local second = string.format('%d', soonest)
    local counts = call('HGETALL', base .. ':c:' .. second)
    for at = 1, #counts, 2 do
      local count = tonumber(counts[at + 1])
      live = live - count
      if call('HINCRBY', N, counts[at], -count) <= 0 then
        call('HDEL', N, counts[at])
      end
    end
    call('DEL', base .. ':c:' .. second)
    call('ZREM', Q, second)
    call('RPUSH', T, second)
    floor = math.max(floor, soonest)
    changed = true
    soonest = first_to_end()
  end
end

-- Frees up to `most` entries that are forgotten.
local function sweep(most)
  while most > 0 do
    local second = call('LINDEX', T, 0)
    if not second then
      return
    end
    local over = call('LPOP', base .. ':d:' .. second, math.min(most, 1000))
    changed = true
    if over then
      local dead = {}
      for at, value in ipairs(call('HMGET', E, unpack(over))) do
        if value and ends(value) <= floor then
          dead[#dead + 1] = over[at]
        end
      end
      if #dead > 0 then
        stored = stored - call('HDEL', E, unpack(dead))
      end
      most = most - #over
    else
      call('LPOP', T)
      most = most - 1
    end
  end
end

local function decide(fingerprint, whose, value, now, since)
  forget(now)
  local last = ends(value)
  if last <= floor then
    return 'B'
  end
  local before = call('HGET', E, fingerprint)
  if before and ends(before) > floor then
    if before ~= value then
      return 'S'
    end
    -- Ours, sent once more because the answer did not come. Written again, so that WAIT waits for it.
    call('HSET', E, fingerprint, value)
    return 'F'
  end
  if since <= lost then
    return 'Q'
  end
  if replicas < tonumber(ARGV[5]) then
    return 'R'
  end
  if (tonumber(call('HGET', N, whose)) or 0) >= quota then
    return 'K'
  end
  if live >= capacity then
    return 'L'
  end
  local second = string.format('%d', last)
  stored = stored + call('HSET', E, fingerprint, value)
  call('HINCRBY', N, whose, 1)
  if call('HINCRBY', base .. ':c:' .. second, whose, 1) == 1 then
    call('ZADD', Q, second, second)
    soonest = math.min(soonest, last)
  end
  call('RPUSH', base .. ':d:' .. second, fingerprint)
  live = live + 1
  changed = true
  return 'F'
end

forget(tonumber(ARGV[4]))
local answers = {}
for at = 6, #ARGV, 5 do
  local now, since = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  answers[#answers + 1] = decide(ARGV[at], ARGV[at + 1], ARGV[at + 2], now, since)
end
local before_sweep = stored
sweep(tonumber(ARGV[3]))
if changed then
  call('HSET', base, 'floor', floor, 'live', live, 'stored', stored)
end
if #answers == 0 then
  return before_sweep - stored
end
return table.concat(answers)
