-- How often somebody tried to sign in, counted over all API servers: what is left of a bucket, and since when. A crash of the
-- database may forget it. No role reads or writes it but by these functions.
CREATE UNLOGGED TABLE sign_in_rate (
    key       bytea PRIMARY KEY, -- the hash of a name, an address or both
    allowance double precision NOT NULL,
    counted_at timestamptz NOT NULL
);
CREATE INDEX sign_in_rate_old ON sign_in_rate (counted_at);

-- Take one try from the bucket of a key; the answer is how many seconds to wait, 0 if it was taken.
CREATE FUNCTION take_sign_in(secret text, wanted bytea, burst integer, period_s double precision, moment timestamptz)
RETURNS double precision
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    here double precision;
BEGIN
    PERFORM require_server(secret);
    -- What is full again is forgotten, a little at each try.
    DELETE FROM sign_in_rate WHERE key IN (
        SELECT key FROM sign_in_rate WHERE counted_at < moment - make_interval(secs => 10 * period_s) AND key <> wanted
        ORDER BY counted_at LIMIT 10 FOR UPDATE SKIP LOCKED);
    INSERT INTO sign_in_rate AS known VALUES (wanted, burst, moment)
    ON CONFLICT (key) DO UPDATE SET
        allowance = least(burst, known.allowance
            + greatest(0, extract(epoch FROM moment - known.counted_at)) * burst / period_s),
        counted_at = greatest(known.counted_at, moment)
    RETURNING allowance INTO here;
    IF here < 1 THEN
        RETURN (1 - here) * period_s / burst;
    END IF;
    UPDATE sign_in_rate SET allowance = allowance - 1 WHERE key = wanted;
    RETURN 0;
END $$;

CREATE FUNCTION give_back_sign_in(secret text, wanted bytea, burst integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_server(secret);
    UPDATE sign_in_rate SET allowance = least(burst, allowance + 1) WHERE key = wanted;
END $$;
REVOKE ALL ON FUNCTION take_sign_in, give_back_sign_in FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_sign_in, give_back_sign_in TO headway_app;
