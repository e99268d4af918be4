"""By what lines are judged for an organisation: the general ranker, corrected by own tests where that is better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from django.db import connection

from campaigns.copy import own, ranker
from campaigns.copy.features import SHORTEST, plain
from campaigns.copy.own import Learnt, OwnTest
from campaigns.copy.ranker import LANGUAGE, Ranker
from campaigns.copy.writing import language_of
from campaigns.copy.writing import plain as shown
from campaigns.models import CopyLearning
from common import clock, doorbell, tenancy
from common.later import later

if TYPE_CHECKING:
    import numpy as np
else:
    np = later("numpy")

MOST_TESTS = 500  # the youngest
LEAST_PEOPLE = 50  # of a line

# Experiments whose arms are mails that differ in nothing but their subject, with who got each and who clicked. The
# first metric that asks whether people clicked in an e-mail counts. Plan: the youngest experiments by their number,
# then per arm its template, what of it was sent, and content by key, and one range of one_sum_per_day.
TESTS_SQL = """
WITH chosen AS (
  SELECT experiment.id, metric.key FROM experiments_experiment experiment
  CROSS JOIN LATERAL (
    SELECT each ->> 'key' AS key FROM jsonb_array_elements(experiment.metrics) each
    WHERE each ->> 'event' = 'email_clicked' AND each ->> 'kind' = 'conversion' LIMIT 1) metric
  WHERE experiment.organization_id = %(organization)s AND experiment.status <> 'draft'
  ORDER BY experiment.id DESC LIMIT %(most)s),
mails AS (
  SELECT chosen.id, arm.id AS arm_id, arm.position, content.subject, template.locale,
         md5(content.html || content.text || content.preheader) AS rest, summed.shown, summed.clicked
  FROM chosen
  JOIN experiments_arm arm ON arm.experiment_id = chosen.id AND arm.organization_id = %(organization)s
  JOIN campaigns_emailtemplate template ON template.id =
       CASE WHEN arm.payload ->> 'template_id' ~ '^[0-9]{1,18}$' THEN (arm.payload ->> 'template_id')::bigint END
   AND template.organization_id = %(organization)s
  LEFT JOIN LATERAL (
    SELECT run.content_id FROM campaigns_runarm run
    WHERE run.arm_id = arm.id AND run.organization_id = %(organization)s ORDER BY run.id LIMIT 1) sent ON true
  JOIN campaigns_templateversion version ON version.id = template.published_id
   AND version.organization_id = %(organization)s
  JOIN delivery_content content ON content.id = coalesce(sent.content_id, version.content_id)
   AND content.organization_id = %(organization)s
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(daily.n), 0)::bigint AS shown, coalesce(sum(daily.y), 0)::bigint AS clicked
    FROM experiments_metricdaily daily
    WHERE daily.organization_id = %(organization)s AND daily.experiment_id = chosen.id
      AND daily.metric = chosen.key AND daily.arm_id = arm.id) summed)
SELECT id, subject, locale, shown, clicked FROM mails
WHERE id IN (SELECT id FROM mails GROUP BY id
             HAVING count(*) > 1 AND count(DISTINCT rest) = 1 AND count(DISTINCT subject) > 1
                AND min(shown) >= %(least)s)
ORDER BY id, position"""


@dataclass(frozen=True)
class Judge:
    """Scores lines of one language; `learnt` is used only where it foretold own tests better."""

    ranker: Ranker
    language: str
    learnt: Learnt = field(default_factory=Learnt)

    def scores(self, lines: Sequence[str]) -> list[float]:
        """Relative: 0.1 more means about 10 % more clicks."""
        found = [float(score) for score in self.ranker.scores(lines, self.language)]
        if not self.learnt.is_better:
            return found
        standard = [self.ranker.standard(plain(line)) for line in lines]
        return [self.learnt.score(score, each) for score, each in zip(found, standard, strict=True)]

    def chances(self, lines: Sequence[str], scores: Sequence[float]) -> list[float | None]:
        """Each line's chance against another one of the same list; None where nobody has measured how often that is
        right: in a language without tests, and for lines shorter than any that was tested."""
        told = self.ranker.to_win(np.array(scores))
        return [float(chance) if self.is_measured(line) else None for line, chance in zip(lines, told, strict=True)]

    def is_measured(self, line: str) -> bool:
        """Whether tests have shown how often this line's place is right."""
        return self.learnt.is_better or (self.language == LANGUAGE and len(plain(line)) >= SHORTEST)


def judge_for(language: str) -> Judge:
    """The judge of this organisation, with what its tests in this language taught. One query."""
    kept = CopyLearning.objects.values_list("weights", flat=True).first() or {}
    return Judge(ranker.general(), language, own.read(kept.get(language) or {}))


def learn() -> CopyLearning:
    """Learn from the organisation's own tests as they stand now, in each language by itself: what works in one says
    nothing of another."""
    by_language: dict[str, list[OwnTest]] = {}
    for test in _tests():
        by_language.setdefault(test.language, []).append(test)
    learnt = {language: own.learn(tests, ranker.general()) for language, tests in by_language.items()}
    values = {
        "test_count": sum(each.tests for each in learnt.values()),
        "is_used": any(each.is_better for each in learnt.values()),
        "weights": {language: each.as_json() for language, each in learnt.items()},
        "learned_at": clock.now(),
    }
    return CopyLearning.objects.update_or_create(defaults=values)[0]


def learn_everywhere() -> None:
    """`learn` for every organisation that has tested anything."""
    for organization_id in sorted(doorbell.organizations_with("experiments_experiment", "status <> 'draft'")):
        with tenancy.organization(organization_id):
            learn()


def _tests() -> Iterator[OwnTest]:
    """Own tests in the order in which they were made."""
    values = {"organization": tenancy.required(), "most": MOST_TESTS, "least": LEAST_PEOPLE}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(TESTS_SQL, values)
        rows = cursor.fetchall()
    for _, arms in groupby(rows, key=lambda row: row[0]):
        _, subjects, locales, people, clicked = zip(*arms, strict=True)
        # A locale nobody set is English here, as it is where lines are written.
        language = language_of(locales[0]) or locales[0]
        yield OwnTest([shown(subject) for subject in subjects], people, clicked, language)
