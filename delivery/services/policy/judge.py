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

# Plan: per candidate and cap one probe of messages_against_caps, a range of as many hours as the cap looks back.
# The recursion costs one pass over the block; further ones only for contacts with several messages in it.
VERDICT = f"""
standing AS MATERIALIZED ({{standing}}),
cap AS MATERIALIZED (
    SELECT * FROM unnest(%(cap_kinds)s::text[], %(cap_channels)s::text[], %(cap_topics)s::bigint[],
                         %(cap_mosts)s::int[], %(cap_spans)s::interval[], %(cap_gaps)s::interval[],
                         %(cap_over)s::text[], %(cap_soon)s::text[])
           WITH ORDINALITY AS cap(kind, channel, topic_id, most, span, gap, over_words, soon_words, number)),
timed AS (
    SELECT standing.*, held.holdout_id, held.period,
           greatest(CASE WHEN is_limited THEN zone.resume_at END, standing.paused_until) AS resume_at
      FROM standing
      LEFT JOIN unnest(%(zones)s::text[], %(zone_channels)s::text[], %(resumes)s::timestamptz[])
             AS zone(name, channel, resume_at) ON zone.name = standing.timezone AND zone.channel = standing.channel
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
candidate AS MATERIALIZED (
    SELECT timed.*, row_number() OVER (PARTITION BY contact_id ORDER BY weight DESC, priority, run_at, id) AS turn
      FROM timed
     WHERE is_limited AND hold = '' AND refusal = '' AND resume_at IS NULL AND holdout_id IS NULL),
bound AS (
    SELECT candidate.id, cap.number, cap.most, cap.span, cap.gap, cap.over_words, cap.soon_words
      FROM candidate
      JOIN cap ON cap.kind = candidate.kind
              AND (cap.channel = candidate.channel OR cap.channel = '' AND candidate.channel <> ALL(%(silent)s))
              AND cap.topic_id IN (0, candidate.topic_id)
     UNION ALL
    SELECT candidate.id, 0, 1, own.span, interval '0', format(%(own_over)s, '%%1$s', own.words), ''
      FROM candidate
      JOIN unnest(%(own_names)s::text[], %(own_spans)s::interval[], %(own_words)s::text[])
           AS own(name, span, words) ON own.name = candidate.frequency
     WHERE candidate.kind = 'marketing' AND candidate.channel <> ALL(%(silent)s)),
used AS (
    SELECT bound.*, past.count, past.oldest_at, past.last_at, past.last_content_id
      FROM bound
      JOIN candidate USING (id)
      LEFT JOIN cap USING (number)
      LEFT JOIN LATERAL (
           SELECT count(*) FILTER (WHERE before.claimed_at > %(now)s - bound.span),
                  min(before.claimed_at) FILTER (WHERE before.claimed_at > %(now)s - bound.span) AS oldest_at,
                  max(before.claimed_at) AS last_at,
                  (array_agg(before.content_id ORDER BY before.claimed_at DESC))[1] AS last_content_id
             FROM delivery_message AS before
            WHERE before.organization_id = %(organization)s AND before.contact_id = candidate.contact_id
              AND before.claimed_at > %(now)s - greatest(bound.span, bound.gap)
              AND before.kind <> 'transactional' AND before.kind = candidate.kind AND before.source_type <> 'test'
              AND CASE WHEN coalesce(cap.channel, '') = '' THEN before.channel <> ALL(%(silent)s)
                       ELSE before.channel = cap.channel END
              AND (coalesce(cap.topic_id, 0) = 0 OR before.topic_id = cap.topic_id)
              AND before.status IN ('sending', 'sent', 'uncertain')) AS past ON true),
turned AS MATERIALIZED (
    SELECT candidate.id, candidate.contact_id, candidate.turn, candidate.content_id,
           array_remove(array_agg(used.number), NULL) AS numbers, array_agg(used.most) AS mosts,
           array_agg(used.span) AS spans, array_agg(used.gap) AS gaps, array_agg(used.over_words) AS over_words,
           array_agg(used.soon_words) AS soon_words, array_agg(used.count) AS counts,
           array_agg(used.oldest_at) AS oldest_ats, array_agg(used.last_at) AS last_ats,
           array_agg(used.last_content_id) AS last_content_ids
      FROM candidate LEFT JOIN used USING (id)
     GROUP BY candidate.id, candidate.contact_id, candidate.turn, candidate.content_id),
decided(contact_id, turn, id, taken, winner_id, words, room_at, winner) AS (
    SELECT contact_id, 0::bigint, 0::bigint, '{{}}'::bigint[], NULL::bigint, NULL::text, NULL::timestamptz,
           NULL::bigint
      FROM turned WHERE turn = 1
     UNION ALL
    SELECT next.contact_id, next.turn, next.id,
           CASE WHEN stop.words IS NULL THEN decided.taken || next.numbers ELSE decided.taken END,
           CASE WHEN stop.words IS NULL THEN next.content_id ELSE decided.winner_id END,
           stop.words, stop.room_at, stop.winner
      FROM decided
      JOIN turned AS next ON next.contact_id = decided.contact_id AND next.turn = decided.turn + 1
      LEFT JOIN LATERAL (
           SELECT CASE WHEN limit_.count + here.taken >= limit_.most
                       THEN limit_.over_words ELSE limit_.soon_words END AS words,
                  CASE WHEN limit_.count + here.taken >= limit_.most
                       THEN coalesce(limit_.oldest_at, %(now)s) + limit_.span
                       ELSE CASE WHEN here.taken > 0 THEN %(now)s ELSE limit_.last_at END + limit_.gap END AS room_at,
                  CASE WHEN here.taken > 0 THEN decided.winner_id ELSE limit_.last_content_id END AS winner
             FROM unnest(next.numbers, next.mosts, next.spans, next.gaps, next.over_words, next.soon_words,
                         next.counts, next.oldest_ats, next.last_ats, next.last_content_ids)
                  AS limit_(number, most, span, gap, over_words, soon_words, count, oldest_at, last_at,
                            last_content_id)
            CROSS JOIN LATERAL (
                  SELECT cardinality(array_positions(decided.taken, limit_.number)) AS taken) AS here
            WHERE limit_.count + here.taken >= limit_.most
               OR (limit_.gap > interval '0' AND (here.taken > 0 OR limit_.last_at > %(now)s - limit_.gap))
            ORDER BY room_at DESC, limit_.number LIMIT 1) AS stop ON true),
verdict AS (
    SELECT timed.id, timed.contact_id, timed.source_type, timed.source_id, timed.address, timed.holdout_id,
           timed.period, wait.until AS resume_at,
           CASE WHEN timed.hold <> '' THEN timed.hold
                WHEN timed.refusal <> '' OR timed.holdout_id IS NOT NULL THEN 'refused'
                WHEN wait.until IS NOT NULL AND coalesce(wait.until < timed.expires_at, timed.resume_at IS NOT NULL)
                THEN 'queued'
                WHEN wait.until IS NOT NULL OR decided.words IS NOT NULL THEN 'refused' ELSE 'sending' END AS status,
           CASE WHEN timed.hold <> '' THEN ''
                WHEN timed.refusal <> '' THEN timed.refusal
                WHEN timed.holdout_id IS NOT NULL THEN %(HELD_OUT)s
                WHEN decided.words IS NOT NULL
                THEN left(CASE WHEN decided.room_at < timed.expires_at THEN %(WAITS)s ELSE '' END
                          || format(decided.words, left(coalesce(content.name, ''), 100)), 300)
                WHEN wait.until IS NULL THEN ''
                WHEN wait.until >= timed.expires_at THEN %(EXPIRED)s
                WHEN timed.paused_until IS NOT NULL THEN %(PAUSED)s ELSE %(QUIET)s END AS reason
      FROM timed
      LEFT JOIN decided ON decided.id = timed.id
      LEFT JOIN delivery_content AS content ON content.id = decided.winner
     CROSS JOIN LATERAL (SELECT coalesce(timed.resume_at, decided.room_at) AS until) AS wait)
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
