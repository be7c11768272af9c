"""Papermill's engine but for one thing: a notebook is written at the end of its run, not before and after each cell."""

from typing import Any

from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

ONCE = "saved once"  # what papermill knows the engine by


class SavedOnce(NBClientEngine):
    """Runs a notebook and leaves its file alone meanwhile; papermill writes it at the end, however the run ended."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: Any) -> Any:
        """Run the cells."""
        file, nb_man.output_path = nb_man.output_path, None
        try:
            return super().execute_managed_notebook(nb_man, kernel_name, **options)
        finally:
            nb_man.output_path = file


papermill_engines.register(ONCE, SavedOnce)
