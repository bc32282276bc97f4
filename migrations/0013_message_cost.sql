-- What answering a message cost, as with turns of runs: in millionths of the hub's currency, and the
-- tokens that had no price. Absent until its first turn has ended.
alter table messages add column cost bigint;
alter table messages add column unpriced_tokens bigint;

-- What there is by now, as far as it was counted, which is the last turn of each. Tokens of turns
-- before it have no price. (The functions that read JSON are SQLite's own.)
update messages set
    cost = coalesce((select usage.cost from usage where usage.turn = messages.turn), 0),
    unpriced_tokens = coalesce(json_extract(messages.usage, '$.input_tokens'), 0)
        + coalesce(json_extract(messages.usage, '$.output_tokens'), 0)
        - coalesce((select usage.input_tokens + usage.output_tokens from usage
            where usage.turn = messages.turn and usage.cost is not null), 0)
    where exists (select 1 from usage where usage.turn = messages.turn);
