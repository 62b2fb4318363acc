-- One shard of the store; `base` is its first key, and the others begin with it, so that all are in one slot.
--   base         hash: history, lost, floor, live, stored
--   base:e       hash: fingerprint -> last second (4 bytes) and token (16 bytes) of an entry
--   base:n       hash: whose -> how many entries are live
--   base:q       sorted set: the last seconds that entries end with
--   base:c:SECOND hash: whose -> how many entries end with that second
--   base:d:SECOND list: the fingerprints that end with that second
--   base:t       list: the seconds that are over and whose fingerprints are still there
local base = KEYS[1]
local call = redis.call
local E, N, Q, T = base .. ':e', base .. ':n', base .. ':q', base .. ':t'

local function ends(value)
  return struct.unpack('>I4', value)
end

-- Which history of writes this server goes on with, and how many replicas follow it. The history is another one after
-- every restart and every promotion; also where nothing is lost, with the first replica and long after the last.
local function history()
  local replication = call('INFO', 'replication')
  if not string.find(replication, 'role:master', 1, true) then
    return nil
  end
  return string.match(replication, 'master_replid:(%x+)'), tonumber(string.match(replication, 'connected_slaves:(%d+)'))
end

local function state()
  return call('HMGET', base, 'history', 'lost', 'floor', 'live', 'stored')
end

-- Whether nothing can have been lost since the last write.
local function unbroken(known, now)
  return known[1] == now and call('HLEN', E) == tonumber(known[5])
end
