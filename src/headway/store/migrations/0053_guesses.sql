-- Entries of the audit about tasks that guess names of secrets, for the metric of the last hour.
CREATE INDEX audit_guesses ON audit (team_id, at) WHERE action = 'secrets.guess';
