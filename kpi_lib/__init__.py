"""The monthly customer-KPI report."""
