//! `waymark admin token` and `waymark admin certificate`: who may call, as whom, for how long.

use std::path::PathBuf;

use api::admin::{
    Credential, CredentialKind, IssueTokenRequest, ListCredentialsRequest,
    RegisterCertificateRequest, RevokeCredentialRequest, Role, Scope,
};
use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;

use super::Client;
use crate::{
    client::{
        answer::{day_message, failure, plain_name, time},
        submission::incomplete,
        tls::certificates,
    },
    failure::Failure,
    output::{Document, Section, text},
    secret,
};

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Issue a token, into a file that only you can read
    Issue(Issue),
    /// List the tokens, without their secrets
    List,
    /// Revoke a token at once
    Revoke {
        /// Label of the token
        #[arg(value_name = "LABEL")]
        label: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum CertificateCommand {
    /// Register a client certificate: whoever holds its key may call, until it expires
    Add(Add),
    /// List the registered certificates
    List,
    /// Revoke a certificate at once
    Revoke {
        /// Label of the certificate
        #[arg(value_name = "LABEL")]
        label: String,
    },
}

/// Issues a token. The service keeps only its hash: the file is the one place where it stands.
#[derive(Debug, Args)]
pub struct Issue {
    #[command(flatten)]
    grant: GrantArgs,
    /// File to write the token to; refused where it exists
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Last day on which it is good, in the service's time zone; at most five years from now, by
    /// default 365 days
    #[arg(long, value_name = "YYYY-MM-DD")]
    expires: Option<Date>,
}

/// Registers a certificate. It is good as long as it says itself; a renewed one is another one.
#[derive(Debug, Args)]
pub struct Add {
    #[command(flatten)]
    grant: GrantArgs,
    /// The certificate in PEM; of a chain, its first one
    #[arg(id = "registered", long = "file", value_name = "FILE.pem")]
    file: PathBuf,
}

/// For whom a credential stands, and how much of their role it opens.
#[derive(Debug, Args)]
pub struct GrantArgs {
    /// Label to list and revoke it by
    #[arg(value_name = "LABEL")]
    label: String,
    /// What its holder may do
    #[arg(long, value_enum, value_name = "ROLE")]
    role: Holder,
    /// The agency's id, or the name of the steward, operator or auditor
    #[arg(long, value_name = "NAME")]
    subject: String,
    /// Confine it to some calls of the role; may be given more than once
    #[arg(long, value_enum, value_name = "SCOPE")]
    scope: Vec<Calls>,
}

/// What the holder of a credential may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Holder {
    /// Submits for an agency and reads its statuses
    Agency,
    /// Reviews uncertain matches
    Steward,
    /// Administers
    Operator,
    /// Looks back at what was done
    Auditor,
}

/// A group of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Calls {
    /// Sending data, and what became of them (agencies)
    Submit,
    /// Statuses and feeds (agencies)
    Statuses,
    /// Questions about an agency's records (agencies)
    Questions,
    /// Clerical review (stewards)
    Review,
    /// Looking back at what was done (auditors, operators)
    Audit,
    /// Administration (operators)
    Operate,
    /// The pathway registry (agencies, stewards, operators)
    Registry,
}

impl GrantArgs {
    fn role(&self) -> i32 {
        let role = match self.role {
            Holder::Agency => Role::Agency,
            Holder::Steward => Role::Steward,
            Holder::Operator => Role::Operator,
            Holder::Auditor => Role::Auditor,
        };
        role.into()
    }

    fn scopes(&self) -> Vec<i32> {
        let scope = |calls: &Calls| match calls {
            Calls::Submit => Scope::Submit,
            Calls::Statuses => Scope::Statuses,
            Calls::Questions => Scope::Questions,
            Calls::Review => Scope::Review,
            Calls::Audit => Scope::Audit,
            Calls::Operate => Scope::Operate,
            Calls::Registry => Scope::Registry,
        };
        self.scope.iter().map(|calls| scope(calls).into()).collect()
    }
}

impl TokenCommand {
    /// Does what was asked for.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses, or a file exists or cannot be written.
    pub async fn run(&self, client: &mut Client) -> Result<Document, Failure> {
        match self {
            Self::Issue(issue) => issue.run(client).await,
            Self::List => list(client, CredentialKind::Token).await,
            Self::Revoke { label } => revoke(client, CredentialKind::Token, label).await,
        }
    }
}

impl CertificateCommand {
    /// Does what was asked for.
    ///
    /// # Errors
    /// [`Failure`] when the service refuses, or the file cannot be read.
    pub async fn run(&self, client: &mut Client) -> Result<Document, Failure> {
        match self {
            Self::Add(add) => add.run(client).await,
            Self::List => list(client, CredentialKind::Certificate).await,
            Self::Revoke { label } => revoke(client, CredentialKind::Certificate, label).await,
        }
    }
}

impl Issue {
    async fn run(&self, client: &mut Client) -> Result<Document, Failure> {
        // The place is taken first: a token that cannot be kept is not issued.
        secret::write_new(&self.out, "")?;
        let label = &self.grant.label;
        let request = IssueTokenRequest {
            label: label.clone(),
            role: self.grant.role(),
            subject: self.grant.subject.clone(),
            scopes: self.grant.scopes(),
            expires_on: day_message(self.expires),
        };
        let issued = client.issue_token(request).await.map_err(|status| failure(&status));
        let issued = issued.inspect_err(|_| secret::remove(&self.out))?.into_inner();
        let secret = zeroize::Zeroizing::new(issued.secret);
        secret::overwrite(&self.out, &format!("{}\n", *secret)).map_err(|failure| {
            failure.remedy(format!("revoke it: waymark admin token revoke {label}"))
        })?;
        eprintln!("token written to {}", self.out.display());
        Ok(credentials(CredentialKind::Token, &[issued.token.ok_or_else(incomplete)?]))
    }
}

impl Add {
    async fn run(&self, client: &mut Client) -> Result<Document, Failure> {
        let request = RegisterCertificateRequest {
            label: self.grant.label.clone(),
            role: self.grant.role(),
            subject: self.grant.subject.clone(),
            scopes: self.grant.scopes(),
            certificate: certificates(&self.file)?,
        };
        let registered = client.register_certificate(request).await;
        let registered = registered.map_err(|status| failure(&status))?.into_inner();
        let certificate = registered.certificate.ok_or_else(incomplete)?;
        Ok(credentials(CredentialKind::Certificate, &[certificate]))
    }
}

async fn list(client: &mut Client, kind: CredentialKind) -> Result<Document, Failure> {
    let page_token = String::new();
    let mut request = ListCredentialsRequest { page_size: 1_000, page_token, kind: kind.into() };
    let mut found = Vec::new();
    loop {
        let answer = client.list_credentials(request.clone()).await;
        let page = answer.map_err(|status| failure(&status))?.into_inner();
        found.extend(page.credentials);
        if page.next_page_token.is_empty() {
            return Ok(credentials(kind, &found));
        }
        request.page_token = page.next_page_token;
    }
}

async fn revoke(
    client: &mut Client,
    kind: CredentialKind,
    label: &str,
) -> Result<Document, Failure> {
    let request = RevokeCredentialRequest { kind: kind.into(), label: label.to_owned() };
    let answer = client.revoke_credential(request).await;
    let answer = answer.map_err(|status| failure(&status))?.into_inner();
    Ok(credentials(kind, &[answer.credential.ok_or_else(incomplete)?]))
}

fn credentials(kind: CredentialKind, credentials: &[Credential]) -> Document {
    let (section, document) = match kind {
        CredentialKind::Certificate => ("certificates", "waymark.admin.certificates/1"),
        _ => ("tokens", "waymark.admin.tokens/1"),
    };
    let columns =
        ["label", "role", "subject", "scopes", "state", "issued_at", "expires_at", "revoked_at"];
    let mut section = Section::new(section, &columns);
    for credential in credentials {
        let name = |scope: Scope| scope.as_str_name().trim_start_matches("SCOPE_").to_lowercase();
        let scopes: Vec<_> = credential.scopes().map(name).collect();
        let state = credential.state().as_str_name().replace("IN_FORCE", "IN FORCE");
        section.row(vec![
            text(&credential.label),
            plain_name(credential.role().as_str_name(), "ROLE"),
            text(&credential.subject),
            text(if scopes.is_empty() { "all".to_owned() } else { scopes.join(" ") }),
            plain_name(&state, "CREDENTIAL_STATE"),
            time(credential.issued_at.as_ref()),
            time(credential.expires_at.as_ref()),
            time(credential.revoked_at.as_ref()),
        ]);
    }
    Document::new(document).section(section)
}
