-- Replay entries. What is live is never deleted, and all of it survives a crash of the server: no table is UNLOGGED.

CREATE TABLE {schema}.replay (
    fingerprint uuid PRIMARY KEY,
    last_second bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, fillfactor = 100);

CREATE INDEX replay_by_last_second ON {schema}.replay (last_second);

-- How many live entries of whom end with which second: what is counted, and how a whole second is forgotten at once.
CREATE TABLE {schema}.replay_ending (
    last_second bigint NOT NULL,
    owner uuid NOT NULL,
    entries bigint NOT NULL,
    PRIMARY KEY (last_second, owner)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE {schema}.replay_owner (
    owner uuid PRIMARY KEY,
    entries bigint NOT NULL
) WITH (fillfactor = 50);

-- One row. floor: no entry that ends at or before this second can be decided, as it may be forgotten. timeline: of the
-- server's history when it last decided; another one means that a copy took over, which may lack what was decided last.
-- quarantine: entries with a `since` up to this second may be among that.
CREATE TABLE {schema}.replay_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    floor bigint NOT NULL DEFAULT 0,
    entries bigint NOT NULL DEFAULT 0,
    timeline text,
    quarantine bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

INSERT INTO {schema}.replay_state DEFAULT VALUES;

-- Decides a batch, one entry after the other, in its order. The lock makes batches of all gateways one line, so that
-- capacity and quotas are exact and of two equal entries one is first. Answers, one a letter: first, seen, clock went
-- back, key quota, full, lost (in quarantine).
CREATE FUNCTION {schema}.admit(
    fingerprints uuid[], owners uuid[], last_seconds bigint[], sinces bigint[], nows bigint[],
    most_entries bigint, most_of_one bigint
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state {schema}.replay_state%ROWTYPE;
    here text := substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
    answers text := '';
    known bigint;
    owned bigint;
    soonest bigint;
    gone record;
BEGIN
    IF current_setting('fsync') = 'off' THEN
        RAISE EXCEPTION 'fsync is off: a crash would lose what was accepted';
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    SELECT * INTO STRICT state FROM {schema}.replay_state FOR UPDATE;
    IF state.timeline IS DISTINCT FROM here THEN
        IF state.timeline IS NOT NULL THEN
            state.quarantine := greatest(state.quarantine, ceil(extract(epoch FROM clock_timestamp()))::bigint + 5,
                (SELECT max(n) FROM unnest(nows) AS n));
        END IF;
        state.timeline := here;
    END IF;
    SELECT min(last_second) INTO soonest FROM {schema}.replay_ending;
    FOR i IN 1 .. cardinality(fingerprints) LOOP
        IF soonest < nows[i] THEN
            FOR gone IN
                WITH dropped AS (
                    DELETE FROM {schema}.replay_ending WHERE last_second < nows[i] RETURNING *
                ), less AS (
                    UPDATE {schema}.replay_owner o SET entries = o.entries - d.entries
                    FROM (SELECT owner, sum(entries)::bigint AS entries FROM dropped GROUP BY owner) d
                    WHERE o.owner = d.owner
                )
                SELECT max(last_second) AS last_second, sum(entries)::bigint AS entries FROM dropped
            LOOP
                state.floor := greatest(state.floor, gone.last_second);
                state.entries := state.entries - coalesce(gone.entries, 0);
            END LOOP;
            SELECT min(last_second) INTO soonest FROM {schema}.replay_ending;
        END IF;
        IF last_seconds[i] <= state.floor OR last_seconds[i] < nows[i] THEN
            answers := answers || 'c';
            CONTINUE;
        END IF;
        SELECT last_second INTO known FROM {schema}.replay WHERE fingerprint = fingerprints[i];
        IF known > state.floor THEN
            answers := answers || 's';
            CONTINUE;
        END IF;
        IF sinces[i] <= state.quarantine THEN
            answers := answers || 'l';
            CONTINUE;
        END IF;
        SELECT entries INTO owned FROM {schema}.replay_owner WHERE owner = owners[i];
        IF coalesce(owned, 0) >= most_of_one THEN
            answers := answers || 'k';
            CONTINUE;
        END IF;
        IF state.entries >= most_entries THEN
            answers := answers || 'f';
            CONTINUE;
        END IF;
        INSERT INTO {schema}.replay VALUES (fingerprints[i], last_seconds[i])
            ON CONFLICT (fingerprint) DO UPDATE SET last_second = excluded.last_second;
        INSERT INTO {schema}.replay_ending AS e VALUES (last_seconds[i], owners[i], 1)
            ON CONFLICT (last_second, owner) DO UPDATE SET entries = e.entries + 1;
        INSERT INTO {schema}.replay_owner AS o VALUES (owners[i], 1)
            ON CONFLICT (owner) DO UPDATE SET entries = o.entries + 1;
        state.entries := state.entries + 1;
        soonest := least(soonest, last_seconds[i]);
        answers := answers || '1';
    END LOOP;
    UPDATE {schema}.replay_state s SET floor = state.floor, entries = state.entries, timeline = state.timeline,
        quarantine = state.quarantine;
    RETURN answers;
END $$;

-- Deletes some of what is forgotten. Nobody waits for it.
CREATE FUNCTION {schema}.sweep(most bigint) RETURNS bigint LANGUAGE sql AS $$
    WITH old AS (
        SELECT fingerprint FROM {schema}.replay
        WHERE last_second <= (SELECT floor FROM {schema}.replay_state) ORDER BY last_second LIMIT most
        FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM {schema}.replay r USING old
        WHERE r.fingerprint = old.fingerprint
          AND r.last_second <= (SELECT floor FROM {schema}.replay_state)
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;
