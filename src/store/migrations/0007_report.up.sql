-- By these, reports find the calls of a span of time, and the desk finds the earlier calls of a number.
CREATE INDEX call_by_start ON call (started, call);
CREATE INDEX call_by_caller ON call (caller_number, call);
CREATE INDEX call_by_called ON call (called_number, call);
