"""Seals how the postings of each site-day divide over tokens; what is there is sealed as it stands.

Whoever adds a column to `token_share` later has to seal anew in the same migration.
"""

import django.db.models.deletion
from django.db import migrations, models

# The columns of a share at this version, in the order of the seal.
SEALED = """organisation_id, site_id, day, window_start_at, job_id, team_id, project_id, model_id, input_tokens,
    cached_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, input_parts, cached_parts, output_parts,
    idle_parts"""

FILL = f"""
INSERT INTO token_share_seal (site_id, day, shares, checksum)
    SELECT site_id, day, count(*), sum(hash_record_extended(ROW({SEALED}), 0)::numeric)
    FROM token_share GROUP BY site_id, day;
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0010_batch_takes")]

    operations = [
        migrations.CreateModel(
            name="TokenShareSeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("shares", models.BigIntegerField()),
                ("checksum", models.DecimalField(decimal_places=0, max_digits=40)),
                (
                    "site",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to="store.site"),
                ),
            ],
            options={
                "db_table": "token_share_seal",
                "constraints": [
                    models.UniqueConstraint(fields=("site", "day"), name="token_share_seal_once"),
                ],
            },
        ),
        migrations.RunSQL(sql=FILL, reverse_sql=migrations.RunSQL.noop),
    ]
