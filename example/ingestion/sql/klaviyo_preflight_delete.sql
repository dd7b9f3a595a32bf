-- Try whether rows may be deleted. From the template: settings are in config/, fixes come with copier update.
-- No row of the scratch table is so old.
DELETE FROM klaviyo_preflight_${datasource.object}
WHERE time < 0
