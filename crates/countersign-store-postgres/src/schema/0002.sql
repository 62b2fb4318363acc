-- Keys, sealed before they come here: whoever has the database alone has no secret.

CREATE TABLE {schema}.key (
    id text NOT NULL,
    version bigint NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (id, version)
);

-- One row. revision: counts changes, and is what gateways look at several times a second.
CREATE TABLE {schema}.key_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    revision bigint NOT NULL DEFAULT 0,
    seal_check bytea
);

INSERT INTO {schema}.key_state DEFAULT VALUES;
