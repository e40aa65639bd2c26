"""The hot telemetry table: partitioned by UTC day, wide rows, BRIN, no primary key."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("store", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql="""
            CREATE TABLE telemetry_sample (
                device_id bigint NOT NULL,
                at timestamptz NOT NULL,
                energy_millij float8 NOT NULL,
                power_w float8 NOT NULL,
                utilisation_ratio float8 NOT NULL,
                memory_mib float8 NOT NULL
            ) PARTITION BY RANGE (at);
            CREATE INDEX telemetry_sample_at ON telemetry_sample USING brin (at);
            """,
            reverse_sql="DROP TABLE telemetry_sample",
        )
    ]
