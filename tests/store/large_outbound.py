"""Many deliveries of outbound webhooks, of which a few wait."""

from typing import Final

OUTBOUND: Final = """
    INSERT INTO outbound_webhook (team_id, name, url, dags, states, with_params, site, active_since, key_id, wrapped,
            sealed, created_at, created_by)
        SELECT 1, 'h' || n, 'u', '{*}', '{failed}', false, '', now(), 'k', '', '', now(), 'me'
        FROM generate_series(1, 20) n;
    INSERT INTO outbound_delivery (team_id, name, event_id, at, body, status, since, next_at)
        SELECT 1, 'h' || n % 20, 'e' || n, now(), '{}', CASE n % 100 WHEN 0 THEN 'waiting' ELSE 'delivered' END, now(),
            CASE n % 100 WHEN 0 THEN now() END
        FROM generate_series(1, 20000) n;
"""
