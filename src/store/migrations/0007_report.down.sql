DROP INDEX call_by_called;
DROP INDEX call_by_caller;
DROP INDEX call_by_start;
