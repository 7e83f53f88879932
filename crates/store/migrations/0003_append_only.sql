-- Facts are added, never changed and never removed, but for erasures: there the row of work_erasure
-- stands while they replace names by tombstones and empty what was sent.

CREATE TRIGGER fact_setting_is_not_changed BEFORE UPDATE ON fact_setting
BEGIN SELECT RAISE(ABORT, 'fact_setting is append-only'); END;
CREATE TRIGGER fact_setting_is_not_removed BEFORE DELETE ON fact_setting
BEGIN SELECT RAISE(ABORT, 'fact_setting is append-only'); END;

CREATE TRIGGER fact_agency_is_not_changed BEFORE UPDATE ON fact_agency
BEGIN SELECT RAISE(ABORT, 'fact_agency is append-only'); END;
CREATE TRIGGER fact_agency_is_not_removed BEFORE DELETE ON fact_agency
BEGIN SELECT RAISE(ABORT, 'fact_agency is append-only'); END;

CREATE TRIGGER fact_credential_is_not_changed BEFORE UPDATE ON fact_credential
BEGIN SELECT RAISE(ABORT, 'fact_credential is append-only'); END;
CREATE TRIGGER fact_credential_is_not_removed BEFORE DELETE ON fact_credential
BEGIN SELECT RAISE(ABORT, 'fact_credential is append-only'); END;

CREATE TRIGGER fact_credential_revocation_is_not_changed BEFORE UPDATE ON fact_credential_revocation
BEGIN SELECT RAISE(ABORT, 'fact_credential_revocation is append-only'); END;
CREATE TRIGGER fact_credential_revocation_is_not_removed BEFORE DELETE ON fact_credential_revocation
BEGIN SELECT RAISE(ABORT, 'fact_credential_revocation is append-only'); END;

CREATE TRIGGER fact_log_is_not_changed BEFORE UPDATE ON fact_log
BEGIN SELECT RAISE(ABORT, 'fact_log is append-only'); END;
CREATE TRIGGER fact_log_is_not_removed BEFORE DELETE ON fact_log
BEGIN SELECT RAISE(ABORT, 'fact_log is append-only'); END;

CREATE TRIGGER fact_record_version_is_not_changed BEFORE UPDATE ON fact_record_version
BEGIN SELECT RAISE(ABORT, 'fact_record_version is append-only'); END;
CREATE TRIGGER fact_record_version_is_not_removed BEFORE DELETE ON fact_record_version
WHEN NOT EXISTS (SELECT 1 FROM work_erasure)
BEGIN SELECT RAISE(ABORT, 'fact_record_version is append-only'); END;

CREATE TRIGGER fact_withdrawal_is_not_changed BEFORE UPDATE ON fact_withdrawal
WHEN NOT EXISTS (SELECT 1 FROM work_erasure)
BEGIN SELECT RAISE(ABORT, 'fact_withdrawal is append-only'); END;
CREATE TRIGGER fact_withdrawal_is_not_removed BEFORE DELETE ON fact_withdrawal
BEGIN SELECT RAISE(ABORT, 'fact_withdrawal is append-only'); END;

CREATE TRIGGER fact_event_is_not_changed BEFORE UPDATE ON fact_event
BEGIN SELECT RAISE(ABORT, 'fact_event is append-only'); END;
CREATE TRIGGER fact_event_is_not_removed BEFORE DELETE ON fact_event
WHEN NOT EXISTS (SELECT 1 FROM work_erasure)
BEGIN SELECT RAISE(ABORT, 'fact_event is append-only'); END;

CREATE TRIGGER fact_statement_is_not_changed BEFORE UPDATE ON fact_statement
BEGIN SELECT RAISE(ABORT, 'fact_statement is append-only'); END;
CREATE TRIGGER fact_statement_is_not_removed BEFORE DELETE ON fact_statement
BEGIN SELECT RAISE(ABORT, 'fact_statement is append-only'); END;

CREATE TRIGGER fact_decision_is_not_changed BEFORE UPDATE ON fact_decision
BEGIN SELECT RAISE(ABORT, 'fact_decision is append-only'); END;
CREATE TRIGGER fact_decision_is_not_removed BEFORE DELETE ON fact_decision
BEGIN SELECT RAISE(ABORT, 'fact_decision is append-only'); END;

CREATE TRIGGER fact_decision_undo_is_not_changed BEFORE UPDATE ON fact_decision_undo
BEGIN SELECT RAISE(ABORT, 'fact_decision_undo is append-only'); END;
CREATE TRIGGER fact_decision_undo_is_not_removed BEFORE DELETE ON fact_decision_undo
BEGIN SELECT RAISE(ABORT, 'fact_decision_undo is append-only'); END;

CREATE TRIGGER fact_decision_shown_is_not_changed BEFORE UPDATE ON fact_decision_shown
WHEN NOT EXISTS (SELECT 1 FROM work_erasure)
BEGIN SELECT RAISE(ABORT, 'fact_decision_shown is append-only'); END;
CREATE TRIGGER fact_decision_shown_is_not_removed BEFORE DELETE ON fact_decision_shown
BEGIN SELECT RAISE(ABORT, 'fact_decision_shown is append-only'); END;

CREATE TRIGGER fact_decision_pair_is_not_changed BEFORE UPDATE ON fact_decision_pair
WHEN NOT EXISTS (SELECT 1 FROM work_erasure)
BEGIN SELECT RAISE(ABORT, 'fact_decision_pair is append-only'); END;
CREATE TRIGGER fact_decision_pair_is_not_removed BEFORE DELETE ON fact_decision_pair
BEGIN SELECT RAISE(ABORT, 'fact_decision_pair is append-only'); END;

CREATE TRIGGER fact_task_is_not_changed BEFORE UPDATE ON fact_task
WHEN NOT EXISTS (SELECT 1 FROM work_erasure)
BEGIN SELECT RAISE(ABORT, 'fact_task is append-only'); END;
CREATE TRIGGER fact_task_is_not_removed BEFORE DELETE ON fact_task
BEGIN SELECT RAISE(ABORT, 'fact_task is append-only'); END;

CREATE TRIGGER fact_note_is_not_changed BEFORE UPDATE ON fact_note
WHEN NOT EXISTS (SELECT 1 FROM work_erasure)
BEGIN SELECT RAISE(ABORT, 'fact_note is append-only'); END;
CREATE TRIGGER fact_note_is_not_removed BEFORE DELETE ON fact_note
BEGIN SELECT RAISE(ABORT, 'fact_note is append-only'); END;

CREATE TRIGGER fact_question_is_not_changed BEFORE UPDATE ON fact_question
WHEN NOT EXISTS (SELECT 1 FROM work_erasure)
BEGIN SELECT RAISE(ABORT, 'fact_question is append-only'); END;
CREATE TRIGGER fact_question_is_not_removed BEFORE DELETE ON fact_question
BEGIN SELECT RAISE(ABORT, 'fact_question is append-only'); END;

CREATE TRIGGER fact_question_round_is_not_changed BEFORE UPDATE ON fact_question_round
BEGIN SELECT RAISE(ABORT, 'fact_question_round is append-only'); END;
CREATE TRIGGER fact_question_round_is_not_removed BEFORE DELETE ON fact_question_round
BEGIN SELECT RAISE(ABORT, 'fact_question_round is append-only'); END;

CREATE TRIGGER fact_question_put_is_not_changed BEFORE UPDATE ON fact_question_put
BEGIN SELECT RAISE(ABORT, 'fact_question_put is append-only'); END;
CREATE TRIGGER fact_question_put_is_not_removed BEFORE DELETE ON fact_question_put
BEGIN SELECT RAISE(ABORT, 'fact_question_put is append-only'); END;

CREATE TRIGGER fact_answer_is_not_changed BEFORE UPDATE ON fact_answer
BEGIN SELECT RAISE(ABORT, 'fact_answer is append-only'); END;
CREATE TRIGGER fact_answer_is_not_removed BEFORE DELETE ON fact_answer
BEGIN SELECT RAISE(ABORT, 'fact_answer is append-only'); END;

CREATE TRIGGER fact_sample_is_not_changed BEFORE UPDATE ON fact_sample
BEGIN SELECT RAISE(ABORT, 'fact_sample is append-only'); END;
CREATE TRIGGER fact_sample_is_not_removed BEFORE DELETE ON fact_sample
BEGIN SELECT RAISE(ABORT, 'fact_sample is append-only'); END;

CREATE TRIGGER fact_sample_stratum_is_not_changed BEFORE UPDATE ON fact_sample_stratum
BEGIN SELECT RAISE(ABORT, 'fact_sample_stratum is append-only'); END;
CREATE TRIGGER fact_sample_stratum_is_not_removed BEFORE DELETE ON fact_sample_stratum
BEGIN SELECT RAISE(ABORT, 'fact_sample_stratum is append-only'); END;

CREATE TRIGGER fact_sample_pair_is_not_changed BEFORE UPDATE ON fact_sample_pair
WHEN NOT EXISTS (SELECT 1 FROM work_erasure)
BEGIN SELECT RAISE(ABORT, 'fact_sample_pair is append-only'); END;
CREATE TRIGGER fact_sample_pair_is_not_removed BEFORE DELETE ON fact_sample_pair
BEGIN SELECT RAISE(ABORT, 'fact_sample_pair is append-only'); END;

CREATE TRIGGER fact_activation_is_not_changed BEFORE UPDATE ON fact_activation
WHEN NOT EXISTS (SELECT 1 FROM work_erasure)
BEGIN SELECT RAISE(ABORT, 'fact_activation is append-only'); END;
CREATE TRIGGER fact_activation_is_not_removed BEFORE DELETE ON fact_activation
BEGIN SELECT RAISE(ABORT, 'fact_activation is append-only'); END;

CREATE TRIGGER fact_settlement_is_not_changed BEFORE UPDATE ON fact_settlement
BEGIN SELECT RAISE(ABORT, 'fact_settlement is append-only'); END;
CREATE TRIGGER fact_settlement_is_not_removed BEFORE DELETE ON fact_settlement
BEGIN SELECT RAISE(ABORT, 'fact_settlement is append-only'); END;

CREATE TRIGGER fact_membership_is_not_changed BEFORE UPDATE ON fact_membership
WHEN NOT EXISTS (SELECT 1 FROM work_erasure)
BEGIN SELECT RAISE(ABORT, 'fact_membership is append-only'); END;
CREATE TRIGGER fact_membership_is_not_removed BEFORE DELETE ON fact_membership
BEGIN SELECT RAISE(ABORT, 'fact_membership is append-only'); END;

CREATE TRIGGER fact_redirect_is_not_changed BEFORE UPDATE ON fact_redirect
BEGIN SELECT RAISE(ABORT, 'fact_redirect is append-only'); END;
CREATE TRIGGER fact_redirect_is_not_removed BEFORE DELETE ON fact_redirect
BEGIN SELECT RAISE(ABORT, 'fact_redirect is append-only'); END;

CREATE TRIGGER fact_origin_is_not_changed BEFORE UPDATE ON fact_origin
BEGIN SELECT RAISE(ABORT, 'fact_origin is append-only'); END;
CREATE TRIGGER fact_origin_is_not_removed BEFORE DELETE ON fact_origin
BEGIN SELECT RAISE(ABORT, 'fact_origin is append-only'); END;

CREATE TRIGGER fact_feed_epoch_is_not_changed BEFORE UPDATE ON fact_feed_epoch
BEGIN SELECT RAISE(ABORT, 'fact_feed_epoch is append-only'); END;
CREATE TRIGGER fact_feed_epoch_is_not_removed BEFORE DELETE ON fact_feed_epoch
BEGIN SELECT RAISE(ABORT, 'fact_feed_epoch is append-only'); END;

CREATE TRIGGER fact_change_is_not_changed BEFORE UPDATE ON fact_change
WHEN NOT EXISTS (SELECT 1 FROM work_erasure)
BEGIN SELECT RAISE(ABORT, 'fact_change is append-only'); END;
CREATE TRIGGER fact_change_is_not_removed BEFORE DELETE ON fact_change
BEGIN SELECT RAISE(ABORT, 'fact_change is append-only'); END;

CREATE TRIGGER fact_erasure_is_not_changed BEFORE UPDATE ON fact_erasure
BEGIN SELECT RAISE(ABORT, 'fact_erasure is append-only'); END;
CREATE TRIGGER fact_erasure_is_not_removed BEFORE DELETE ON fact_erasure
BEGIN SELECT RAISE(ABORT, 'fact_erasure is append-only'); END;

CREATE TRIGGER fact_audit_is_not_changed BEFORE UPDATE ON fact_audit
BEGIN SELECT RAISE(ABORT, 'fact_audit is append-only'); END;
CREATE TRIGGER fact_audit_is_not_removed BEFORE DELETE ON fact_audit
BEGIN SELECT RAISE(ABORT, 'fact_audit is append-only'); END;

CREATE TRIGGER fact_audit_record_is_not_changed BEFORE UPDATE ON fact_audit_record
BEGIN SELECT RAISE(ABORT, 'fact_audit_record is append-only'); END;
CREATE TRIGGER fact_audit_record_is_not_removed BEFORE DELETE ON fact_audit_record
BEGIN SELECT RAISE(ABORT, 'fact_audit_record is append-only'); END;

-- A submission moves forward only, and stays whose it is.
CREATE TRIGGER fact_submission_moves_forward BEFORE UPDATE ON fact_submission
WHEN (old.state <> 'open'
    OR old.number <> new.number OR old.id <> new.id OR old.agency <> new.agency
    OR old.request_id <> new.request_id OR old.kind <> new.kind OR old.mode <> new.mode
    OR old.as_of <> new.as_of OR old.created_at <> new.created_at
    OR old.committed_offset > new.committed_offset)
    AND NOT EXISTS (SELECT 1 FROM work_erasure)
BEGIN SELECT RAISE(ABORT, 'fact_submission moves forward only'); END;
CREATE TRIGGER fact_submission_is_not_removed BEFORE DELETE ON fact_submission
BEGIN SELECT RAISE(ABORT, 'fact_submission is append-only'); END;

-- The rows of an open submission may be judged again; those of an abandoned one go.
CREATE TRIGGER fact_submission_row_is_not_changed BEFORE UPDATE ON fact_submission_row
WHEN (old.place <> new.place OR old.digest <> new.digest
    OR (SELECT state FROM fact_submission WHERE number = old.place >> 32) IS NOT 'open')
    AND NOT EXISTS (SELECT 1 FROM work_erasure)
BEGIN SELECT RAISE(ABORT, 'fact_submission_row is append-only'); END;
CREATE TRIGGER fact_submission_row_is_not_removed BEFORE DELETE ON fact_submission_row
WHEN (SELECT state FROM fact_submission WHERE number = old.place >> 32) IS NOT 'abandoned'
BEGIN SELECT RAISE(ABORT, 'fact_submission_row is append-only'); END;
