"""PostgreSQL refuses to change, delete or truncate audit events. SQLite has the models' own refusal only."""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION accounts_auditevent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Audit events are only added, never changed or deleted.' USING ERRCODE = 'insufficient_privilege';
END $$;
"""
ROWS = """
CREATE TRIGGER accounts_auditevent_only_added BEFORE UPDATE OR DELETE ON accounts_auditevent
FOR EACH ROW EXECUTE FUNCTION accounts_auditevent_refuse();
"""
TABLE = """
CREATE TRIGGER accounts_auditevent_no_truncate BEFORE TRUNCATE ON accounts_auditevent
FOR EACH STATEMENT EXECUTE FUNCTION accounts_auditevent_refuse();
"""


def refuse(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for statement in (FUNCTION, ROWS, TABLE):
            schema_editor.execute(statement)


def allow(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER IF EXISTS accounts_auditevent_no_truncate ON accounts_auditevent")
        schema_editor.execute("DROP TRIGGER IF EXISTS accounts_auditevent_only_added ON accounts_auditevent")
        schema_editor.execute("DROP FUNCTION IF EXISTS accounts_auditevent_refuse()")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(refuse, allow)]
