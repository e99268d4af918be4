"""By what lines are judged for an organisation: the general ranker, corrected by own tests where that is better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from django.db import connection

from campaigns.copy import own, ranker
from campaigns.copy.features import plain
from campaigns.copy.own import Learnt, OwnTest
from campaigns.copy.ranker import Ranker
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

    def to_win(self, scores: Sequence[float]) -> list[float]:
        """Each line's chance against another one of the same list."""
        return [float(chance) for chance in self.ranker.to_win(np.array(scores))]


def judge_for(language: str) -> Judge:
    """The judge of this organisation. One query."""
    kept = CopyLearning.objects.values_list("weights", flat=True).first()
    return Judge(ranker.general(), language, own.read(kept) if kept else Learnt())


def learn() -> CopyLearning:
    """Learn from the organisation's own tests as they stand now."""
    learnt = own.learn(_tests(), ranker.general())
    values = {
        "test_count": learnt.tests, "is_used": learnt.is_better, "weights": learnt.as_json(),
        "learned_at": clock.now(),
    }  # fmt: skip
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
