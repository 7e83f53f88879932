//! The table of all calls: the roles that may make each of them, and the scope it belongs to.

use std::collections::BTreeSet;

use store::{
    CredentialScope::{self, Audit, Operate, Questions, Registry, Review, Statuses, Submit},
    Role::{self, Agency, Auditor, Operator, Steward},
};

/// Who may make a call.
pub struct Rule {
    path: &'static str,
    /// The roles that may.
    pub roles: &'static [Role],
    /// What a credential that is confined to scopes has to have among them.
    pub scope: CredentialScope,
}

const fn rule(path: &'static str, roles: &'static [Role], scope: CredentialScope) -> Rule {
    Rule { path, roles, scope }
}

/// Every RPC that somebody may call; one that does not stand here is nobody's.
#[rustfmt::skip] // A call is a line, however long it is.
const TABLE: &[Rule] = &[
    rule("/waymark.submission.v1.SubmissionService/CreateSubmission", &[Agency], Submit),
    rule("/waymark.submission.v1.SubmissionService/AppendRows", &[Agency], Submit),
    rule("/waymark.submission.v1.SubmissionService/AppendRowsUnary", &[Agency], Submit),
    rule("/waymark.submission.v1.SubmissionService/FinalizeSubmission", &[Agency], Submit),
    rule("/waymark.submission.v1.SubmissionService/GetSubmission", &[Agency], Submit),
    rule("/waymark.submission.v1.SubmissionService/ListSubmissions", &[Agency], Submit),
    rule("/waymark.submission.v1.SubmissionService/ListRejections", &[Agency], Submit),
    rule("/waymark.submission.v1.SubmissionService/ListWaitingEvents", &[Agency], Submit),
    rule("/waymark.submission.v1.SubmissionService/AbandonSubmission", &[Agency], Submit),
    rule("/waymark.submission.v1.SubmissionService/SubmitRecord", &[Agency], Submit),
    rule("/waymark.submission.v1.SubmissionService/WithdrawRecords", &[Agency], Submit),
    rule("/waymark.statement.v1.StatementService/SubmitStatements", &[Agency], Submit),
    rule("/waymark.statement.v1.StatementService/ListStatements", &[Agency], Submit),
    rule("/waymark.status.v1.StatusService/GetStatus", &[Agency], Statuses),
    rule("/waymark.status.v1.StatusService/BatchGetStatuses", &[Agency], Statuses),
    rule("/waymark.status.v1.StatusService/ListStatuses", &[Agency], Statuses),
    rule("/waymark.status.v1.StatusService/ExportStatuses", &[Agency], Statuses),
    rule("/waymark.status.v1.StatusService/ListChanges", &[Agency], Statuses),
    rule("/waymark.status.v1.StatusService/WatchChanges", &[Agency], Statuses),
    rule("/waymark.review.v1.ReviewService/ListTasks", &[Steward], Review),
    rule("/waymark.review.v1.ReviewService/GetTask", &[Steward], Review),
    rule("/waymark.review.v1.ReviewService/ClaimTask", &[Steward], Review),
    rule("/waymark.review.v1.ReviewService/ReleaseTask", &[Steward], Review),
    rule("/waymark.review.v1.ReviewService/DecideTask", &[Steward], Review),
    rule("/waymark.review.v1.ReviewService/ListDecisions", &[Steward], Review),
    rule("/waymark.review.v1.ReviewService/UndoDecision", &[Steward], Review),
    rule("/waymark.review.v1.ReviewService/AskAgency", &[Steward], Review),
    rule("/waymark.review.v1.ReviewService/DrawSample", &[Steward], Review),
    rule("/waymark.review.v1.ReviewService/GetStatistics", &[Steward], Review),
    rule("/waymark.review.v1.ReviewService/Explain", &[Steward], Review),
    rule("/waymark.question.v1.QuestionService/ListQuestions", &[Agency], Questions),
    rule("/waymark.question.v1.QuestionService/AnswerQuestion", &[Agency], Questions),
    rule("/waymark.registry.v1.RegistryService/GetRegistry", &[Agency, Steward, Operator], Registry),
    rule("/waymark.registry.v1.RegistryService/ListPathways", &[Agency, Steward, Operator], Registry),
    rule("/waymark.admin.v1.AdminService/AddAgency", &[Operator], Operate),
    rule("/waymark.admin.v1.AdminService/ListAgencies", &[Operator], Operate),
    rule("/waymark.admin.v1.AdminService/IssueToken", &[Operator], Operate),
    rule("/waymark.admin.v1.AdminService/RegisterCertificate", &[Operator], Operate),
    rule("/waymark.admin.v1.AdminService/ListCredentials", &[Operator], Operate),
    rule("/waymark.admin.v1.AdminService/RevokeCredential", &[Operator], Operate),
    rule("/waymark.admin.v1.AdminService/Train", &[Operator], Operate),
    rule("/waymark.admin.v1.AdminService/ActivateModel", &[Operator], Operate),
    rule("/waymark.admin.v1.AdminService/GetModel", &[Operator], Operate),
    rule("/waymark.admin.v1.AdminService/Reconcile", &[Operator], Operate),
    rule("/waymark.admin.v1.AdminService/CreateBackup", &[Operator], Operate),
    rule("/waymark.admin.v1.AdminService/ListBackups", &[Operator], Operate),
    rule("/waymark.admin.v1.AdminService/Purge", &[Operator], Operate),
    rule("/waymark.admin.v1.AdminService/ExportMemberships", &[Operator], Operate),
    rule("/waymark.admin.v1.AdminService/GetServiceInfo", &[Operator], Operate),
    rule("/waymark.audit.v1.AuditService/ListEntries", &[Auditor, Operator], Audit),
    rule("/waymark.audit.v1.AuditService/GetEntry", &[Auditor, Operator], Audit),
    rule("/waymark.audit.v1.AuditService/ListDisclosures", &[Auditor, Operator], Audit),
    rule("/waymark.audit.v1.AuditService/ExportEntries", &[Auditor, Operator], Audit),
    rule("/waymark.audit.v1.AuditService/Verify", &[Auditor, Operator], Audit),
];

/// What says only that the service is there, and what its public contract is: anybody may call it.
const OPEN: &[&str] = &[
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
];

/// Whether anybody may make the call at `path`, without showing anything.
pub fn is_open(path: &str) -> bool {
    OPEN.iter().any(|service| path.starts_with(service))
}

/// Who may make the call at `path`; `None`: nobody.
pub fn rule_of(path: &str) -> Option<&'static Rule> {
    TABLE.iter().find(|rule| rule.path == path)
}

/// The scopes that a credential of `role` can be confined to.
pub fn scopes_of(role: Role) -> BTreeSet<CredentialScope> {
    TABLE.iter().filter(|rule| rule.roles.contains(&role)).map(|rule| rule.scope).collect()
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;

    /// The path of every RPC of the contract.
    fn contract() -> Vec<String> {
        let set = FileDescriptorSet::decode(api::FILE_DESCRIPTOR_SET).unwrap();
        let services = set
            .file
            .iter()
            .flat_map(|file| file.service.iter().map(move |service| (file.package(), service)));
        let paths = services.flat_map(|(package, service)| {
            let path = move |method: &str| format!("/{package}.{}/{method}", service.name());
            service.method.iter().map(move |method| path(method.name()))
        });
        paths.collect()
    }

    #[test]
    fn every_call_of_the_contract_stands_in_the_table_once_and_nothing_else_does() {
        let mut contract = contract();
        let mut table: Vec<_> = TABLE.iter().map(|rule| rule.path).collect();
        contract.sort();
        table.sort_unstable();
        assert_eq!(table, contract);
        assert!(TABLE.iter().all(|rule| !rule.roles.is_empty()));
    }

    #[test]
    fn what_is_not_in_the_table_is_nobodys() {
        for path in [
            "/waymark.other.v1.OtherService/Do",
            "/waymark.admin.v1.AdminService/",
            "/waymark.admin.v1.AdminService/TrainX",
            "/waymark.admin.v1.AdminService/train",
            "//waymark.admin.v1.AdminService/Train",
            "/",
            "",
        ] {
            assert!(rule_of(path).is_none() && !is_open(path), "{path}");
        }
        assert_eq!(rule_of("/waymark.admin.v1.AdminService/Train").unwrap().roles, [Operator]);
        assert!(is_open("/grpc.health.v1.Health/Check"));
    }

    #[test]
    fn a_role_is_confined_only_to_calls_that_it_may_make() {
        assert_eq!(scopes_of(Agency), [Submit, Statuses, Questions, Registry].into());
        assert_eq!(scopes_of(Steward), [Review, Registry].into());
        assert_eq!(scopes_of(Operator), [Audit, Operate, Registry].into());
        assert_eq!(scopes_of(Auditor), [Audit].into());
    }
}
