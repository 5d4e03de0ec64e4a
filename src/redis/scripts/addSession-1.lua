-- Adds a browser session, unless its digest or its id is taken.
--
-- KEYS[1]  what all keys of sessions begin with; they share its hash tag. The others derive from it:
--            s:<digest>          hash: id, personId, providerDigest (or absent), endsAt, lastSeenAt, sealed
--            id:<id>             string: the digest
--            person:<personId>   set of digests
--            provider:<digest>   set of digests, by what a back-channel logout names
--            ends                sorted set of ids by endsAt
--            seen                sorted set of ids by the negative of lastSeenAt: the newest use is first, then the smaller id
--            t:<ticket digest>   hash: sessionDigest, method, target, endsAt
--            of:<digest>         set of the ticket digests of a session
--            tickets             sorted set of ticket digests by endsAt
-- ARGV[1]  digest
-- ARGV[2]  id
-- ARGV[3]  person
-- ARGV[4]  digest of the provider's session, or empty
-- ARGV[5]  endsAt, milliseconds since 1970
-- ARGV[6]  lastSeenAt, milliseconds since 1970
-- ARGV[7]  sealed content, bytes
-- ARGV[8]  how long it is kept beyond its end when nobody sweeps, milliseconds
-- Answers  1 when it was added, 0 when the digest or the id is taken.

local root = KEYS[1]
local digest, id, person, provider = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local endsAt, lastSeenAt, sealed = ARGV[5], ARGV[6], ARGV[7]

local session, byId = root .. 's:' .. digest, root .. 'id:' .. id
if redis.call('EXISTS', session) == 1 or redis.call('EXISTS', byId) == 1 then return 0 end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local goneAt = string.format('%.0f', math.max(now, tonumber(endsAt)) + tonumber(ARGV[8]))

redis.call('HSET', session, 'id', id, 'personId', person, 'endsAt', endsAt, 'lastSeenAt', lastSeenAt, 'sealed', sealed)
if provider ~= '' then redis.call('HSET', session, 'providerDigest', provider) end
redis.call('SET', byId, digest)
for _, key in ipairs({ session, byId }) do redis.call('PEXPIREAT', key, goneAt) end

local function addTo(set)
  redis.call('SADD', set, digest)
  if redis.call('PEXPIRETIME', set) < tonumber(goneAt) then redis.call('PEXPIREAT', set, goneAt) end
end
addTo(root .. 'person:' .. person)
if provider ~= '' then addTo(root .. 'provider:' .. provider) end

redis.call('ZADD', root .. 'ends', endsAt, id)
redis.call('ZADD', root .. 'seen', '-' .. lastSeenAt, id)
return 1
