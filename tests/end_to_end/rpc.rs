//! Calls over gRPC itself: any RPC of the contract, and requests that `waymark` never makes.

use std::time::Duration;

use prost::{Message, bytes::Buf};
use prost_types::FileDescriptorSet;
use support::Service;
use tokio::{runtime::Runtime, time::timeout};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::{Channel, Endpoint},
};

/// How long a call may take to say something; a watched feed says nothing for ever.
const PATIENCE: Duration = Duration::from_millis(500);

/// A connection to a service, and an event loop for it.
pub struct Rpc {
    runtime: Runtime,
    /// What clients call through.
    pub channel: Channel,
}

impl Rpc {
    /// Connects without encryption.
    pub fn to(service: &Service) -> Self {
        let runtime = Runtime::new().unwrap();
        let endpoint = Endpoint::from_shared(service.address().to_owned()).unwrap();
        let channel = runtime.block_on(endpoint.connect()).unwrap();
        Self { runtime, channel }
    }

    /// Waits for an answer.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Sends an empty message to the RPC at `path` with the secret of a token, and gives the code
    /// that comes first; without an error, or without an answer in time, that is OK.
    pub fn call_empty(&self, path: &str, secret: Option<&str>) -> Code {
        let call = async {
            let mut client = Grpc::new(self.channel.clone());
            client.ready().await.unwrap();
            let request = with_token(tokio_stream::once(()), secret);
            let path = path.parse().unwrap();
            let mut answers = client.streaming(request, path, Nothing).await?.into_inner();
            answers.message().await
        };
        let answered = self.wait(async { timeout(PATIENCE, call).await });
        match answered {
            Ok(Err(status)) => status.code(),
            Ok(Ok(_)) | Err(_) => Code::Ok,
        }
    }
}

/// A request with the secret of a token.
pub fn with_token<T>(message: T, secret: Option<&str>) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(secret) = secret {
        let bearer = format!("Bearer {secret}").parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
    }
    request
}

/// The secret in the token file of `who`.
pub fn secret(service: &Service, who: &str) -> String {
    service.read(&format!("{who}.token")).trim().to_owned()
}

/// Every RPC of the contract: its service, and its path.
pub fn contract() -> Vec<(String, String)> {
    let set = FileDescriptorSet::decode(api::FILE_DESCRIPTOR_SET).unwrap();
    let mut calls = Vec::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                calls.push((service.name().to_owned(), path));
            }
        }
    }
    calls
}

/// Sends messages without a field, and reads none of what comes back.
#[derive(Clone, Copy)]
struct Nothing;

impl Codec for Nothing {
    type Encode = ();
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Nothing {
    type Item = ();
    type Error = Status;

    fn encode(&mut self, (): (), _: &mut EncodeBuf<'_>) -> Result<(), Status> {
        Ok(())
    }
}

impl Decoder for Nothing {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        message.advance(message.remaining());
        Ok(Some(()))
    }
}
