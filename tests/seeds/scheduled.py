from connectory.authoring import LaunchPlan, Schedule, workflow


@workflow
def my_daily_report_workflow(start_date: str) -> str:
    # ... workflow logic ...
    return "Report generated"


# Create a launch plan to run daily at a specific time
daily_lp = LaunchPlan.create(
    name="daily_report_lp",
    workflow=my_daily_report_workflow,
    default_inputs={"start_date": "2023-01-01"},
    schedule=Schedule(cron_expression="0 10 * * *"),  # Every day at 10:00 AM UTC
)
