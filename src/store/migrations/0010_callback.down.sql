DROP TABLE callback;
