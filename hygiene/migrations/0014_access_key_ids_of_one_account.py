"""An id that two accounts came to have is the first one's; the others' keys are set aside as a live list would, and listed again."""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.models import Count, Max


def set_aside(apps: Apps, schema_editor: Any) -> None:
    keys, principals = apps.get_model("hygiene", "AccessKey").objects, apps.get_model("hygiene", "Principal").objects
    twice = keys.exclude(access_key_id=None).values("access_key_id").annotate(rows=Count("pk")).filter(rows__gt=1)
    for key_id in list(twice.values_list("access_key_id", flat=True)):
        for key in keys.filter(access_key_id=key_id).order_by("first_seen_at", "pk")[1:]:
            alike = keys.filter(principal=key.principal_id, created_at=key.created_at, access_key_id=None)
            twin = alike.aggregate(last=Max("twin"))["last"]
            keys.filter(pk=key.pk).update(
                access_key_id=None, match="id_pending", has_data_warning=True, twin=key.twin if twin is None else twin + 1
            )
            principals.filter(pk=key.principal_id).update(listed_fingerprint="")


class Migration(migrations.Migration):
    dependencies = [
        ("hygiene", "0013_own_keys"),
    ]

    operations = [
        migrations.RunPython(set_aside, migrations.RunPython.noop),
    ]
