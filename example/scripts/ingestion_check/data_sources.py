"""The data sources that the connector is known to have, from the objects of the template."""

from .fields import DataSource, DataSources, Names

DATA_SOURCES = DataSources(
    [
        DataSource(
            name="profiles",
            object="profiles",
            changed=Names("updated", "updated"),
            created=Names("created", "created"),
            takes_field=True,
        ),
        DataSource(
            name="events",
            object="events",
            changed=Names("datetime", "datetime"),
            created=Names("datetime", "datetime"),
            takes_field=False,
        ),
        DataSource(
            name="campaigns",
            object="campaigns",
            changed=Names("updated_at", "updated"),
            created=Names("created_at", "created"),
            takes_field=True,
        ),
        DataSource(
            name="lists",
            object="lists",
            changed=Names("updated", "updated"),
            created=Names("created", "created"),
            takes_field=True,
        ),
        DataSource(
            name="templates",
            object="email_templates",
            changed=Names("updated", "updated"),
            created=Names("created", "created"),
            takes_field=True,
        ),
        DataSource(
            name="metrics",
            object="metrics",
            changed=Names("updated", "updated"),
            created=Names("created", "created"),
            takes_field=True,
        ),
    ]
)
