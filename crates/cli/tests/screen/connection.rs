//! A connection between screen and service that can break.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Passes on what both sides say, as long as it is whole.
#[derive(Clone)]
pub struct Connection {
    address: SocketAddr,
    is_whole: watch::Sender<bool>,
}

impl Connection {
    /// A whole connection to `service`.
    pub async fn to(service: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (is_whole, whole) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if *whole.borrow() {
                    tokio::spawn(pass_on(stream, service, whole.clone()));
                }
            }
        });
        Self { address, is_whole }
    }

    /// Where the screen connects to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks it: nothing that is not passed on yet arrives, and nobody connects.
    pub fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    /// Makes it whole again.
    pub fn mend(&self) {
        self.is_whole.send_replace(true);
    }
}

async fn pass_on(mut stream: TcpStream, service: SocketAddr, mut whole: watch::Receiver<bool>) {
    let Ok(mut other) = TcpStream::connect(service).await else { return };
    tokio::select! {
        biased;
        _ = whole.wait_for(|is_whole| !is_whole) => {}
        _ = copy_bidirectional(&mut stream, &mut other) => {}
    }
}
