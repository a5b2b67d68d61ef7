-- Dates that Python cannot read back made every list with such a run in it an error, for API and scheduler. They are
-- refused where they come in; this holds whoever writes. Those that are there already move into the calendar.
ALTER TABLE run NO FORCE ROW LEVEL SECURITY;
UPDATE run SET
    logical_date = greatest('0001-01-02 00:00:00Z', least(logical_date, '9999-12-30 23:59:59.999999Z')),
    interval_start = greatest('0001-01-02 00:00:00Z', least(interval_start, '9999-12-30 23:59:59.999999Z')),
    interval_end = greatest('0001-01-02 00:00:00Z', least(interval_end, '9999-12-30 23:59:59.999999Z'))
WHERE interval_start < '0001-01-02 00:00:00Z' OR interval_end > '9999-12-30 23:59:59.999999Z'
    OR logical_date < '0001-01-02 00:00:00Z' OR logical_date > '9999-12-30 23:59:59.999999Z';
ALTER TABLE run FORCE ROW LEVEL SECURITY;
ALTER TABLE run ADD CONSTRAINT dates_in_the_calendar CHECK (
    interval_start >= '0001-01-02 00:00:00Z' AND interval_end <= '9999-12-30 23:59:59.999999Z'
    AND logical_date BETWEEN '0001-01-02 00:00:00Z' AND '9999-12-30 23:59:59.999999Z'
) NOT VALID;
