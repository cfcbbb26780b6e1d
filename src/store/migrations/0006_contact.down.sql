DROP TABLE contact_number;
DROP TABLE contact;
