-- What people look for alerts by; empty where an alert does not say it.
ALTER TABLE alerts ADD COLUMN user TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN container TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN incident TEXT NOT NULL DEFAULT '';
UPDATE alerts SET
    user = ifnull(nullif(json_extract(json, '$.process_info.user'), ''), ifnull(json_extract(json, '$.process_info.uid'), '')),
    container = ifnull(json_extract(json, '$.location.container_id'), ''),
    incident = ifnull(json_extract(json, '$.incident_id'), '')
WHERE json_valid(json);
-- Each has the newest of what it is asked for at its end, in order of arrival: a page is read off it, whatever lies beside.
CREATE INDEX alerts_by_severity ON alerts (tenant, severity, raised);
CREATE INDEX alerts_by_policy ON alerts (tenant, policy, raised);
CREATE INDEX alerts_by_host ON alerts (tenant, host, raised);
CREATE INDEX alerts_by_user ON alerts (tenant, user, raised) WHERE user <> '';
CREATE INDEX alerts_by_container ON alerts (tenant, container, raised) WHERE container <> '';
CREATE INDEX alerts_by_incident ON alerts (tenant, incident, raised) WHERE incident <> '';
