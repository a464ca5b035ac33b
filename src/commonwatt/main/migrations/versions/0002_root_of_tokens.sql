ALTER TABLE api_token ADD COLUMN root_id VARCHAR(36);

ALTER TABLE invitation ADD COLUMN root_id VARCHAR(36);

CREATE INDEX ix_api_token_root_id ON api_token (root_id);

CREATE INDEX ix_invitation_root_id ON invitation (root_id);

WITH RECURSIVE chain (token, maker) AS (
    SELECT id, made_by FROM api_token
    UNION
    SELECT chain.token, api_token.made_by FROM chain JOIN api_token ON chain.maker = 'token/' || api_token.id
)
UPDATE api_token SET root_id = (
    SELECT substr(chain.maker, 8) FROM chain WHERE chain.token = api_token.id AND chain.maker LIKE 'member/%'
);

UPDATE invitation SET root_id = substr(made_by, 8) WHERE made_by LIKE 'member/%';

UPDATE invitation SET root_id = (SELECT root_id FROM api_token WHERE 'token/' || api_token.id = invitation.made_by)
WHERE made_by LIKE 'token/%';
