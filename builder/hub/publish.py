"""The only writer to the Hub: one commit, then a tag, then the proof that it can be loaded.

One publication, step by step: look, plan, commit, tag, load it back, note it in the folder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from builder.folder.lock import locked_folder
from builder.folder.versions import Version, last_number, manifest_path, mark_published
from builder.hub.card_merge import Meta, card_text, needs_inference, split_card
from builder.hub.comparing import compare_with
from builder.hub.numbering import Bump, Placed, latest_release, merged_versions, next_release, release_taken
from builder.hub.release import (
    CommitPlan,
    check_contents,
    make_plan,
    offline_lines,
    plan_lines,
    plan_title,
)
from builder.hub.repository import TRIES, Hub, Landed, Snapshot
from builder.hub.sides import CARD, LocalDataset, Remote, parse_manifests, read_source
from builder.hub.trouble import (
    ConflictError,
    HubError,
    OfflineError,
    UnreachableError,
    UnsettledError,
)
from builder.hub.verify import infer_config, problems_with
from synthesis.errors import ContextSynthesisError, UsageError
from synthesis.wording import counted, readable_size

Step = Callable[[str], None]
_CONFLICTS = 40  # others that may come first, each with a commit of theirs


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What was published, or in a dry run what would be.

    ``version`` is the tag, such as ``v1.2.0``; None for a pull request. ``commit`` is what the tag
    stands for; None in a dry run. ``configs`` maps each config of the folder to the number that its
    newest version has there. ``uploaded_bytes`` is the size of the
    commit's files, ``skipped_bytes`` that of data which the repository had already. ``plan`` says line by
    line what was (or would be) done.
    """

    repo_id: str
    version: str | None
    commit: str | None
    url: str
    configs: dict[str, str]
    uploaded_bytes: int
    skipped_bytes: int
    plan: list[str] = field(default_factory=list)


def publish(
    folder: Path,
    repo_id: str,
    *,
    version: str | None = None,
    private: bool = False,
    dry_run: bool = False,
    create_pr: bool = False,
    revision: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
    message: str | None = None,
    on_step: Step = lambda _: None,
) -> PublishResult:
    """Publish a dataset folder to a dataset repository on the Hub.

    Adds what the repository lacks in one commit, tags the release, loads every new config back at
    that tag, and marks the versions as published in the folder. New data is written under the number of
    the release, whatever number it was built under; what is there keeps its own and is not sent again.

    Args:
        folder: A run's folder, or the dataset folder in it.
        repo_id: ``owner/name``; created if missing.
        version: Number of the release, such as ``1.2.0``. By default it follows from what changed:
            1.0.0 first; major if rows or columns were changed or taken away, or made in another way;
            minor if rows or configs were added; patch if no row was touched.
        private: Create the repository as private.
        dry_run: Only say what would be done; without a network, what can be said without.
        create_pr: Open a pull request, without a tag, instead of committing.
        revision: Branch to commit to; created off main if missing.
        token: By default the login's or HF_TOKEN's.
        endpoint: By default HF_ENDPOINT's.
        message: Of the commit.
        on_step: Called with a sentence at each step and each wait.

    Raises:
        UsageError: Wrong arguments or login, nothing to publish, or a number that is taken.
            Nothing was written.
        FolderError: The folder was not built, or is damaged.
        HubError: The Hub failed or the release could not be read back. Running it again goes on.
    """
    goal = _goal(version, private, create_pr, revision, message)
    source = read_source(Path(folder))
    hub = Hub(repo_id, token=token, endpoint=endpoint, on_step=on_step, once=dry_run)
    if not dry_run and hub.token is None:
        raise UsageError(
            f"You are not logged in, so nothing can be published to {repo_id}. "
            "Run `hf auth login`, set HF_TOKEN, or give a token."
        )
    return Publication(hub, source, goal, on_step).run(dry_run)


def _goal(
    version: str | None, private: bool, create_pr: bool, revision: str | None, message: str | None
) -> Goal:
    if create_pr and revision not in (None, "main"):
        raise UsageError("A pull request is made against main. Leave out the revision, or create_pr.")
    if create_pr and version is not None:
        raise UsageError("A pull request is not tagged. Leave out the version, or create_pr.")
    number = Version.parse(version.removeprefix("v")) if version is not None else None
    return Goal(number, private, create_pr, revision or "main", message)


@dataclass(frozen=True, slots=True)
class Goal:
    """Where to publish, and how; ``version`` is the release's number if one was asked for."""

    version: Version | None
    private: bool
    create_pr: bool
    revision: str
    message: str | None

    @property
    def tags(self) -> bool:
        """Whether the publication is a release."""
        return not self.create_pr and not self.revision.startswith("refs/pr/")


@dataclass(frozen=True, slots=True)
class Publication:
    """One call of ``publish``; the state of the repository is passed along, not kept."""

    hub: Hub
    source: LocalDataset
    goal: Goal
    on_step: Step

    def run(self, dry_run: bool) -> PublishResult:
        """Look, plan, commit; look again for as long as others commit in between."""
        if dry_run:
            return self._preview()
        first: CommitPlan | None = None
        again: UnsettledError
        failures = conflicts = 0
        while True:
            remote, plan = self._survey()
            name = self._release(remote, plan)
            if first is None or plan.additions:
                first, lines = plan, self._lines(remote, plan, name)
            try:
                landed = self._commit(remote, plan, name)
            except ConflictError as failure:
                # Somebody else came through, so this ends; each time the numbers are chosen anew.
                again, conflicts = failure, conflicts + 1
            except UnsettledError as failure:
                again, failures = failure, failures + 1
            else:
                # Where a commit was made but not heard of, the plan before tells what was in it.
                return self._finish(remote, first, name, landed, lines)
            if self.goal.create_pr:
                place = f"{self.hub.endpoint}/datasets/{self.hub.repo_id}/discussions"
                raise HubError(f"{again} Look at {place} first: the pull request may be there.")
            if failures >= TRIES or conflicts >= _CONFLICTS:
                raise again
            self.hub.pause(again, failures + min(conflicts, TRIES))

    def _preview(self) -> PublishResult:
        try:
            remote, plan = self._survey()
            name = self._release(remote, plan)
        except (UnreachableError, OfflineError) as error:
            return self._result(None, None, None, [*offline_lines(self.source), f"not known: {error}"])
        return self._result(plan, name, None, self._lines(remote, plan, name))

    def _lines(self, remote: Remote, plan: CommitPlan, name: str | None) -> list[str]:
        makes = []
        if remote.snapshot.oid is None:
            makes.append(f"create {'private' if self.goal.private else 'public'} dataset {self.hub.repo_id}")
        if not remote.snapshot.branch:
            makes.append(f"create branch {self.goal.revision}")
        if self.goal.create_pr and plan.additions:
            makes.append("open a pull request")
        return plan_lines(remote, plan, tag=name, makes=makes)

    # --- looking

    def _survey(self) -> tuple[Remote, CommitPlan]:
        self.on_step(f"looking at {self.hub.repo_id}")
        snapshot = self.hub.look(self.goal.revision)
        if snapshot is None:
            remote = Remote(Snapshot(None))
        elif self.goal.private and not snapshot.private:
            raise UsageError(
                f"{self.hub.repo_id} is there already and is public. Make it private in its settings "
                "first, or publish without private."
            )
        else:
            remote = self._read(snapshot)
        plan = make_plan(
            self.source,
            remote,
            repo_id=self.hub.repo_id,
            compare=compare_with(self.hub, remote.snapshot, self.source.folder),
            wanted=self.goal.version,
            inferred=self._inferred(remote),
        )
        return remote, plan

    def _read(self, snapshot: Snapshot) -> Remote:
        paths = [
            path for path in snapshot.files if Path(path).match("manifests/*/*.json") and path.count("/") == 2
        ]
        card = [CARD] if CARD in snapshot.files else []
        texts = self.hub.read([*paths, *card], snapshot)
        manifests = parse_manifests({path: texts[path] for path in paths}, self.hub.repo_id)
        latest = latest_release(snapshot.tags)
        tree = self.hub.files(snapshot.tags[f"v{latest}"]) if latest else {}
        text = card_text(texts[CARD], self.hub.repo_id) if card else None
        return Remote(snapshot, text, manifests, latest, tree)

    def _inferred(self, remote: Remote) -> Meta | None:
        ours = tuple(f"data/{name}/" for name in remote.manifests)
        others = [path for path in remote.snapshot.files if not path.startswith(ours)]
        if needs_inference(remote.card, others):
            self.on_step(f"asking datasets what {self.hub.repo_id} holds")
            return infer_config(self.hub, str(remote.snapshot.oid))
        return None

    def _release(self, remote: Remote, plan: CommitPlan) -> str | None:
        """The tag to use.

        Raises:
            UsageError: It is taken.
        """
        if not self.goal.tags:
            return None
        tags = remote.snapshot.tags
        name = f"v{plan.number or remote.latest}"
        # What that release holds already needs no other: it is finished, or was broken off at its end.
        wanted = self.goal.version
        if wanted and name in tags and (plan.additions or not self._holds(name, remote, plan)):
            raise release_taken(remote, wanted, self.hub.repo_id, "patch")
        return name

    def _holds(self, name: str, remote: Remote, plan: CommitPlan) -> bool:
        oid = remote.snapshot.tags[name]
        tree = remote.snapshot.files if oid == remote.snapshot.oid else self.hub.files(oid)
        newest = (one.there for one in plan.newest.values())
        return all(manifest_path(Path(), one.config, one.version).as_posix() in tree for one in newest)

    # --- doing

    def _commit(self, remote: Remote, plan: CommitPlan, name: str | None) -> Landed:
        if not plan.additions:
            return Landed(str(remote.snapshot.oid))
        check_contents(plan.additions)
        parent = remote.snapshot.oid
        if parent is None:
            self.on_step(f"creating {self.hub.repo_id}")
            self.hub.create(self.goal.private)
            made = self.hub.look(self.goal.revision)
            # Another writer may have been first; then its work has to be read.
            if made is None or set(made.files) - {".gitattributes"}:
                raise UnsettledError(f"{self.hub.repo_id} was created by somebody else at the same time.")
            parent = made.oid
            remote = Remote(made)
        if not remote.snapshot.branch:
            self.hub.create_branch(self.goal.revision)
        self.on_step(f"uploading {counted(len(plan.additions), 'file')}, {readable_size(plan.bytes)}")
        message = self.goal.message or plan_title(plan, name)
        landed = self.hub.commit(
            plan.additions,
            parent=parent,
            message=message,
            revision=self.goal.revision,
            create_pr=self.goal.create_pr,
        )
        self.on_step(f"committed {landed.oid[:12]}")
        return landed

    def _finish(
        self, remote: Remote, plan: CommitPlan, name: str | None, landed: Landed, lines: list[str]
    ) -> PublishResult:
        ours = False
        if name is not None and name not in remote.snapshot.tags:
            name, tagged = self._tag(name, landed, "minor" if plan.fresh else "patch")
            if tagged != landed:  # a commit of somebody else's, on top of ours
                landed, (remote, _) = tagged, self._survey()
            ours = True
        elif name is not None:
            landed = Landed(remote.snapshot.tags[name])
        revision = name or landed.pull_revision or landed.oid
        self._verify(remote, plan, revision, name if ours else None)
        if not self.goal.create_pr:
            self._mark(plan)
        return self._result(plan, name, landed, lines)

    def _tag(self, name: str, landed: Landed, bump: Bump) -> tuple[str, Landed]:
        for _ in range(TRIES):
            self.on_step(f"tagging {name}")
            if self.hub.tag(name, landed.oid):
                return name, landed
            snapshot = self.hub.look(self.goal.revision)
            if self.goal.version is not None or snapshot is None:
                break
            # Another writer was faster. Ours comes after it, so it has to hold both.
            name = f"v{next_release(latest_release(snapshot.tags), bump)}"
            landed = Landed(str(snapshot.oid))
        raise HubError(
            f"{self.hub.repo_id}: the files are committed, but the tag {name} was taken by somebody else "
            "meanwhile. Publish again without a version, or with another one."
        )

    def _verify(self, remote: Remote, plan: CommitPlan, revision: str, tag: str | None) -> None:
        newest_here = tuple(one.there for one in plan.newest.values())
        fresh = plan.fresh or tuple(one.there for one in _unmarked(plan)) or newest_here
        self.on_step(f"loading {counted(len(fresh), 'config')} back at {revision}")
        newest = [versions[-1] for versions in merged_versions(plan.placed, remote).values()]
        before, _ = split_card(remote.card or "", CARD)
        others = [str(entry["config_name"]) for entry in before.get("configs", [])]
        problem: ContextSynthesisError | None = None
        try:
            wrong = problems_with(self.hub, revision, fresh, newest, others)
        except ContextSynthesisError as error:
            wrong, problem = [str(error)], error
        if not wrong:
            return
        if tag is not None:
            self.hub.untag(tag)
        taken = f" The tag {tag} was taken off again." if tag is not None else ""
        advice = "Run it again." if problem else "Mend or revert that commit on the Hub, then publish again."
        raise HubError(
            f"{self.hub.repo_id}: the commit was made, but could not be read back as it was built: "
            f"{'; '.join(wrong[:5])}.{taken} {advice}"
        )

    def _mark(self, plan: CommitPlan) -> None:
        """Note in the folder what is published and as what, so that a build keeps it and counts on."""
        unmarked = _unmarked(plan)
        if not unmarked:
            return
        try:
            with locked_folder(self.source.folder):
                for one in unmarked:
                    mark_published(self.source.folder, one.local.config, one.local.version, one.there.version)
        except ContextSynthesisError as error:
            # It is published all the same; publishing again notes it.
            self.on_step(f"published, but this could not be noted in the folder: {error}")

    def _result(
        self, plan: CommitPlan | None, name: str | None, landed: Landed | None, lines: Sequence[str]
    ) -> PublishResult:
        url = f"{self.hub.endpoint}/datasets/{self.hub.repo_id}"
        return PublishResult(
            self.hub.repo_id,
            name,
            landed.oid if landed else None,
            (landed.pull_url if landed else None) or url,
            {config: one.there.version for config, one in plan.newest.items()} if plan else {},
            plan.bytes if plan else 0,
            plan.skipped_bytes if plan else 0,
            list(lines),
        )


def _unmarked(plan: CommitPlan) -> list[Placed]:
    """Versions whose manifests here do not tell that, or as what, they are published."""
    return [
        one for one in plan.placed if not one.local.published or one.there.number > last_number(one.local)
    ]
