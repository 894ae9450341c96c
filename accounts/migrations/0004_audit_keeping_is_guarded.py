"""PostgreSQL lets old events go only below a checkpoint, and refuses to change anchors and checkpoints."""

from django.db import migrations

EVENTS = """
CREATE OR REPLACE FUNCTION accounts_auditevent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM accounts_auditcheckpoint AS kept WHERE kept.sequence >= OLD.sequence) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'Audit events are only added, never changed or deleted.' USING ERRCODE = 'insufficient_privilege';
END $$;
"""
EVENTS_BEFORE = """
CREATE OR REPLACE FUNCTION accounts_auditevent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Audit events are only added, never changed or deleted.' USING ERRCODE = 'insufficient_privilege';
END $$;
"""
KEPT = """
CREATE OR REPLACE FUNCTION accounts_auditkept_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Anchors and checkpoints of the audit log are only added, never changed or deleted.' USING ERRCODE = 'insufficient_privilege';
END $$;
"""
TABLES = ("accounts_auditanchor", "accounts_auditcheckpoint")


def guard(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(EVENTS)
    schema_editor.execute(KEPT)
    for table in TABLES:
        function = "EXECUTE FUNCTION accounts_auditkept_refuse()"
        schema_editor.execute(f"CREATE TRIGGER {table}_only_added BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {function}")
        schema_editor.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {function}")


def unguard(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for table in TABLES:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}")
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_only_added ON {table}")
    schema_editor.execute("DROP FUNCTION IF EXISTS accounts_auditkept_refuse()")
    schema_editor.execute(EVENTS_BEFORE)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_audit_anchors_and_checkpoints")]
    operations = [migrations.RunPython(guard, unguard)]
