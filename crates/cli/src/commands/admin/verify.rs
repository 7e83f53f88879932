//! `waymark admin verify`: the proof that nothing was changed.

use api::audit::{VerifyRequest, audit_service_client::AuditServiceClient};
use data_encoding::HEXLOWER;
use serde_json::json;

use crate::{
    client::{answer::failure, connection::Caller},
    exit::Exit,
    failure::Failure,
    output::{Document, Section, text},
};

/// Asks the service for the proof; work remains where anything is found.
pub(super) async fn verify(caller: Caller) -> Result<(Document, Exit), Failure> {
    let mut client = AuditServiceClient::new(caller);
    let answer = client.verify(VerifyRequest {}).await.map_err(|status| failure(&status))?;
    let proof = answer.into_inner();
    let mut checked = Section::new("checked", &["what", "value"]);
    for (what, value) in [
        ("entries of the audit log", json!(proof.entries)),
        ("digest of the last one", text(HEXLOWER.encode(&proof.head))),
        ("facts, each sealed by an entry", json!(proof.facts)),
        ("facts of which parts were erased", json!(proof.resealed)),
        ("changes told in the feeds", json!(proof.changes)),
        ("changes emptied by erasures", json!(proof.erased_changes)),
        ("records whose participant was rebuilt", json!(proof.records)),
        ("statuses evaluated anew", json!(proof.statuses)),
    ] {
        checked.row(vec![text(what), value]);
    }
    let mut findings = Section::new("findings", &["finding"]);
    for finding in &proof.findings {
        findings.row(vec![text(finding)]);
    }
    let exit = if proof.findings.is_empty() {
        eprintln!("nothing was changed: all of it holds");
        Exit::Done
    } else {
        eprintln!(
            "{} findings: keep the database as it is, and restore a backup from before they arose",
            proof.findings.len()
        );
        Exit::WorkRemains
    };
    let document = Document::new("waymark.admin.verify/1").section(checked).section(findings);
    Ok((document, exit))
}
