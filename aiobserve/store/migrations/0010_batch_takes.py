"""A batch that says again what another batch replaced is recorded as another take of it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0009_explain")]

    operations = [
        migrations.RemoveConstraint(model_name="ingestbatch", name="ingest_batch_once"),
        migrations.AddField(
            model_name="ingestbatch", name="take", field=models.PositiveIntegerField(db_default=1)
        ),
        migrations.AddConstraint(
            model_name="ingestbatch",
            constraint=models.UniqueConstraint(
                fields=("organisation", "source", "batch_id", "take"), name="ingest_batch_once"
            ),
        ),
    ]
