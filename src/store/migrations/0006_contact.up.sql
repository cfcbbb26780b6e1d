-- Who calls. The numbers stand in the row, and once each in the index by which a caller is found.
CREATE TABLE contact (
    contact INTEGER PRIMARY KEY AUTOINCREMENT,
    numbers TEXT NOT NULL,
    name TEXT NOT NULL,
    company TEXT NOT NULL,
    class TEXT NOT NULL,
    language TEXT,
    notes TEXT NOT NULL,
    fields TEXT NOT NULL,
    changed INTEGER NOT NULL
) STRICT;
CREATE INDEX contact_name ON contact (name, contact);
CREATE TABLE contact_number (
    number TEXT PRIMARY KEY,
    contact INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_number_of ON contact_number (contact);
