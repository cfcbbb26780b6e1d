DROP TABLE telling;
DROP TABLE alarm;
