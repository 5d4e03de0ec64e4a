-- Removes what is known of a budget that is gone; gateways that still knew it would bring it back, without its past.
--
-- KEYS[1]  the budget's slots.
-- Answers  1, or 0 when there was nothing.

return redis.call('DEL', KEYS[1])
