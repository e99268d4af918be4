"""May these messages go? Decided for a whole block in one statement, inside the transaction that claims it.

A refusal is a sentence in the ledger. Quiet hours postpone; a paused source holds. Caps count the ledger and the
block itself: the messages of one contact are taken in the order of their weight, and each sees what those before
it took. What a cap stops is refused, or waits for room when its shelf life allows.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from delivery.models import DeliveryPolicy
from delivery.services.policy import limits, sentences, standing

# A number from 0 to 9999 that a contact drew: stable, and another one for each salt and period.
DRAW = "('x' || left(md5(draw.salt || standing.contact_id), 8))::bit(32)::bigint %% 10000"

# The first cap that stops a message of `turned`, given the caps (by number, once per message) that its contact's
# earlier messages of this block took, and the content of the last of those.
STOP = """
SELECT CASE WHEN cap.count + here.taken >= cap.most THEN cap.over_words ELSE cap.soon_words END AS words,
       CASE WHEN cap.count + here.taken >= cap.most THEN coalesce(cap.oldest_at, %(now)s) + cap.span
            ELSE CASE WHEN here.taken > 0 THEN %(now)s ELSE cap.last_at END + cap.gap END AS room_at,
       CASE WHEN here.taken > 0 THEN {last} ELSE cap.last_content_id END AS winner
  FROM unnest(turned.numbers, turned.mosts, turned.spans, turned.gaps, turned.over_words, turned.soon_words,
              turned.counts, turned.oldest_ats, turned.last_ats, turned.last_content_ids)
       AS cap(number, most, span, gap, over_words, soon_words, count, oldest_at, last_at, last_content_id)
 CROSS JOIN LATERAL (SELECT cardinality(array_positions({taken}, cap.number)) AS taken) AS here
 WHERE cap.count + here.taken >= cap.most
    OR (cap.gap > interval '0' AND (here.taken > 0 OR cap.last_at > %(now)s - cap.gap))
 ORDER BY room_at DESC, cap.number LIMIT 1"""
FIRST_STOP = STOP.format(taken="'{}'::bigint[]", last="NULL::bigint")
NEXT_STOP = STOP.format(taken="decided.taken", last="decided.last_content_id")

KEPT = "room.is_full OR candidate.turn > 1 OR NOT candidate.is_last"

# Plan: per candidate and cap one probe of messages_against_caps, a range of as many hours as the cap looks back.
# PostgreSQL expects a handful of rows where hundreds come, and so would walk one expression for each row of another:
# none is joined to another here, but for the few contacts with several messages in the block.
VERDICT = f"""
standing AS MATERIALIZED ({{standing}}),
cap AS MATERIALIZED (
    SELECT * FROM unnest(%(cap_kinds)s::text[], %(cap_channels)s::text[], %(cap_topics)s::bigint[],
                         %(cap_mosts)s::int[], %(cap_spans)s::interval[], %(cap_gaps)s::interval[],
                         %(cap_over)s::text[], %(cap_soon)s::text[])
           WITH ORDINALITY AS cap(kind, channel, topic_id, most, span, gap, over_words, soon_words, number)),
timed AS MATERIALIZED (
    SELECT standing.*, held.holdout_id, held.period, wait.resume_at,
           is_limited AND hold = '' AND refusal = '' AND wait.resume_at IS NULL AND held.holdout_id IS NULL
               AS is_candidate
      FROM standing
      LEFT JOIN unnest(%(zones)s::text[], %(zone_channels)s::text[], %(resumes)s::timestamptz[])
             AS zone(name, channel, resume_at) ON zone.name = standing.timezone AND zone.channel = standing.channel
     CROSS JOIN LATERAL (
           SELECT greatest(CASE WHEN is_limited THEN zone.resume_at END, standing.paused_until) AS resume_at) AS wait
      LEFT JOIN LATERAL (
           SELECT draw.id AS holdout_id, draw.period
             FROM unnest(%(draw_ids)s::bigint[], %(draw_periods)s::int[], %(draw_types)s::text[],
                         %(draw_sources)s::bigint[], %(draw_salts)s::text[], %(draw_shares)s::int[])
                  AS draw(id, period, source_type, source_id, salt, share)
            WHERE draw.source_type IN ('', standing.source_type)
              AND (draw.source_type = '' OR draw.source_id = standing.source_id)
              AND {DRAW} < draw.share
            ORDER BY draw.source_type, draw.id LIMIT 1) AS held
             ON is_limited AND hold = '' AND refusal = ''),
turned AS MATERIALIZED (
    SELECT candidate.id, candidate.contact_id, candidate.content_id, candidate.source_type, candidate.source_id,
           candidate.address, candidate.expires_at, candidate.turn, candidate.is_last, tally.*
      FROM (SELECT timed.*,
                   row_number() OVER turns AS turn, lead(id) OVER turns IS NULL AS is_last
              FROM timed WHERE is_candidate
            WINDOW turns AS (PARTITION BY contact_id ORDER BY weight DESC, priority, run_at, id)) AS candidate
     CROSS JOIN LATERAL (
           -- A message that is alone needs but the caps that stop it: mostly none.
           SELECT coalesce(array_agg(bound.number) FILTER (WHERE {KEPT}), '{{}}') AS numbers,
                  array_agg(bound.most) FILTER (WHERE {KEPT}) AS mosts,
                  array_agg(bound.span) FILTER (WHERE {KEPT}) AS spans,
                  array_agg(bound.gap) FILTER (WHERE {KEPT}) AS gaps,
                  array_agg(bound.over_words) FILTER (WHERE {KEPT}) AS over_words,
                  array_agg(bound.soon_words) FILTER (WHERE {KEPT}) AS soon_words,
                  array_agg(past.count) FILTER (WHERE {KEPT}) AS counts,
                  array_agg(past.oldest_at) FILTER (WHERE {KEPT}) AS oldest_ats,
                  array_agg(past.last_at) FILTER (WHERE {KEPT}) AS last_ats,
                  array_agg(past.last_content_id) FILTER (WHERE {KEPT}) AS last_content_ids
             FROM (SELECT number, channel, topic_id, most, span, gap, over_words, soon_words FROM cap
                    WHERE cap.kind = candidate.kind AND cap.topic_id IN (0, candidate.topic_id)
                      AND (cap.channel = candidate.channel
                           OR cap.channel = '' AND candidate.channel <> ALL(%(silent)s))
                    UNION ALL
                   SELECT 0, '', 0, 1, own.span, interval '0', format(%(own_over)s, '%%1$s', own.words), ''
                     FROM unnest(%(own_names)s::text[], %(own_spans)s::interval[], %(own_words)s::text[])
                          AS own(name, span, words)
                    WHERE own.name = candidate.frequency AND candidate.kind = 'marketing'
                      AND candidate.channel <> ALL(%(silent)s)) AS bound
            CROSS JOIN LATERAL (
                  SELECT count(*) FILTER (WHERE before.claimed_at > %(now)s - bound.span),
                         min(before.claimed_at) FILTER (WHERE before.claimed_at > %(now)s - bound.span) AS oldest_at,
                         max(before.claimed_at) AS last_at,
                         (array_agg(before.content_id ORDER BY before.claimed_at DESC))[1] AS last_content_id
                    FROM delivery_message AS before
                   WHERE before.organization_id = %(organization)s AND before.contact_id = candidate.contact_id
                     AND before.claimed_at > %(now)s - greatest(bound.span, bound.gap)
                     AND before.kind <> 'transactional' AND before.kind = candidate.kind
                     AND before.source_type <> 'test' AND before.status IN ('sending', 'sent', 'uncertain')
                     AND (bound.topic_id = 0 OR before.topic_id = bound.topic_id)
                     AND CASE WHEN bound.channel = '' THEN before.channel <> ALL(%(silent)s)
                              ELSE before.channel = bound.channel END) AS past
            CROSS JOIN LATERAL (
                  SELECT past.count >= bound.most
                         OR (bound.gap > interval '0' AND past.last_at > %(now)s - bound.gap) AS is_full) AS room
           ) AS tally),
decided AS (
    SELECT turned.id, turned.contact_id, turned.source_type, turned.source_id, turned.address, turned.expires_at,
           turned.turn, turned.is_last, stop.words, stop.room_at, stop.winner,
           CASE WHEN stop.words IS NULL THEN turned.numbers ELSE '{{}}' END AS taken,
           CASE WHEN stop.words IS NULL THEN turned.content_id END AS last_content_id
      FROM turned LEFT JOIN LATERAL ({FIRST_STOP}) AS stop ON true
     WHERE turned.turn = 1
     UNION ALL
    SELECT turned.id, turned.contact_id, turned.source_type, turned.source_id, turned.address, turned.expires_at,
           turned.turn, turned.is_last, stop.words, stop.room_at, stop.winner,
           CASE WHEN stop.words IS NULL THEN decided.taken || turned.numbers ELSE decided.taken END,
           CASE WHEN stop.words IS NULL THEN turned.content_id ELSE decided.last_content_id END
      FROM decided
      JOIN turned ON turned.contact_id = decided.contact_id AND turned.turn = decided.turn + 1
      LEFT JOIN LATERAL ({NEXT_STOP}) AS stop ON true
     WHERE NOT decided.is_last),
verdict AS (
    SELECT timed.id, timed.contact_id, timed.source_type, timed.source_id, timed.address, timed.holdout_id,
           timed.period, timed.resume_at,
           CASE WHEN hold <> '' THEN hold
                WHEN refusal <> '' OR holdout_id IS NOT NULL THEN 'refused'
                WHEN resume_at IS NULL THEN 'sending'
                WHEN resume_at >= expires_at THEN 'refused' ELSE 'queued' END AS status,
           CASE WHEN hold <> '' THEN ''
                WHEN refusal <> '' THEN refusal
                WHEN holdout_id IS NOT NULL THEN %(HELD_OUT)s
                WHEN resume_at IS NULL THEN ''
                WHEN resume_at >= expires_at THEN %(EXPIRED)s
                WHEN paused_until IS NOT NULL THEN %(PAUSED)s ELSE %(QUIET)s END AS reason
      FROM timed WHERE NOT is_candidate
     UNION ALL
    SELECT decided.id, decided.contact_id, decided.source_type, decided.source_id, decided.address, NULL, NULL,
           decided.room_at,
           CASE WHEN words IS NULL THEN 'sending' WHEN room_at < expires_at THEN 'queued' ELSE 'refused' END,
           CASE WHEN words IS NULL THEN ''
                ELSE left(CASE WHEN room_at < expires_at THEN %(WAITS)s ELSE '' END
                          || format(words, left(coalesce(content.name, ''), 100)), 300) END
      FROM decided LEFT JOIN delivery_content AS content ON content.id = decided.winner)
"""


def verdict_sql(messages: str = standing.LEDGER) -> str:
    """The common table expressions up to `verdict`, one row per message of `messages`."""
    return "WITH RECURSIVE" + VERDICT.replace("{standing}", standing.sql(messages))


JUDGE_SQL = f"""{verdict_sql()}
UPDATE delivery_message AS message
   SET status = verdict.status, reason = verdict.reason,
       run_at = coalesce(CASE WHEN verdict.status = 'queued' THEN verdict.resume_at END, message.run_at),
       address = CASE WHEN verdict.status = 'sending' THEN verdict.address ELSE message.address END,
       claimed_at = CASE WHEN verdict.status = 'sending' THEN %(now)s::timestamptz END,
       lease_token = CASE WHEN verdict.status = 'sending' THEN %(token)s::uuid END
  FROM verdict
 WHERE message.id = verdict.id AND message.organization_id + 0 = %(organization)s
RETURNING message.id, message.status, message.source_type, message.source_id, verdict.holdout_id, verdict.period,
          message.contact_id
"""


def parameters(
    ids: list[int], policy: DeliveryPolicy, now: datetime, messages: str = standing.LEDGER, **more: Any
) -> dict[str, Any]:
    """What the verdict binds; `more` is what `messages` binds itself."""
    values = standing.parameters(ids, policy, now) | more
    return {
        **values,
        "HELD_OUT": sentences.HELD_OUT,
        "WAITS": sentences.WAITS,
        "QUIET": sentences.QUIET,
        **limits.cap_parameters(limits.caps(policy), now),
        **limits.quiet_parameters(messages, values, policy, now),
        **limits.holdout_parameters(now),
    }
