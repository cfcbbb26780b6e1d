ALTER TABLE attempt DROP COLUMN heard;
-- Words that the program before does not know.
UPDATE attempt SET ending = 'machine' WHERE ending = 'message_left';
UPDATE entry SET result = 'machine' WHERE result = 'message_left';
UPDATE attempt SET moments = (
    SELECT json_group_array(json_object('ms', value ->> 'ms', 'step', value ->> 'step'))
    FROM json_each(moments) WHERE value ->> 'step' <> 'left'
) WHERE moments LIKE '%"left"%';
