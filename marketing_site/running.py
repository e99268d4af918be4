"""A running Groundswell: which processes, when it is ready, what it then says and does."""

from __future__ import annotations

import http.client
import shutil
import time
from urllib.parse import urlsplit

from django.conf import settings

from accounts import selectors as accounts
from common import trial
from marketing_site import preparation, processes
from marketing_site.console import Console
from marketing_site.supervisor import Program, Supervisor

DEMO_UNFINISHED = "demo-unfinished"
SERVICE_CHECK_TICKS = 10
DISK_CHECK_TICKS = 150
LEAST_FREE_MEGABYTES = 200
# Two cores start the web server alone in a third of the time that everything at once would take.
LONGEST_HEAD_START_SECONDS = 15


class Running:
    """Runs the processes of one role, or of all, until somebody asks to stop."""

    def __init__(self, console: Console, host: str, port: int, workers: int, only: str | None) -> None:
        self.console = console
        self.host = host
        self.port = port
        self.web_workers = workers
        self.role = only or "all"
        shown_host = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 — compared, not bound
        self.url = f"http://{shown_host}:{port}"
        self.is_ready = False
        self._tick_count = 0
        self._wants_demo = False

    def has(self, role: str) -> bool:
        return self.role in ("all", role)

    def run(self, environment: dict[str, str], *, with_demo: bool) -> None:
        """Start everything and stay until SIGINT or SIGTERM."""
        self._wants_demo = with_demo and self._demo_is_due()
        self._supervisor = Supervisor(self.console, environment, self._tick)
        try:
            self._waiting = self._background_programs()
            self._started_at = time.monotonic()
            self._supervisor.run(self._web_programs())
        finally:
            if trial.is_trial():
                trial.forget_running()

    def _web_programs(self) -> list[Program]:
        return [processes.web(self.host, self.port, self.web_workers)] if self.has("web") else []

    def _background_programs(self) -> list[Program]:
        programs: list[Program] = []
        if self.has("worker"):
            programs += processes.workers()
            if trial.is_trial() and not settings.EMAIL_URL and processes.command_exists("run_mailbox"):
                programs.append(processes.mailbox())
        if self.has("beat"):
            programs.append(processes.beat())
        return programs

    def _tick(self) -> None:
        self._tick_count += 1
        if self._tick_count % SERVICE_CHECK_TICKS == 0:
            self._check_services()
        if self._tick_count % DISK_CHECK_TICKS == 0:
            self._check_disk()
        if not self.is_ready and self.has("web") and self._answers():
            self.is_ready = True
            self._greet()
            if self._wants_demo:
                self._load_demo()
        if self._waiting and self._head_start_is_over():
            for program in self._waiting:
                self._supervisor.add(program)
            self._waiting = []

    def _head_start_is_over(self) -> bool:
        lasted = time.monotonic() - self._started_at
        return self.is_ready or not self.has("web") or lasted > LONGEST_HEAD_START_SECONDS

    def _check_services(self) -> None:
        if trial.held is not None and not trial.held.are_running():
            self.console.say("The embedded database and Redis have ended; starting them again.")
            trial.held.restart()

    def _check_disk(self) -> None:
        if trial.held is not None:
            free = shutil.disk_usage(trial.home()).free // 1024**2
            if free < LEAST_FREE_MEGABYTES:
                self.console.say(f"The disk that holds {trial.home()} has only {free} MB free; free some space.")

    def _answers(self) -> bool:
        """Whether /readyz says 200, asked under the public name, as ALLOWED_HOSTS wants it."""
        host = urlsplit(settings.PUBLIC_URL).netloc if not trial.is_trial() else urlsplit(self.url).netloc
        connection = http.client.HTTPConnection(urlsplit(self.url).hostname or "", self.port, timeout=2)
        try:
            connection.request("GET", "/readyz", headers={"Host": host})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _greet(self) -> None:
        self.console.say(f"\n  Groundswell is ready: {self.url}")
        if trial.is_trial():
            logins = trial.logins()
            if self._wants_demo or accounts.organization_ids():
                self.console.say(
                    f"  Sign in as marketer   {preparation.DEMO_EMAIL}   {logins[preparation.DEMO_EMAIL]}"
                )
            self.console.say(f"  Sign in as superuser  {preparation.ADMIN_EMAIL}  {logins[preparation.ADMIN_EMAIL]}")
        self.console.say("  Ctrl-C stops everything.\n")

    def _demo_is_due(self) -> bool:
        """An empty database, or one whose filling was interrupted. Never outside a trial."""
        if not trial.is_trial() or self.role != "all" or not processes.command_exists("load_demo"):
            return False
        return (trial.home() / DEMO_UNFINISHED).exists() or not accounts.organization_ids()

    def _load_demo(self) -> None:
        (trial.home() / DEMO_UNFINISHED).touch()
        self.console.say("Filling the demo organisation in the background …")
        self._supervisor.add(processes.demo(self.url, self._demo_ended))

    def _demo_ended(self, code: int) -> None:
        if code == 0:
            (trial.home() / DEMO_UNFINISHED).unlink(missing_ok=True)
            self.console.say("The demo organisation is filled.")
        else:
            self.console.say("The demo organisation is not whole (see above); the next start goes on with it.")
