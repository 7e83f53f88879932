//! The gate in front of every service.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tonic::{
    body::Body,
    transport::server::{TcpConnectInfo, TlsConnectInfo},
};
use tower::{Layer, Service};

use super::{Access, Pass, Shown, certificate_hash, table::is_open, token_hash};
use crate::status::blocking;

/// Lets only permitted calls through, with their [`store::Principal`] and their [`Pass`] as
/// extensions.
#[derive(Clone)]
pub struct AccessLayer(pub Access);

/// The service that [`AccessLayer`] makes.
#[derive(Clone)]
pub struct Guarded<S> {
    access: Access,
    inner: S,
}

impl<S> Layer<S> for AccessLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { access: self.0.clone(), inner }
    }
}

/// What a call shows. Takes the token away: nothing behind this point may see the secret.
fn shown(request: &mut http::Request<Body>) -> Shown {
    let authorization = request.headers_mut().remove(http::header::AUTHORIZATION);
    let secret = authorization.as_ref().and_then(|it| it.as_bytes().strip_prefix(b"Bearer "));
    let connection = request.extensions().get::<TlsConnectInfo<TcpConnectInfo>>();
    // The first one is the caller's own, the others lead to the authority.
    let chain = connection.and_then(TlsConnectInfo::peer_certs);
    let certificate = chain.as_deref().and_then(|chain| chain.first());
    Shown {
        token: secret.map(token_hash),
        certificate: certificate.map(|der| certificate_hash(der)),
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
        let shown = shown(&mut request);
        let pass = Pass { access: self.access.clone(), path, shown };
        Box::pin(async move {
            if is_open(&pass.path) {
                return ready.call(request).await;
            }
            let asked = pass.clone();
            match blocking(move || asked.access.check(&asked.path, &asked.shown)).await {
                Ok(principal) => {
                    request.extensions_mut().insert(principal);
                    request.extensions_mut().insert(pass);
                    ready.call(request).await
                }
                Err(refused) => Ok(refused.into_http()),
            }
        })
    }
}
