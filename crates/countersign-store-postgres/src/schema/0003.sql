-- How often which key was used, and in which second last: all gateways add to it, now and then. Nothing of it is secret.

CREATE TABLE {schema}.key_use (
    id text NOT NULL,
    version bigint NOT NULL,
    uses bigint NOT NULL,
    last_used bigint NOT NULL,
    PRIMARY KEY (id, version),
    FOREIGN KEY (id, version) REFERENCES {schema}.key ON DELETE CASCADE
) WITH (fillfactor = 50);
