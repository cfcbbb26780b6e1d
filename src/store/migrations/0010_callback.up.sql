-- Customers who hung up and will be called back; one row each until it is over.
CREATE TABLE callback (
    callback INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    number TEXT NOT NULL,
    name TEXT NOT NULL,
    language TEXT NOT NULL,
    class TEXT NOT NULL,
    priority INTEGER NOT NULL,
    came INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    next_at INTEGER NOT NULL
) STRICT;
