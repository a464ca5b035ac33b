CREATE TABLE known_tag (id_tag VARCHAR(20) PRIMARY KEY, id VARCHAR(36));

INSERT INTO known_tag (id_tag)
SELECT id_tag FROM local_tag
UNION SELECT id_tag FROM session WHERE kind = 'local'
UNION SELECT substr(name, 8) FROM books_account WHERE name LIKE 'member:%';

UPDATE known_tag SET id = lower(hex(randomblob(16)));

UPDATE known_tag SET id = substr(id, 1, 8) || '-' || substr(id, 9, 4) || '-4' || substr(id, 14, 3)
    || '-a' || substr(id, 18, 3) || '-' || substr(id, 21);

CREATE TABLE identified_tag (
    id VARCHAR(36) NOT NULL,
    id_tag VARCHAR(20) NOT NULL,
    holder VARCHAR(80) NOT NULL,
    state VARCHAR(10) NOT NULL,
    made_ms BIGINT NOT NULL,
    CONSTRAINT pk_local_tag PRIMARY KEY (id),
    CONSTRAINT uq_local_tag_id_tag UNIQUE (id_tag)
);

INSERT INTO identified_tag (id, id_tag, holder, state, made_ms)
SELECT known_tag.id, local_tag.id_tag, holder, state, made_ms FROM local_tag JOIN known_tag USING (id_tag);

DROP TABLE local_tag;

ALTER TABLE identified_tag RENAME TO local_tag;

ALTER TABLE session RENAME COLUMN holder TO tag_id;

UPDATE session SET tag_id = (SELECT id FROM known_tag WHERE known_tag.id_tag = session.id_tag) WHERE kind = 'local';

UPDATE books_account SET name = 'member:' || (SELECT id FROM known_tag WHERE id_tag = substr(name, 8))
WHERE name LIKE 'member:%';

DROP TABLE known_tag;
