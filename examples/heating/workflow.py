"""Compare the heating demand of two cities from hourly temperatures: sensor, SQL, Python, HTTP."""

from calendar import month_name
from pathlib import Path
from typing import NamedTuple

from connectory import File, FileSensor, HttpTask, SQLTask, StructuredDataset, current_context, kwtypes, task, workflow

arrived = FileSensor("arrived", poll_interval=0.2, deadline=60)

# A heating degree day is one day on which the temperature stays one degree below the base.
monthly = SQLTask(
    "monthly_degree_days",
    uri="duckdb://:memory:",
    inputs=kwtypes(seattle=str, san_francisco=str, base=float),
    query_template="""
        WITH hours AS (
            SELECT 'Seattle' AS city, date, temp FROM read_csv({{ .inputs.seattle }}, all_varchar = true)
            UNION ALL
            SELECT 'San Francisco' AS city, date, temp FROM read_csv({{ .inputs.san_francisco }}, all_varchar = true)
        )
        SELECT city,
               CAST(substr(date, 6, 2) AS INTEGER) AS month,
               count(*) AS hours,
               round(avg(CAST(temp AS DOUBLE)), 2) AS mean_temperature,
               round(sum(greatest({{ .inputs.base }} - CAST(temp AS DOUBLE), 0)) / 24, 1) AS degree_days
        FROM hours GROUP BY ALL ORDER BY ALL
    """,
)


class Report(NamedTuple):
    chart: File
    summary: str


@task(retries=1)
def report(table: StructuredDataset, base: float) -> Report:
    """Draw the months of both cities as a chart, and say in two sentences what it shows."""
    import matplotlib
    import pyarrow.parquet

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = pyarrow.parquet.read_table(table.uri).to_pylist()
    cities = sorted({row["city"] for row in rows})
    figure, axes = pyplot.subplots(figsize=(9, 4.5))
    totals = {}
    for offset, city in enumerate(cities):
        of_city = [row for row in rows if row["city"] == city]
        totals[city] = sum(row["degree_days"] for row in of_city)
        axes.bar(
            [row["month"] + 0.4 * offset - 0.2 for row in of_city],
            [row["degree_days"] for row in of_city],
            width=0.4,
            label=city,
        )
    axes.set(title="Heating degree days, 2010", xlabel="month", ylabel=f"degree days below {base:g} °F")
    axes.set_xticks(range(1, 13))
    axes.legend()
    path = Path(current_context().working_directory) / "heating.png"
    figure.savefig(path, dpi=120, bbox_inches="tight")

    colder, milder = sorted(cities, key=lambda city: -totals[city])
    coldest = max(rows, key=lambda row: row["degree_days"])
    summary = (
        f"{colder} needed {totals[colder]:.0f} heating degree days in 2010, {totals[colder] / totals[milder]:.2f} "
        f"times as many as {milder} ({totals[milder]:.0f}). The most demanding month was "
        f"{month_name[coldest['month']]} in {coldest['city']}, with {coldest['degree_days']:.0f}."
    )
    return Report(chart=File(path), summary=summary)


post = HttpTask(
    "post_summary",
    method="POST",
    url="{{ .inputs.receiver }}",
    json={"title": "Heating demand", "text": "{{ .inputs.text }}"},
    inputs=kwtypes(receiver=str, text=str),
    outputs=kwtypes(status=int),
)


class Result(NamedTuple):
    table: StructuredDataset
    chart: File
    summary: str
    receipt: int


@workflow
def heating(seattle: str, san_francisco: str, receiver: str, base: float = 65.0) -> Result:
    """Wait for the temperatures of both cities, aggregate them, draw and describe the result, and post it."""
    table = monthly(seattle=arrived(path=seattle), san_francisco=arrived(path=san_francisco), base=base)
    described = report(table=table, base=base)
    status = post(receiver=receiver, text=described.summary)
    return Result(table=table, chart=described.chart, summary=described.summary, receipt=status)
