-- Removes what is known of a budget that is gone; gateways that still knew it would bring it back, without its past.
--
-- KEYS[1]  the budget's slots.
-- KEYS[2]  what was learnt of its limit.
-- Answers  how many of them there were.

return redis.call('DEL', KEYS[1], KEYS[2])
