DROP TABLE steered;
DROP TABLE barred;
DROP TABLE attempt;
DROP TABLE reject;
DROP TABLE entry;
DROP TABLE list;
