CREATE TABLE groups (id INTEGER PRIMARY KEY, name VARCHAR(255), public BOOL, order_id INTEGER);
CREATE TABLE services (id INTEGER PRIMARY KEY, name VARCHAR(255), domain VARCHAR(255), check_interval INTEGER, check_type VARCHAR(255),
    method VARCHAR(255), port INTEGER, timeout INTEGER, order_id INTEGER, public BOOL, group_id INTEGER, expected_status INTEGER);
CREATE TABLE hits (id INTEGER PRIMARY KEY AUTOINCREMENT, service BIGINT, latency BIGINT, ping_time BIGINT, created_at DATETIME);
CREATE TABLE failures (id INTEGER PRIMARY KEY AUTOINCREMENT, issue VARCHAR(255), method VARCHAR(255), method_id BIGINT, service BIGINT,
    ping_time BIGINT, checkin BIGINT, error_code BIGINT, created_at DATETIME);
CREATE TABLE incidents (id INTEGER PRIMARY KEY, title VARCHAR(255), description VARCHAR(255), service BIGINT, created_at DATETIME,
    updated_at DATETIME);
CREATE TABLE incident_updates (id INTEGER PRIMARY KEY, incident BIGINT, message VARCHAR(255), type VARCHAR(255), created_at DATETIME,
    updated_at DATETIME);
INSERT INTO groups VALUES (3, 'Web', 1, 0);
INSERT INTO services VALUES (7, 'Shop', 'TARGET', 5, 'http', 'GET', 0, 10, 1, 1, 3, 200);
WITH RECURSIVE minute(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM minute WHERE n < 59)
    INSERT INTO hits (service, latency, created_at) SELECT 7, 120000 + n, strftime('%Y-%m-%d %H:%M:%f+00:00', OLD, n || ' minutes') FROM minute;
WITH RECURSIVE minute(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM minute WHERE n < 59)
    INSERT INTO hits (service, latency, created_at) SELECT 7, 80000, strftime('%Y-%m-%d %H:%M:%f+00:00', YESTERDAY, n || ' minutes') FROM minute
    WHERE n NOT BETWEEN 20 AND 24;
WITH RECURSIVE minute(n) AS (SELECT 20 UNION ALL SELECT n + 1 FROM minute WHERE n < 24)
    INSERT INTO failures (issue, service, created_at) SELECT 'HTTP Request Timed Out', 7, strftime('%Y-%m-%d %H:%M:%f+00:00', YESTERDAY, n || ' minutes')
    FROM minute;
INSERT INTO failures (issue, service, checkin, created_at) VALUES ('a check-in', 7, 5, YESTERDAY);
INSERT INTO incidents VALUES (1, 'The shop was down', 'Nobody could buy.', 7, YESTERDAY, YESTERDAY), (2, 'Slow', '', 7, YESTERDAY, YESTERDAY);
INSERT INTO incident_updates VALUES (1, 1, 'We look.', 'Investigating', YESTERDAY, YESTERDAY), (2, 1, 'It runs.', 'resolved', YESTERDAY, YESTERDAY),
    (3, 2, 'Somewhat better.', 'update', YESTERDAY, YESTERDAY);
INSERT INTO hits (service, latency, created_at) VALUES (7, 5, '0001-01-01 00:00:00+00:00');
