//! Who may call what: every RPC stands in one table, and what is not in it is refused.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use api::{ErrorReason, error::status};
use record::AgencyId;
use sha2::{Digest, Sha256};
use store::{Actor, Principal, Store, TokenHash};
use tonic::{Request, Status, body::Body};
use tower::{Layer, Service};

use crate::status::{blocking, of_store};

/// What a caller is, without saying which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An agency's system.
    Agency,
    /// A data steward.
    Steward,
    /// An operator.
    Operator,
}

use Role::{Agency, Operator, Steward};

/// Each RPC, or each service with a trailing `/`, and who may call it. `None`: anybody.
const TABLE: &[(&str, Option<&[Role]>)] = &[
    ("/waymark.submission.v1.SubmissionService/", Some(&[Agency])),
    ("/waymark.statement.v1.StatementService/", Some(&[Agency])),
    ("/waymark.status.v1.StatusService/", Some(&[Agency])),
    ("/waymark.review.v1.ReviewService/", Some(&[Steward])),
    ("/waymark.question.v1.QuestionService/", Some(&[Agency])),
    ("/waymark.registry.v1.RegistryService/", Some(&[Agency, Steward, Operator])),
    ("/waymark.admin.v1.AdminService/", Some(&[Operator])),
    ("/waymark.audit.v1.AuditService/", Some(&[Operator])),
    ("/grpc.health.v1.Health/", None),
    ("/grpc.reflection.v1.ServerReflection/", None),
    ("/grpc.reflection.v1alpha.ServerReflection/", None),
];

/// Who may call the RPC at `path`; an unknown path is nobody's.
fn allowed(path: &str) -> Option<&'static [Role]> {
    let entry = TABLE
        .iter()
        .find(|(name, _)| path == *name || (name.ends_with('/') && path.starts_with(name)));
    match entry {
        Some((_, roles)) => *roles,
        None => Some(&[]),
    }
}

/// The caller whom a bearer token stands for, if it may call the RPC at `path`, and the token.
fn check(
    store: &Store,
    path: &str,
    authorization: Option<&[u8]>,
) -> Result<(Principal, TokenHash), Status> {
    let secret =
        authorization.and_then(|value| value.strip_prefix(b"Bearer ")).ok_or_else(|| {
            let message = "this call needs a bearer token: name its file with --token-file";
            status(ErrorReason::TokenMissing, message, &[])
        })?;
    let hash = TokenHash(Sha256::digest(secret).into());
    let principal = holder_of(store, &hash)?;
    match allowed(path) {
        Some(roles) if !roles.contains(&role_of(&principal)) => {
            Err(not_permitted("this token may not make this call"))
        }
        _ => Ok((principal, hash)),
    }
}

/// Whom a token stands for.
///
/// # Errors
/// `TOKEN_INVALID` when it stands for nobody, or not any more.
pub fn holder_of(store: &Store, token: &TokenHash) -> Result<Principal, Status> {
    let found = store.find_token(token).map_err(|e| of_store(&e, ErrorReason::TokenInvalid))?;
    found.ok_or_else(|| {
        status(ErrorReason::TokenInvalid, "the bearer token is unknown or revoked", &[])
    })
}

/// The hash under which a token is stored.
pub fn token_hash(secret: &str) -> TokenHash {
    TokenHash(Sha256::digest(secret.as_bytes()).into())
}

fn role_of(principal: &Principal) -> Role {
    match principal {
        Principal::Agency(_) => Agency,
        Principal::Steward(_) => Steward,
        Principal::Operator(_) => Operator,
    }
}

/// The agency that makes the call.
///
/// # Errors
/// `PERMISSION_DENIED` when the caller is not an agency.
pub fn agency_of<T>(request: &Request<T>) -> Result<AgencyId, Status> {
    match request.extensions().get::<Principal>() {
        Some(Principal::Agency(agency)) => Ok(agency.clone()),
        _ => Err(not_permitted("only an agency's token may make this call")),
    }
}

/// Who makes the call, as the audit log names them.
///
/// # Errors
/// `PERMISSION_DENIED` when nobody is known to.
pub fn actor_of<T>(request: &Request<T>) -> Result<Actor, Status> {
    let caller = request.extensions().get::<Principal>();
    caller.map(Actor::from).ok_or_else(|| not_permitted("this call needs a token"))
}

/// The token by which a call is made: a call that goes on for long looks whether it still is one.
///
/// # Errors
/// `PERMISSION_DENIED` when there is none.
pub fn token_of<T>(request: &Request<T>) -> Result<TokenHash, Status> {
    let token = request.extensions().get::<TokenHash>();
    token.copied().ok_or_else(|| not_permitted("this call needs a token"))
}

/// The name of the person who makes the call.
///
/// # Errors
/// `PERMISSION_DENIED` when the caller is not a person.
pub fn person_of<T>(request: &Request<T>) -> Result<String, Status> {
    match request.extensions().get::<Principal>() {
        Some(Principal::Steward(name) | Principal::Operator(name)) => Ok(name.clone()),
        _ => Err(not_permitted("only a person's token may make this call")),
    }
}

fn not_permitted(message: &str) -> Status {
    status(ErrorReason::NotPermitted, message, &[])
}

/// Lets only permitted calls through, with their [`Principal`] as an extension.
#[derive(Clone)]
pub struct AccessLayer(pub Store);

/// The service that [`AccessLayer`] makes.
#[derive(Clone)]
pub struct Guarded<S> {
    store: Store,
    inner: S,
}

impl<S> Layer<S> for AccessLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { store: self.0.clone(), inner }
    }
}

impl<S> Service<http::Request<Body>> for Guarded<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        // The service that was polled ready takes the call; its fresh clone waits for the next.
        let waiting = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, waiting);
        let path = request.uri().path().to_owned();
        // Nothing behind this point may see the secret.
        let authorization = request.headers_mut().remove(http::header::AUTHORIZATION);
        let store = self.store.clone();
        Box::pin(async move {
            if allowed(&path).is_none() {
                return ready.call(request).await;
            }
            let verdict = blocking(move || {
                check(&store, &path, authorization.as_ref().map(http::HeaderValue::as_bytes))
            });
            match verdict.await {
                Ok((principal, token)) => {
                    request.extensions_mut().insert(principal);
                    request.extensions_mut().insert(token);
                    ready.call(request).await
                }
                Err(refused) => Ok(refused.into_http()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_the_table_is_refused() {
        assert_eq!(allowed("/waymark.other.v1.OtherService/Do"), Some(&[][..]));
        assert_eq!(allowed("/waymark.admin.v1.AdminService/Train"), Some(&[Operator][..]));
        assert_eq!(allowed("/grpc.health.v1.Health/Check"), None);
        assert_eq!(allowed("/waymark.status.v1.StatusService/GetStatus"), Some(&[Agency][..]));
    }
}
